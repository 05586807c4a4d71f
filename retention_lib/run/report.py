"""One client's report: data read once, chapters side by side, files put in place together."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from retention_lib._nbformat import NotebookNode, nbformat
from retention_lib.data import gate
from retention_lib.data.base import Base
from retention_lib.data.databases.addresses import from_anywhere
from retention_lib.data.handover import OUTPUT, VARIABLE
from retention_lib.data.prepared import prepare
from retention_lib.data.read import read_base
from retention_lib.data.sources import resolve_files
from retention_lib.errors import RetentionError
from retention_lib.metrics import Metric
from retention_lib.params import ClientFile
from retention_lib.report import method_parts
from retention_lib.report.document.brand import logo
from retention_lib.report.exporter import assemble, notebook_of, render
from retention_lib.report.labels import in_order
from retention_lib.report.page import metrics_of
from retention_lib.report.traced import traced_of
from retention_lib.report.voice import page_of
from retention_lib.run import index
from retention_lib.run.chapters import LAST, WITH_FORECAST, choose, notebooks_folder
from retention_lib.run.execute import ChapterRun, execute_chapter
from retention_lib.run.forecasts import prepare_forecast
from retention_lib.run.history import hand_over, keep
from retention_lib.run.outcome import failed as failed_run
from retention_lib.run.outcome import finding, now, outcome
from retention_lib.run.output import building, forget_failed, leave_failed, put_in_place
from retention_lib.run.pdf import PdfError, find_browser, print_pdf
from retention_lib.run.provenance import provenance, software
from retention_lib.run.server import can_fork, default_server

_PDF: Final = "report.pdf"
#: What a run leaves that couldn't read its data, and so doesn't know of which day it is.
_UNREAD: Final = "data"


class Steps(Protocol):
    """What is told of a run's progress (`run.progress.Progress`)."""

    def step(self, name: str, done: int, total: int | None = None) -> None:
        """A step has come to `done` of `total`; without a total it has only begun."""

    def finished(self, name: str, seconds: float) -> None:
        """A step is done."""


class Silent:
    """Progress for nobody."""

    def step(self, name: str, done: int, total: int | None = None) -> None:
        """Say nothing."""

    def finished(self, name: str, seconds: float) -> None:
        """Say nothing."""


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


def report_client(
    file: ClientFile,
    reports: Path,
    *,
    only: str | None = None,
    pdf: bool = False,
    author: str | None = None,
    timeout: int | None = None,
    progress: Steps | None = None,
    workers: int | None = None,
) -> Made:
    """Make a client's report.

    Parameters
    ----------
    file : ClientFile
    reports : Path
        Folder of all clients' reports.
    only : str, optional
        One chapter. It leaves `<as_of>-<chapter>.html` and its notebook; the whole report that may
        be there stays as it is.
    pdf : bool, default False
        Print it too. Where that can't be done the report is made all the same (`Made.undone`).
    author : str, optional
        Who prepared it, as the title page names them.
    timeout : int, optional
        Seconds that a chapter may take.
    progress : Steps, optional
    workers : int, optional
        Chapters at once; the number of cores where not given.

    Raises
    ------
    RetentionError
        With its sentences and exit code. The last good report stays; the log and what was executed
        lie in `<as_of>.failed` beside it, or in `data.failed` where the data can't be read.
    """
    progress = progress or Silent()
    if file.params.brand.logo:
        logo(str(file.folder / file.params.brand.logo))  # refused now, not after the run
    chapters = choose(only)
    if can_fork():
        default_server()  # loads its libraries while the data is read
    asked = _Asked(only, pdf, author, timeout, workers or os.cpu_count() or 1)
    try:
        made = _make(file, reports, chapters, asked, progress)
    except RetentionError:
        index.write(reports)
        raise
    return replace(made, warnings=(*made.warnings, *index.write(reports)))


@dataclass(frozen=True)
class _Asked:
    """How a report is to be made (`report_client`)."""

    only: str | None
    pdf: bool
    author: str | None
    timeout: int | None
    workers: int


def _make(
    file: ClientFile, reports: Path, chapters: Sequence[str], asked: _Asked, progress: Steps
) -> Made:
    """Make a client's report; what a run that failed leaves says why."""
    templates = notebooks_folder()
    seconds: dict[str, float] = {}
    with (
        building(reports, file.params.client) as built,
        tempfile.TemporaryDirectory(prefix="retention-run-") as folder,
    ):
        handover, unread = Path(folder), built.with_name(_UNREAD)
        try:
            with _timed("data", seconds, progress):
                base = _prepare(file, handover)
        except RetentionError as error:
            _tell_failed(file, leave_failed(built, unread, _log(built, error)), error.sentences)
            raise
        forget_failed(unread)
        target = reports / file.params.client / base.as_of.isoformat()
        hand_over(target.parent, file.params.client, base.as_of, handover)
        try:
            with _environment(VARIABLE, folder):
                runs = _execute(
                    [templates / f"{chapter}.ipynb" for chapter in chapters],
                    built,
                    base,
                    handover,
                    target.parent,
                    progress=progress,
                    timeout=asked.timeout,
                    workers=asked.workers,
                    seconds=seconds,
                )
            seconds |= {run.chapter: run.seconds for run in runs}
            notebooks = [nbformat.read(run.path, as_version=4) for run in runs]
            metrics = _metrics(notebooks)
            with _timed("report", seconds, progress):
                notebooks.append(_last_chapter(base, notebooks, metrics))
                _write_report(base, notebooks, built, file.folder, asked.author)
            traced = traced_of(notebooks)
        except RetentionError as error:
            failed = leave_failed(built, target, _log(built, error))
            # what was executed has moved; the sentences name where it lies now
            sentences = [s.replace(str(built), str(failed)) for s in error.sentences]
            _tell_failed(file, failed, sentences, asked.only)
            log = f"{file.params.client}: the log is {failed / 'run.log'}"
            raise type(error)(*sentences, log) from error
        shutil.rmtree(built / "logs", ignore_errors=True)
        warnings = _warnings(runs)
        undone = _print(built, seconds, progress) if asked.pdf else ()
        if asked.only is None:
            said = outcome(notebooks, handover, base.params.currency, warnings)
            _write_files(base, metrics, traced, seconds, said, handover, built)
            put_in_place(built, target)
            warnings += keep(target.parent, file.params.client)
            page, printed = target / "report.html", target / _PDF
        else:
            page = _place_chapter(built, target, chapters[0])
            printed = page.with_suffix(".pdf")
    pdf = printed if asked.pdf and not undone else None
    return Made(page, metrics, warnings, seconds, pdf, undone, finding(notebooks))


