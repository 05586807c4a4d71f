"""One client's report: data read once, chapters side by side, files put in place together."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from retention_lib import report_files
from retention_lib._nbformat import NotebookNode
from retention_lib.data import gate
from retention_lib.data.base import Base
from retention_lib.data.databases.addresses import from_anywhere
from retention_lib.data.handover import OUTPUT, VARIABLE
from retention_lib.data.prepared import from_prepared, prepare
from retention_lib.data.read import read_base
from retention_lib.data.remote.fetch import FETCHED, kept_in
from retention_lib.data.sources import resolve_files
from retention_lib.errors import RetentionError, brief
from retention_lib.keys.datasets import data_sources, with_sources
from retention_lib.metrics import Metric
from retention_lib.params import ClientFile, Params
from retention_lib.report import method_parts
from retention_lib.report.document.brand import logo
from retention_lib.report.exporter import assemble, notebook_of, render
from retention_lib.report.labels import in_order
from retention_lib.report.page import metrics_of
from retention_lib.report.traced import traced_of
from retention_lib.report.voice import page_of
from retention_lib.run import fingerprint, index, kept_data
from retention_lib.run.chapters import LAST, WITH_FORECAST, choose, notebooks_folder
from retention_lib.run.execute import ChapterRun, execute_chapter
from retention_lib.run.failed_run import failed_run, now
from retention_lib.run.forecasts import prepare_forecast
from retention_lib.run.full_disk import told_full
from retention_lib.run.history import hand_over, keep
from retention_lib.run.job import Job
from retention_lib.run.json_files import write_json
from retention_lib.run.outcome import finding, outcome
from retention_lib.run.output import building, forget_failed, leave_failed, logs, put_in_place
from retention_lib.run.pdf import PdfError, find_browser, print_pdf
from retention_lib.run.provenance import provenance, software
from retention_lib.run.scratch import scratch
from retention_lib.run.server import can_fork, default_server
from retention_lib.run.steps import OwnTurns, Silent, Steps, Turns
from retention_lib.run.working_folder import working_folder

#: What a run leaves that couldn't read its data, and so doesn't know of which day it is.
_UNREAD: Final = "data"


@dataclass(frozen=True)
class Made:
    """What a run made.

    Parameters
    ----------
    report : Path
        The HTML file.
    metrics : mapping
        Id → Metric, of the chapters that were run.
    warnings : tuple of str
        Sentences for the consultant; none of them stands in the report.
    seconds : mapping
        Step → seconds.
    pdf : Path or None
        The report as a PDF, where it was asked for and could be printed.
    undone : tuple of str
        Sentences on what was asked for and couldn't be done; the report is whole without.
    finding : str or None
        What the summary found, in the report's language.
    """

    report: Path
    metrics: Mapping[str, Metric]
    warnings: tuple[str, ...]
    seconds: Mapping[str, float]
    pdf: Path | None = None
    undone: tuple[str, ...] = ()
    finding: str | None = None


def report_client(file: ClientFile, reports: Path, **asked: Any) -> Made:
    """Make one client's report, and the page of all clients anew.

    Parameters
    ----------
    file : ClientFile
    reports : Path
        Folder of all clients' reports.
    **asked
        As in `Job`: `only`, `pdf`, `author`, `timeout`.

    Raises
    ------
    RetentionError
        As `make`.
    """
    try:
        made = make(Job(file, reports, **asked))
    except RetentionError:
        index.write(reports)
        raise
    return replace(made, warnings=(*made.warnings, *index.write(reports)))


def make(
    job: Job, steps: Steps | None = None, turns: Turns | None = None, *, server: str = ""
) -> Made:
    """Make one client's report.

    Parameters
    ----------
    job : Job
    steps : Steps, optional
        Is told of the progress.
    turns : Turns, optional
        Who may work; by default as many at once as there are cores.
    server : str, optional
        Address of the `KernelServer` that gives the kernels; by default, this process's own.

    Raises
    ------
    RetentionError
        With its sentences and exit code. The last good report stays; the log and what was executed
        lie in `<as_of>.failed` beside it, or in `data.failed` where the data can't be read.
    """
    file = job.file
    if file.params.brand.logo:
        logo(str(file.folder / file.params.brand.logo))  # refused now, not after the run
    chapters = choose(job.only, file.params)
    templates = notebooks_folder(given=job.notebooks)
    if can_fork() and not server:
        default_server()  # loads its libraries while the data is read
    told, turns = steps or Silent(), turns or OwnTurns(os.cpu_count() or 1)
    with (
        building(job.reports, job.client, job.patience) as built,
        scratch() as handover,
    ):
        run = _Run(job, built, handover, told, turns, server)
        try:
            return run.make([templates / f"{chapter}.ipynb" for chapter in chapters])
        except RetentionError as error:
            raise run.failed(error) from error
        except OSError as error:
            raise run.failed(_no_place(error)) from error
        except Exception as error:
            raise run.failed(_unforeseen(error), traceback.format_exc()) from error


class _Run:
    """One run at work: what it knows by now, and where its files are."""

    def __init__(
        self, job: Job, built: Path, handover: Path, steps: Steps, turns: Turns, server: str
    ) -> None:
        self.job = job
        self.built = built
        self.handover = handover
        self.steps = steps
        self.turns = turns
        self.server = server
        self.seconds: dict[str, float] = {}
        project = job.notebooks.parent if job.notebooks else Path.cwd()
        self.folder = working_folder(project, handover / ".work")
        #: The place of what it will leave: the report's, once its day is known.
        self.target = built.with_name(_UNREAD)

    def make(self, templates: Sequence[Path]) -> Made:
        """Make the report of these notebooks, or the page of the one."""
        job, built = self.job, self.built
        inputs = fingerprint.parts(job, templates[0].parent)  # before anything is read
        with self._step("data"):
            base = self._prepared(inputs) or _prepare(job.file, self.handover)
        forget_failed(self.target)
        self.target = job.folder / base.as_of.isoformat()
        self.steps.known(base.as_of)
        hand_over(job.folder, job.client, base.as_of, self.handover)
        with _environment(VARIABLE, str(self.handover)):
            runs = self._execute(templates, base, inputs)
        self.seconds |= {run.chapter: run.seconds for run in runs}
        with self._step("report"):
            notebooks = [run.notebook for run in runs]
            metrics = _metrics(notebooks)
            notebooks.append(_last_chapter(base, notebooks, metrics))
            _write_report(base, notebooks, built, job.file.folder, job.author)
            traced = traced_of(notebooks)
        shutil.rmtree(built / "logs", ignore_errors=True)
        warnings = _warnings(runs)
        undone = self._print() if job.pdf else ()
        if job.only is None:
            said = outcome(notebooks, self.handover, base.params.currency, warnings)
            inputs |= fingerprint.earlier(job.folder, base.as_of)
            said |= {"inputs": inputs, "author": job.author}
            _write_files(base, metrics, traced, self.seconds, said, self.handover, built)
            put_in_place(built, self.target)
            forget_failed(self.target)
            warnings += keep(job.folder, job.client)
            page, printed = self.target / report_files.HTML, self.target / report_files.PDF
        else:
            page = _place_chapter(built, self.target, templates[0].stem)
            printed = page.with_suffix(".pdf")
        pdf = printed if job.pdf and not undone else None
        return Made(page, metrics, warnings, self.seconds, pdf, undone, finding(notebooks))

    def failed(self, error: RetentionError, trace: str = "") -> RetentionError:
        """Keep what the run made, with its log; the error, telling where that lies now."""
        had_begun = bool(trace) or (self.built / "notebooks").exists()
        try:
            log = [*logs(self.built), *filter(None, [trace]), *error.sentences]
            failed = leave_failed(self.built, self.target, "\n".join(log) + "\n")
        except OSError:  # on a full disk there is no place for it either
            return error
        # what was executed has moved
        sentences = [s.replace(str(self.built), str(failed)) for s in error.sentences]
        told = failed_run(self.job.file.params, sentences, failed, self.job.only)
        with contextlib.suppress(OSError):
            write_json(failed / report_files.RUN, told)
        if had_begun:
            sentences.append(f"{self.job.client}: the log is {failed / 'run.log'}")
        return type(error)(*sentences)

    def _prepared(self, inputs: Mapping[str, str | None]) -> Base | None:
        """The data as an earlier run prepared it, where it is what it was."""
        if self.job.force or not kept_data.take_over(self.handover, self.job.folder, inputs):
            return None
        params = _with_own_sources(self.job.file)
        try:
            return from_prepared(
                params, self.handover, lambda: read_base(params, self.job.file.folder)
            )
        except Exception:  # it is damaged: the source has it, too
            kept_data.give_back(self.handover)
            return None

    def _execute(
        self, templates: Sequence[Path], base: Base, inputs: Mapping[str, str | None]
    ) -> list[ChapterRun]:
        """The chapters, some at once, in reading order; the forecast is made meanwhile.

        Raises
        ------
        RetentionError
            The sentences of every chapter that failed.
        """
        for name in ("notebooks", "logs"):
            (self.built / name).mkdir()
        parameters = base.params.as_parameters()

        def run(template: Path) -> ChapterRun | RetentionError:
            with self.turns.turn():
                return self._chapter(template, parameters)

        waiting = [t for t in templates if t.stem in WITH_FORECAST]
        with ThreadPoolExecutor(max_workers=len(templates)) as pool:
            at_work = {t: pool.submit(run, t) for t in templates if t not in waiting}
            if waiting:
                with self._step("forecast"):
                    prepare_forecast(base, self.handover, self.job.folder)
                    kept_data.keep(self.handover, self.job.folder, inputs)
            base.release()  # the chapters have it from the handover
            summing_up = [t for t in waiting if t.stem == LAST]
            at_work |= {t: pool.submit(run, t) for t in waiting if t not in summing_up}
            # what the other chapters worked out is there when it begins
            wait(at_work.values())
            at_work |= {t: pool.submit(run, t) for t in summing_up}
            results = [at_work[t].result() for t in templates]
        failures = [r for r in results if isinstance(r, RetentionError)]
        if failures:
            sentences = dict.fromkeys(s for failure in failures for s in failure.sentences)
            raise type(failures[0])(*sentences)
        return [r for r in results if isinstance(r, ChapterRun)]

    def _chapter(
        self, template: Path, parameters: Mapping[str, Any]
    ) -> ChapterRun | RetentionError:
        name, began = template.stem, time.perf_counter()
        self.steps.step(name, 0)
        try:
            done = execute_chapter(
                template,
                self.built / "notebooks" / template.name,
                parameters,
                cwd=self.folder,
                timeout=self.job.timeout,
                on_cell=lambda cell, cells: self.steps.step(name, cell, cells),
                log=self.built / "logs" / f"{name}.log",
                server=self.server,
            )
        except RetentionError as error:
            return error
        except OSError as error:
            return _no_place(error)
        finally:  # a chapter that stopped takes no more time either
            self.steps.finished(name, time.perf_counter() - began)
        return done

    def _print(self) -> tuple[str, ...]:
        """Print the report beside its HTML; sentences where that can't be done."""
        with self._step("pdf"):
            try:
                print_pdf(
                    self.built / report_files.HTML, self.built / report_files.PDF, find_browser()
                )
            except PdfError as error:
                return error.sentences
        return ()

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        """A step that the run does itself, when it has its turn."""
        with self.turns.turn():
            began = time.perf_counter()
            self.steps.step(name, 0)
            yield
            self.seconds[name] = time.perf_counter() - began
        self.steps.finished(name, self.seconds[name])


