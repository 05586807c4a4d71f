"""Clients elsewhere: on a real Dask cluster of two workers, or any other executor."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import tiny

from retention_lib.data import history
from retention_lib.run import executors
from retention_lib.run.batch import Batch
from retention_lib.run.executors import executor_at
from retention_lib.run.isolated import isolated
from retention_lib.run.job import Job, Result

BIN = Path(sys.executable).parent
KEY = "RETENTION_PSEUDONYM_KEY"
#: For a chapter that takes a while.
SLOW = "import time\ntime.sleep(2)"
#: A day with a report before that of `tiny.AS_OF`.
EARLIER = "2025-09-20"
CLIENTS = ("anna", "bert", "cleo", "dora")


@dataclass
class Cluster:
    """A scheduler and its workers, each a process started in a folder of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    address: str = ""

    def scheduler(self) -> None:
        file = self.folder / "scheduler.json"
        self._start("scheduler", "--port", "0", "--scheduler-file", str(file), "--no-show")
        self.address = wait_for(lambda: _json(file))["address"].replace("tcp://", "dask://")

    def worker(self, **environment: str) -> subprocess.Popen[bytes]:
        words = ("--no-nanny", "--nthreads", "1", "--memory-limit", "0")
        address = self.address.replace("dask://", "tcp://")
        return self._start(
            *("worker", address, *words, "--local-directory", str(self.folder)), **environment
        )

    def end(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        home = self.folder / f"{words[0]}{len(self.processes)}"
        home.mkdir()
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [BIN / "dask", *words, "--host", "127.0.0.1", "--no-dashboard"],
                cwd=home,
                env={**os.environ, **self.environment, "TMPDIR": str(home), **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process


def _json(file: Path) -> Any:
    with contextlib.suppress(OSError, ValueError):
        return json.loads(file.read_text())
    return None


def wait_for(found: Callable[[], Any], seconds: float = 240) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if thing := found():
            return thing
        time.sleep(0.02)
    raise AssertionError("it didn't come")


@pytest.fixture(scope="module")
def key() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY, "a key that every machine has")
        yield


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, key: None) -> Iterator[Cluster]:
    with started(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@contextlib.contextmanager
def started(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    cluster = Cluster(folder)
    try:
        cluster.scheduler()
        for _ in range(workers):
            cluster.worker()
        yield cluster
    finally:
        cluster.end()


def project(folder: Path, clients: Sequence[str] = CLIENTS, **keys: Any) -> Path:
    made = tiny.project(folder)
    for client in clients:
        tiny.client(made, client, **keys)
    return made


@contextlib.contextmanager
def command(project: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [BIN / "retention", "report", *sorted(map(str, files(project))), *words],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def files(project: Path) -> list[Path]:
    return [file.relative_to(project) for file in (project / "params").glob("*.yaml")]


def run(project: Path, *words: str) -> tuple[int, str, str]:
    with command(project, *words) as process:
        told, complained = process.communicate(timeout=300)
    return process.returncode, told, complained


def figures(reports: Path) -> dict[str, Any]:
    return {
        str(file.relative_to(reports)): json.loads(file.read_text())
        for file in reports.glob("*/*/metrics.json")
    }


def left(reports: Path) -> list[str]:
    """What a report's reader shouldn't find."""
    hidden = {".building-", ".replaced-"}
    found = [p.name for p in reports.glob("*/*")]
    return [n for n in found if n.endswith(".failed") or any(n.startswith(h) for h in hidden)]


def days(reports: Path, client: str) -> list[str]:
    rows = history.read(reports / client / history.FILE_NAME, client)
    return sorted({str(row) for row in rows["as_of"].astype(str)})


# On a Dask cluster -----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_cluster_makes_the_reports_that_this_machine_makes(
    tmp_path: Path, cluster: Cluster
) -> None:
    here = project(tmp_path / "project")
    assert run(here, "--out", "local")[0] == 0
    code, told, complained = run(here, "--out", "cluster", "--executor", cluster.address)
    assert (code, complained) == (0, "")
    assert "4 made in" in told
    made = figures(here / "cluster")
    assert len(made) == 4
    assert made == figures(here / "local")
    assert left(here / "cluster") == []
    page = (here / "cluster" / "index.html").read_text()
    assert all(client in page for client in CLIENTS)

    code, told, complained = run(here, "--out", "cluster", "--executor", cluster.address)
    assert (code, complained) == (0, "")
    assert "4 unchanged in" in told  # what a worker kept in mind is what this machine finds


@pytest.mark.slow
def test_a_client_that_fails_there_is_told_of_here(tmp_path: Path, cluster: Cluster) -> None:
    here = project(tmp_path / "project", ("anna", "bert"))
    tiny.client(here, "cleo", asked="raise ValueError('no such column')")
    tiny.client(here, "dora", source="nowhere.csv")
    (here / "params" / "emil.yaml").write_text("client: emil\n")
    code, told, complained = run(here, "--executor", cluster.address, "--jobs", "2")
    assert code == 1, complained
    assert "2 made, 3 failed in" in told
    assert "cleo: Chapter 03_cltv stopped at cell [3] with ValueError" in complained
    assert "dora: source: there is no file" in complained
    assert "emil.yaml" in complained
    assert sorted(left(here / "reports")) == [f"{tiny.AS_OF}.failed", "data.failed"]


@pytest.mark.slow
def test_ctrl_c_cancels_what_waits_for_a_worker(tmp_path: Path, cluster: Cluster) -> None:
    here = project(tmp_path / "project", [f"client{n:02}" for n in range(12)], asked=SLOW)
    with command(here, "--executor", cluster.address) as process:
        wait_for(lambda: process.poll() is not None or list(here.glob("reports/*/.building-*")))
        process.send_signal(signal.SIGINT)
        told, complained = process.communicate(timeout=60)
    assert process.returncode == 130, complained
    assert "not begun in" in told
    # what had begun comes to its end, and nothing more is begun
    wait_for(lambda: not list(here.glob("reports/*/.building-*")))
    time.sleep(2)
    assert not list(here.glob("reports/*/.building-*"))
    assert len(figures(here / "reports")) <= 4


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_no_report(tmp_path: Path, key: None) -> None:
    here = project(tmp_path / "project", as_of=EARLIER)
    assert run(here)[0] == 0
    for client in CLIENTS:
        tiny.client(here, client, asked=SLOW)
    with started(tmp_path) as cluster:
        victim = cluster.processes[1]
        with command(here, "--executor", cluster.address) as process:
            at_work = wait_for(lambda: process.poll() is not None or runs_of(victim.pid, here))
            victim.kill()
            told, complained = process.communicate(timeout=300)
    assert (process.returncode, complained) == (0, "")
    assert "4 made in" in told
    assert not any(psutil.pid_exists(pid) for pid in at_work)
    assert left(here / "reports") == []
    for client in CLIENTS:
        assert days(here / "reports", client) == [EARLIER, tiny.AS_OF]

    alone = project(tmp_path / "alone", as_of=EARLIER)
    assert run(alone)[0] == 0
    for client in CLIENTS:
        tiny.client(alone, client, asked=SLOW)
    assert run(alone)[0] == 0
    assert figures(alone / "reports") == figures(here / "reports")


def runs_of(worker: int, project: Path) -> list[int]:
    """The processes that make a client's report for a worker, once one builds it."""
    if not list(project.glob("reports/*/.building-*/notebooks/*.ipynb")):
        return []
    below = psutil.Process(worker).children(recursive=True)
    return [process.pid for process in below] if len(below) > 1 else []


@pytest.mark.slow
def test_workers_that_would_make_other_reports_are_refused(tmp_path: Path, key: None) -> None:
    here = project(tmp_path / "project", ("anna",))
    with started(tmp_path, workers=0) as cluster:
        code, _, complained = run(here, "--executor", cluster.address)
        assert code == 2
        assert "has no workers; start some with: dask worker tcp://127.0.0.1:" in complained

        one = cluster.worker(**{KEY: "a key that no other machine has"})
        code, _, complained = run(here, "--executor", cluster.address)
        assert code == 2
        assert "another key of pseudonyms than here" in complained
        one.terminate()
        one.wait()

        words = tmp_path / "catalogs" / "nb" / "LC_MESSAGES"
        words.mkdir(parents=True)
        (words / "retention.po").write_text("")
        cluster.worker(RETENTION_CATALOGS=str(tmp_path / "catalogs"))
        code, _, complained = run(here, "--executor", cluster.address)
        assert code == 2
        assert "another version of this program, of its libraries or of Python" in complained
    assert len(complained.splitlines()) == 1
    assert not (here / "reports").exists()


@pytest.mark.parametrize("address", ["spark://a:1", "dask://", "dask://a", "dask://a:1/b", "a:1"])
def test_an_address_that_is_none_is_a_sentence(tmp_path: Path, address: str) -> None:
    here = project(tmp_path, ("anna",))
    code, told, complained = run(here, "--executor", address)
    assert (code, told) == (2, "")
    assert complained == (
        f"--executor: {address} isn't an address that is known; a Dask scheduler's is "
        "dask://host:port\n"
    )
    assert not (here / "reports").exists()


def test_nobody_at_the_address_is_a_sentence(tmp_path: Path) -> None:
    here = project(tmp_path, ("anna",))
    code, told, complained = run(here, "--executor", "dask://127.0.0.1:1")
    assert (code, told) == (2, "")
    assert complained.startswith("--executor: no Dask scheduler answers at 127.0.0.1:1 (")
    assert complained.endswith("; start one with: dask scheduler\n")
    assert len(complained.splitlines()) == 1


def test_without_dask_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(executors.UsageError, match=r"pip install -e '.\[dask\]'") as error,
        executor_at("dask://127.0.0.1:8786"),
    ):
        pass
    assert error.value.exit_code == 2


# Other executors -------------------------------------------------------------------------------


class Heard:
    """An audience that keeps what it is told."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.results: list[Result] = []

    def began(self, job: Job, why: str) -> None:
        self.begun.append(job.client)

    def step(self, job: Job, name: str, done: int, total: int | None) -> None: ...

    def finished(self, job: Job, name: str, seconds: float) -> None: ...

    def ended(self, job: Job, result: Result) -> None:
        self.results.append(result)


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: None) -> list[Job]:
    here = project(tmp_path / "project", CLIENTS[:3])
    monkeypatch.chdir(here)
    return [tiny.job(file, Path("reports")) for file in sorted(files(here))]


def batch(jobs: Sequence[Job], executor: Executor, at_once: int = 3) -> tuple[Heard, list[Result]]:
    heard = Heard()
    return heard, list(Batch(jobs, heard, at_once, executor=executor).run())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_any_executor_will_do(jobs: list[Job], kind: str) -> None:
    context = multiprocessing.get_context("spawn")
    executor = (
        ThreadPoolExecutor(2) if kind == "threads" else ProcessPoolExecutor(2, mp_context=context)
    )
    with executor:
        heard, results = batch(jobs, executor)
    assert sorted((r.client, r.outcome) for r in results) == [(c, "made") for c in CLIENTS[:3]]
    assert heard.results == results
    assert len(figures(Path("reports"))) == 3
    assert left(Path("reports")) == []


@pytest.mark.slow
def test_a_job_and_its_result_can_be_sent(jobs: list[Job]) -> None:
    job = pickle.loads(pickle.dumps(replace(jobs[0], only="01_data")))
    assert job == replace(jobs[0], only="01_data")
    result = pickle.loads(pickle.dumps(isolated))(job)
    assert result.outcome == "made"
    assert pickle.loads(pickle.dumps(result)) == result


def test_a_worker_without_the_notebooks_says_so(jobs: list[Job], tmp_path: Path) -> None:
    result = isolated(replace(jobs[0], notebooks=tmp_path / "elsewhere" / "notebooks"))
    assert result.outcome == "failed"
    assert f"There are no notebooks in {tmp_path}/elsewhere/notebooks on " in result.sentences[0]


class Answering(Executor):
    """Answers each call at once, with what `answers` has for it."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[Job] = []
        self.futures: list[Future[Any]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.calls += args
        answer = self.answers.pop(0)
        future: Future[Any] = Future()
        self.futures.append(future)
        if answer is BrokenExecutor:
            raise BrokenExecutor("a child was terminated")
        if answer == "cancelled":
            future.cancel()
            future.set_running_or_notify_cancel()
        elif isinstance(answer, BaseException):
            future.set_exception(answer)
        elif answer is not None:
            future.set_result(answer)
        return future


def test_what_is_lost_on_the_way_is_a_failed_client(jobs: list[Job]) -> None:
    good = Result("cleo", "made")
    lost = BrokenExecutor("a worker died\nand left this")
    heard, results = batch(jobs, Answering(lost, BrokenExecutor, good))
    assert [(r.client, r.outcome, r.exit_code) for r in results] == [
        ("anna", "failed", 1),
        ("bert", "failed", 1),
        ("cleo", "made", 0),
    ]
    assert heard.results == results
    assert [r.sentences for r in results[:2]] == [
        ("anna: the run was lost (BrokenExecutor: a worker died); run it again",),
        ("bert: the run was lost (BrokenExecutor: a child was terminated); run it again",),
    ]
    assert "BrokenExecutor" in results[0].trace


def test_what_another_cancelled_was_not_begun_and_what_is_no_result_was_lost(
    jobs: list[Job],
) -> None:
    _, results = batch(jobs, Answering("cancelled", "what?", OSError()))
    assert [(r.outcome, r.sentences) for r in results] == [
        ("stopped", ("anna: not begun",)),
        ("failed", ("bert: the run was lost (TypeError: it gave a str); run it again",)),
        ("failed", ("cleo: the run was lost (OSError); run it again",)),
    ]


def test_who_stops_listening_cancels_what_is_queued(jobs: list[Job]) -> None:
    executor = Answering(Result("anna", "made"), None, None)
    listening = Batch(jobs, Heard(), 3, executor=executor).run()
    assert next(listening).client == "anna"
    listening.close()  # type: ignore[attr-defined]
    assert [future.cancelled() for future in executor.futures[1:]] == [True] * (
        len(executor.futures) - 1
    )


def test_no_more_are_handed_over_than_may_be_at_work_at_once(jobs: list[Job]) -> None:
    executor = Answering(None, None, None)
    heard = Heard()
    listening = Batch(jobs, heard, 1, executor=executor).run()
    with ThreadPoolExecutor(1) as other:
        first = other.submit(next, listening)
        wait_for(lambda: executor.futures)
        time.sleep(0.2)
        assert heard.begun == ["anna"]
        executor.futures[0].set_result(Result("anna", "made"))
        assert first.result(5).client == "anna"
        second = other.submit(next, listening)
        wait_for(lambda: len(executor.futures) == 2)
        executor.futures[1].set_result(Result("bert", "made"))
        assert second.result(5).client == "bert"


def test_a_job_that_is_sent_means_the_same_in_every_folder(jobs: list[Job]) -> None:
    executor = Answering(*[Result(job.client, "made") for job in jobs])
    batch(jobs, executor)
    for job in executor.calls:
        places = (job.file.path, job.reports, job.notebooks)
        assert all(place is not None and place.is_absolute() for place in places)
        assert job.patience > 0