def injected(file: ClientFile) -> dict[str, Any]:
    """The parameters that a client's chapters are run with.

    The client file's own, its files by absolute path: the executed notebooks can be opened and run
    again from wherever they lie. What `${NAME}` stands for isn't filled in.
    """
    parameters = file.params.as_parameters()
    source = file.params.source
    entries = [source] if isinstance(source, str) else list(source)
    own = [e for e in entries if "://" in e or "${" in e or e.startswith("builtin:")]
    if isinstance(source, str) and "://" in source:
        parameters["source"] = from_anywhere(source, file.folder)
    if not own:
        parameters["source"] = [str(f.resolve()) for f in resolve_files(source, file.folder)]
    return parameters


def _prepare(file: ClientFile, handover: Path) -> Base:
    """Read the data once, for all chapters."""
    params = file.params.model_copy(update={"source": injected(file)["source"]})
    base = read_base(params, file.folder)
    gate.refuse(base, file.folder)
    prepare(base, handover)
    return base


def _execute(
    templates: Sequence[Path],
    built: Path,
    base: Base,
    handover: Path,
    reports: Path,
    *,
    progress: Steps,
    timeout: int | None,
    workers: int,
    seconds: dict[str, float],
) -> list[ChapterRun]:
    """The chapters, some at once, in reading order; the forecast is made meanwhile.

    Raises
    ------
    RetentionError
        The sentences of every chapter that failed.
    """
    for name in ("notebooks", "logs"):
        (built / name).mkdir()

    def run(template: Path) -> ChapterRun | RetentionError:
        name = template.stem
        progress.step(name, 0)
        try:
            done = execute_chapter(
                template,
                built / "notebooks" / template.name,
                parameters,
                cwd=Path.cwd(),
                timeout=timeout,
                on_cell=lambda cell, cells: progress.step(name, cell, cells),
                log=built / "logs" / f"{name}.log",
            )
        except RetentionError as error:
            return error
        progress.finished(name, done.seconds)
        return done

    parameters = base.params.as_parameters()
    waiting = [t for t in templates if t.stem in WITH_FORECAST]
    with ThreadPoolExecutor(max_workers=workers) as pool:
        at_work = {t: pool.submit(run, t) for t in templates if t not in waiting}
        if waiting:
            with _timed("forecast", seconds, progress):
                prepare_forecast(base, handover, reports)
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
    (built / "report.html").write_text(render(document), encoding="utf-8")


def _print(built: Path, seconds: dict[str, float], progress: Steps) -> tuple[str, ...]:
    """Print the report beside its HTML; sentences where that can't be done."""
    with _timed("pdf", seconds, progress):
        try:
            print_pdf(built / "report.html", built / _PDF, find_browser())
        except PdfError as error:
            return error.sentences
    return ()


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
    _write_json(built / "metrics.json", figures)
    _write_json(built / "run.json", {**provenance(base, seconds, now()), **said})
    for made in sorted((handover / OUTPUT).glob("*")):
        shutil.move(made, built / made.name)


def _tell_failed(
    file: ClientFile, folder: Path, sentences: Sequence[str], only: str | None = None
) -> None:
    """Say why a run failed, for the page of all clients, beside what it left."""
    _write_json(folder / "run.json", failed_run(file.params, sentences, folder, only))


def _write_json(path: Path, value: Any) -> None:
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _place_chapter(built: Path, target: Path, chapter: str) -> Path:
    """Put one chapter's page and notebook beside the place of the whole report."""
    page = target.with_name(f"{target.name}-{chapter}.html")
    page.with_suffix(".pdf").unlink(missing_ok=True)  # an earlier page's
    (built / "report.html").replace(page)
    (built / "notebooks" / f"{chapter}.ipynb").replace(page.with_suffix(".ipynb"))
    if (built / _PDF).exists():
        (built / _PDF).replace(page.with_suffix(".pdf"))
    return page


def _warnings(runs: Sequence[ChapterRun]) -> tuple[str, ...]:
    return tuple(f"{run.chapter}, {warning}" for run in runs for warning in run.warnings)


def _log(built: Path, error: RetentionError) -> str:
    """The chapters' logs in one, the sentences at the end."""
    parts = []
    for log in sorted((built / "logs").glob("*.log")):
        parts.append(f"== {log.stem}\n{log.read_text(encoding='utf-8', errors='replace')}")
        log.unlink()
    if (built / "logs").exists():
        (built / "logs").rmdir()
    return "\n".join([*parts, *error.sentences]) + "\n"


@contextmanager
def _timed(name: str, seconds: dict[str, float], progress: Steps) -> Iterator[None]:
    began = time.perf_counter()
    progress.step(name, 0)
    yield
    seconds[name] = time.perf_counter() - began
    progress.finished(name, seconds[name])


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