def _no_place(error: OSError) -> RetentionError:
    """A failure to write, or to read what was there a moment ago, as a sentence."""
    where = f"{error.filename}: " if error.filename else ""
    return RetentionError(f"{told_full(error) or f'{where}{error.strerror or error}'}.")


def _unforeseen(error: Exception) -> RetentionError:
    if full := told_full(error):
        return RetentionError(f"{full}.")
    return RetentionError(f"The run stopped at an error that it doesn't know: {brief(error)}")


def injected(file: ClientFile) -> dict[str, Any]:
    """The parameters that a client's chapters are run with.

    The client file's own, its files by absolute path: the executed notebooks can be opened and run
    again from wherever they lie. What `${NAME}` stands for isn't filled in.
    """
    return _with_own_sources(file).as_parameters()


def _with_own_sources(file: ClientFile) -> Params:
    """The parameters with every source as it can be read from wherever a chapter runs."""
    params = file.params
    further = {
        name: _anywhere(source.source, file.folder)
        for name, (_, source) in data_sources(params).items()
    }
    own = {"source": _anywhere(params.source, file.folder), **with_sources(params, further)}
    return params.model_copy(update=own)


def _anywhere(source: str | list[str], folder: Path) -> str | list[str]:
    if isinstance(source, str) and "://" in source:
        return from_anywhere(source, folder)
    if isinstance(source, str) and _is_anywhere(source):
        return source
    entries = [source] if isinstance(source, str) else source
    return [
        place
        for e in entries
        for place in (
            [e] if _is_anywhere(e) else [str(f.resolve()) for f in resolve_files(e, folder)]
        )
    ]


def _is_anywhere(entry: str) -> bool:
    """Whether an entry of the source means the same wherever it is read, or is to stay closed."""
    return "://" in entry or "${" in entry or entry.startswith("builtin:")


def _prepare(file: ClientFile, handover: Path) -> Base:
    """Read the data once, for all chapters."""
    params = _with_own_sources(file)
    with kept_in(handover / FETCHED):
        base = read_base(params, file.folder)
        gate.refuse(base, file.folder)
    prepare(base, handover)
    return base


def _metrics(notebooks: Sequence[NotebookNode]) -> dict[str, Metric]:
    """The metrics that the chapters published, in reading order."""
    merged: dict[str, Metric] = {}
    for notebook in notebooks:
        merged |= metrics_of(notebook)
    return merged


def _last_chapter(
    base: Base, notebooks: Sequence[NotebookNode], metrics: Mapping[str, Metric]
) -> NotebookNode:
    """Method, definitions and provenance, for what the other chapters print."""
    made = method_parts.chapter(
        base, notebooks, metrics, page_of(base), versions=software(), made=dt.date.today()
    )
    return notebook_of(made)


def _write_report(
    base: Base,
    notebooks: Sequence[NotebookNode],
    built: Path,
    brand_folder: Path,
    author: str | None,
) -> None:
    params = base.params
    brand = params.brand.model_dump(exclude_none=True)
    if "logo" in brand:
        brand["logo"] = str(brand_folder / brand["logo"])
    period = base.windows.period
    document = assemble(
        notebooks,
        title=params.title or params.client,
        client=params.client,
        as_of=base.as_of.isoformat(),
        currency=params.currency,
        language=params.language,
        brand=brand,
        period=page_of(base).formats.period(period.start, period.end),
        author=author,
        made=dt.date.today().isoformat(),
    )
    (built / report_files.HTML).write_text(render(document), encoding="utf-8")


def _write_files(
    base: Base,
    metrics: Mapping[str, Metric],
    traced: Mapping[str, Any],
    seconds: Mapping[str, float],
    said: Mapping[str, Any],
    handover: Path,
    built: Path,
) -> None:
    """metrics.json, run.json, and what the chapters left to go out with the report."""
    figures = {
        "schema": 1,
        "client": base.params.client,
        "as_of": base.as_of.isoformat(),
        "metrics": {name: metrics[name].as_json() for name in in_order(metrics)},
        **traced,
    }
    write_json(built / report_files.METRICS, figures)
    write_json(built / report_files.RUN, {**provenance(base, seconds, now()), **said})
    for made in sorted((handover / OUTPUT).glob("*")):
        shutil.move(made, built / made.name)


def _place_chapter(built: Path, target: Path, chapter: str) -> Path:
    """Put one chapter's page and notebook beside the place of the whole report."""
    page = target.with_name(f"{target.name}-{chapter}.html")
    page.with_suffix(".pdf").unlink(missing_ok=True)  # an earlier page's
    (built / report_files.HTML).replace(page)
    (built / "notebooks" / f"{chapter}.ipynb").replace(page.with_suffix(".ipynb"))
    if (built / report_files.PDF).exists():
        (built / report_files.PDF).replace(page.with_suffix(".pdf"))
    return page


def _warnings(runs: Sequence[ChapterRun]) -> tuple[str, ...]:
    return tuple(f"{run.chapter}, {warning}" for run in runs for warning in run.warnings)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Set a variable for the kernels that are started within."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
