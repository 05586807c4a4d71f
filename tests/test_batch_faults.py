"""Faults made for real: whatever ends a client's run, a reader finds whole reports, and the others
get theirs.

Killed processes, hung steps, full disks, other runs, broken clients: the reports are tiny (`tiny`),
the processes, files, locks and signals are the real ones.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import multiprocessing
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import tiny
import typer
from rich.console import Console

from retention_lib import cli
from retention_lib.params import read_client_file
from retention_lib.run import isolated as watching
from retention_lib.run import server
from retention_lib.run.batch import Batch
from retention_lib.run.command import Asked, several
from retention_lib.run.forked import ForkedProcess
from retention_lib.run.isolated import isolated
from retention_lib.run.job import Job, Result
from retention_lib.run.lock import held
from retention_lib.run.output import LOCK
from retention_lib.run.safely import make_safely
from retention_lib.run.server import KernelServer, can_fork

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not can_fork(), reason="clients' runs aren't forked on this system"),
]

#: On the way to a change a part will do; all of it where everything is to be tested.
EVERYTHING = os.environ.get("RETENTION_TEST_EVERYTHING") == "1"
KILLS, COMMANDS, GOOD = (40, 10, 90) if EVERYTHING else (10, 3, 20)

COMMAND = (sys.executable, "-m", "retention_lib.cli", "report")


@pytest.fixture(scope="module", autouse=True)
def forks() -> Iterator[KernelServer]:
    """One server for the file, with all that runs need loaded."""
    with KernelServer(runs=True) as started:
        before = server._default.get(os.getpid())
        server._default[os.getpid()] = started
        yield started
        del server._default[os.getpid()]
        if before is not None:
            server._default[os.getpid()] = before


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny project, in whose folder the test runs."""
    folder = tiny.project(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files of the test's own; with a short name, since sockets go there."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder)


class Watch:
    """Lets a run work, and does something at one of the moments that it tells."""

    def __init__(self, at: int = 0, then: Callable[[], None] = lambda: None) -> None:
        self.stopping = threading.Event()
        self.at = at
        self.then = then
        self.told = 0
        self._doing: threading.Thread | None = None

    def _count(self) -> None:
        self.told += 1
        if self.told == self.at:
            self._doing = threading.Thread(target=self.then)
            self._doing.start()

    def done(self) -> None:
        """Wait until what was to be done is done: it is meant for this run, not for the next."""
        if self._doing:
            self._doing.join()

    def step(self, job: Job, name: str, done: int, total: int | None) -> None:
        self._count()

    def finished(self, job: Job, name: str, seconds: float) -> None:
        self._count()

    def ask(self, job: Job, grant: Callable[[], None]) -> None:
        grant()

    def give_back(self, job: Job) -> None:
        pass

    def ended(self, job: Job) -> None:
        pass


class Nobody:
    """An audience that looks away."""

    def began(self, job: Job, why: str) -> None:
        pass

    def step(self, job: Job, name: str, done: int, total: int | None) -> None:
        pass

    def finished(self, job: Job, name: str, seconds: float) -> None:
        pass

    def ended(self, job: Job, result: Result) -> None:
        pass


def batch(*jobs: Job, at_once: int = 2, force: bool = True) -> dict[str, Result]:
    return {r.client: r for r in Batch(jobs, Nobody(), at_once, force=force).run()}


def children(pid: int | None) -> set[int]:
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def at_work_in(folder: Path) -> set[int]:
    """The processes whose working folder is this one, besides our own."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink() == folder and process.name != str(os.getpid()):
                state = (process / "stat").read_text().rpartition(")")[2].split()[0]
                found |= {int(process.name)} if state != "Z" else set()
    return found


def until(happens: Callable[[], object], seconds: float = 60.0) -> float:
    """Wait until something is so; the seconds that it took."""
    began = time.monotonic()
    while not happens():
        assert time.monotonic() - began < seconds, "it never happened"
        time.sleep(0.01)
    return time.monotonic() - began


def first_of(processes: set[int]) -> int:
    """The process that began first, whatever its number: numbers begin again at some point."""

    def began(pid: int) -> float:
        try:
            return psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            return float("inf")

    return min(processes, key=began)


def contents(folder: Path) -> dict[str, bytes]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def figures_of(data: Path) -> dict[str, float]:
    """What the chapters of a tiny client publish, from its orders."""
    rows = [line.split(",") for line in data.read_text().split()[1:]]
    net = round(sum(float(row[2]) for row in rows), 2)
    return {"customers.total": float(len({row[0] for row in rows})), "revenue.net": net}


# Crash points ----------------------------------------------------------------------------------


def test_a_run_that_ends_at_any_step_leaves_whole_reports_and_can_be_made_up_for(
    tmp_path: Path,
) -> None:
    script = Path(__file__).with_name("crash_points.py")
    temporary = tmp_path / "temporary"  # where what ended leaves what it had there
    temporary.mkdir()
    tried = subprocess.run(
        [sys.executable, "-Xfrozen_modules=off", script, tmp_path],
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
    )
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert int(re.findall(r"(\d+) points", tried.stdout)[0]) >= 40, tried.stdout


# Killed ----------------------------------------------------------------------------------------


def test_killed_at_random_moments(project: Path, temporary: Path, forks: KernelServer) -> None:
    draw = random.Random(7)
    reports = project / "reports"
    ours = reports / "acme"
    assert isolated(tiny.job(tiny.client(project, as_of=tiny.EARLIER), reports)).outcome == "made"
    job = tiny.job(tiny.client(project), reports)
    watch = Watch()
    assert isolated(job, watch).outcome == "made"
    wanted = tiny.settled(ours)
    moments, killed, seed = watch.told, 0, 0
    while killed < KILLS:
        if killed % 5 == 0:
            before, seed = wanted, seed + 1
            job = tiny.job(tiny.client(project, seed=seed), reports)
            new = figures_of(project / "params" / "acme.csv")
        waited = draw.uniform(0, 0.1)
        # a third of the moments at the very end, where the report comes to its place
        at = moments if draw.random() < 1 / 3 else draw.randint(1, moments)
        others = children(forks.pid)

        def kill() -> None:
            time.sleep(waited)  # noqa: B023
            ours_now = children(forks.pid) - others  # noqa: B023
            if ours_now:  # its kernels came later
                with contextlib.suppress(ProcessLookupError):
                    os.kill(first_of(ours_now), signal.SIGKILL)

        watch = Watch(at, kill)
        result = isolated(job, watch)
        watch.done()
        until(lambda: children(forks.pid) <= others)  # noqa: B023
        found = tiny.days(ours)
        kept = tiny.kept(ours)
        assert {*found} == {*before} == {*kept}
        assert found[tiny.EARLIER] == before[tiny.EARLIER]
        assert tiny.values(found[tiny.AS_OF]) in (tiny.values(before[tiny.AS_OF]), new)
        assert kept[tiny.AS_OF] in (tiny.values(before[tiny.AS_OF]), new)
        if result.outcome == "made":  # it was done before
            assert tiny.values(tiny.settled(ours)[tiny.AS_OF]) == new
        else:
            killed += 1
            assert result.exit_code == 1
            assert "acme: the run's process was killed" in result.sentences[0]
            log = Path(result.sentences[1].partition("the log is ")[2])
            assert "was killed" in log.read_text()
            assert "was killed" in json.loads(log.with_name("run.json").read_text())["failed"][0]
        if killed % 5 == 0:
            again = isolated(job)
            assert again.outcome == "made", again
            wanted = tiny.settled(ours)
            assert tiny.values(wanted[tiny.AS_OF]) == new
    assert [p.name for p in temporary.iterdir()] == []


def test_a_command_killed_with_all_it_started_leaves_nothing_at_work(
    project: Path, temporary: Path
) -> None:
    draw = random.Random(11)
    reports = project / "reports"
    clients = ("one", "two", "three")
    files = [tiny.client(project, name) for name in clients]
    result = batch(*(tiny.job(file, reports) for file in files))
    assert {r.outcome for r in result.values()} == {"made"}
    for round_ in range(COMMANDS):
        files = [tiny.client(project, name, seed=1 + round_) for name in clients]
        before = {name: tiny.days(reports / name)[tiny.AS_OF] for name in clients}
        command = subprocess.Popen(
            [*COMMAND, *files, "--jobs", "2"],
            cwd=project,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if round_ % 3:  # else before anything of a client's is done
            until(lambda: list(reports.glob("*/.building-*")))
        time.sleep(draw.uniform(0, 2))
        os.killpg(command.pid, signal.SIGKILL)
        command.wait()
        until(lambda: not at_work_in(project), 10)
        for name in clients:
            known = tiny.values(before[name]), figures_of(project / "params" / f"{name}.csv")
            assert tiny.values(tiny.days(reports / name)[tiny.AS_OF]) in known
            assert tiny.kept(reports / name)[tiny.AS_OF] in known
    for lock in temporary.glob("*.lock"):  # as if a minute had passed
        os.utime(lock, (time.time() - 120,) * 2)
    again = batch(*(tiny.job(file, reports) for file in files), force=False)
    assert {r.outcome for r in again.values()} <= {"made", "unchanged"}
    for name in clients:
        found = tiny.settled(reports / name)[tiny.AS_OF]
        assert tiny.values(found) == figures_of(project / "params" / f"{name}.csv")
    assert [p.name for p in temporary.iterdir()] == []


# Broken clients --------------------------------------------------------------------------------

#: Client → what its chapter does, and a piece of the sentence that tells it.
CELLS = {
    "raises": ("raise ValueError('not today')", "stopped at cell [3] with ValueError: not today"),
    "kernel-dies": ("import os; os.kill(os.getpid(), 9)", "DeadKernelError: The kernel died"),
    "hangs": ("import time; time.sleep(600)", "TimeoutError: The chapter took longer than"),
    "dies": (
        "import os; os.kill(int(os.environ['JPY_PARENT_PID']), 9)",
        "the run's process was killed",
    ),
    "no-memory": (
        "import resource\n"
        "held = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (held + 2**27,) * 2)\n"
        "bytearray(2**30)",
        "MemoryError",
    ),
}


def test_ten_broken_among_a_hundred_cost_the_others_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = project / "reports"
    params = project / "params"
    told = {name: sentence for name, (_, sentence) in CELLS.items()}
    files = {name: tiny.client(project, name, asked=asked) for name, (asked, _) in CELLS.items()}
    files["no-file"] = tiny.client(project, "no-file", source="nowhere.csv")
    told["no-file"] = "nowhere.csv"
    files["no-data"] = tiny.client(project, "no-data")
    (params / "no-data.csv").write_text("id,day,sum\n1,soon,10\n")
    told["no-data"] = "no row can be used"
    files["held"] = tiny.client(project, "held")
    told["held"] = "its report is being made by another run"
    # each of these has a good report already
    good = f"good-{0:02}"
    assert isolated(tiny.job(tiny.client(project, good), reports)).outcome == "made"
    for name in files:
        shutil.copytree(reports / good / tiny.AS_OF, reports / name / tiny.AS_OF)
    last_good = contents(reports / good / tiny.AS_OF)
    files["no-folder"] = tiny.client(project, "no-folder")
    (reports / "no-folder").write_text("a file")
    told["no-folder"] = "the report can't be written there"
    files["no-yaml"] = tiny.client(project, "no-yaml")
    files["no-yaml"].write_text("client: [")
    told["no-yaml"] = "no-yaml.yaml"
    made = [f"good-{n:02}" for n in range(GOOD)]
    order = [*files.values(), *(tiny.client(project, name) for name in made)]
    random.Random(3).shuffle(order)
    alone = {
        name: make_safely(tiny.job(params / f"{name}.yaml", project / "alone"))
        for name in made[7:9]
    }

    with held(reports / "held" / LOCK), pytest.raises(typer.Exit) as ended:
        cli.report(order, to=str(reports), jobs=2, timeout=25, force=True)

    assert ended.value.exit_code == 1
    said, wrong = capsys.readouterr()
    assert f"{GOOD} made, 10 failed" in said
    assert "Traceback" not in said + wrong
    for name, sentence in told.items():
        mine = [s for s in wrong.splitlines() if re.match(rf"\s+{name}(?![\w-])", s)]
        assert sentence in mine[0], (name, mine, wrong)
        assert len(mine) <= 2, mine  # beside the sentence, where the log is
        if name not in ("no-folder", "no-yaml"):
            assert contents(reports / name / tiny.AS_OF) == last_good
    for name, failed in {**dict.fromkeys(CELLS, tiny.AS_OF), "no-data": "data"}.items():
        left = reports / name / f"{failed}.failed"
        assert told[name] in (left / "run.log").read_text(), name
        assert told[name] in json.loads((left / "run.json").read_text())["failed"][0]
        if name in CELLS and name != "dies":
            notebook = json.loads((left / "notebooks" / "03_cltv.ipynb").read_text())
            assert notebook["metadata"]["papermill"]["exception"] is True
    for name in made:
        found = tiny.settled(reports / name)
        assert tiny.values(found[tiny.AS_OF]) == figures_of(params / f"{name}.csv")
    for name, result in alone.items():
        assert result.report is not None
        ours, theirs = (
            (folder / "metrics.json").read_bytes()
            for folder in (result.report.parent, reports / name / tiny.AS_OF)
        )
        assert ours == theirs


# Hangs -----------------------------------------------------------------------------------------


def test_a_source_that_never_answers_is_ended(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = project / "reports"
    assert isolated(tiny.job(tiny.client(project), reports)).outcome == "made"
    before = contents(reports / "acme" / tiny.AS_OF)
    monkeypatch.setattr(watching, "GRACE", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes calls, says nothing
        source = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/shop"
        file = tiny.client(project, source=source, table="orders")
        began = time.monotonic()
        result = batch(tiny.job(file, reports, timeout=2), force=False)["acme"]
        spent = time.monotonic() - began
    assert result.sentences[0] == (
        "acme: the step data took longer than 2 seconds and was ended; give it more time with "
        "--timeout, or look what it waits for"
    )
    assert (result.outcome, result.exit_code) == ("failed", 1)
    assert spent < 30
    assert contents(reports / "acme" / tiny.AS_OF) == before
    until(lambda: not at_work_in(project))


def test_a_process_that_does_nothing_any_more_is_ended(
    project: Path, forks: KernelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "GRACE", 1.0)
    others = children(forks.pid)

    def freeze() -> None:
        os.kill(min(children(forks.pid) - others), signal.SIGSTOP)

    job = tiny.job(tiny.client(project), project / "reports", timeout=4)
    result = isolated(job, Watch(2, freeze))
    assert result.outcome == "failed"
    told = r"acme: (the step \w+ took longer than|the run did nothing for) 4 seconds and was ended"
    assert re.match(told, result.sentences[0]), result
    until(lambda: children(forks.pid) <= others)


# A full disk -----------------------------------------------------------------------------------


def _mount(folder: Path, size: int) -> bool:
    folder.mkdir()
    made = ctypes.CDLL(None).mount(
        b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={size}".encode()
    )
    return made == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    folder = tmp_path / "disk"
    if not _mount(folder, 4 << 20):
        pytest.skip("this user can't mount a small disk")
    yield folder
    ctypes.CDLL(None).umount2(os.fsencode(folder), 2)


def test_a_full_disk_is_told_and_leaves_the_last_good_report(
    project: Path, small_disk: Path, temporary: Path
) -> None:
    draw = random.Random(5)
    reports = small_disk / "reports"
    ours = reports / "acme"
    job = tiny.job(tiny.client(project), reports)
    assert isolated(job).outcome == "made"
    needed = sum(p.stat().st_size for p in ours.rglob("*") if p.is_file())
    filler = small_disk / "filler"
    failed = 0
    made = [tiny.values(tiny.days(ours)[tiny.AS_OF])]
    for seed in range(1, 9):
        before = tiny.days(ours)
        tiny.client(project, seed=seed)
        room = shutil.disk_usage(small_disk).free - draw.randint(0, needed)
        filler.write_bytes(bytes(room))
        result = isolated(job)
        new = figures_of(project / "params" / "acme.csv")
        found, kept = tiny.days(ours), tiny.kept(ours)
        assert {*found} == {*kept} == {tiny.AS_OF}
        made += [new] if result.outcome == "made" else []
        assert kept[tiny.AS_OF] in made  # an earlier one's where there was no room for the history
        if result.outcome == "failed":
            failed += 1
            assert found == before
            assert "No space left on device" in result.sentences[0], result
            assert "make room" in result.sentences[0]
        else:  # there was room, or none for the history
            assert tiny.values(found[tiny.AS_OF]) == new
        filler.unlink()
        if seed % 4 == 0:
            assert isolated(job).outcome == "made"
            assert tiny.values(tiny.settled(ours)[tiny.AS_OF]) == new
            made.append(new)
    assert failed >= 4


def test_no_room_for_temporary_files_is_told(
    project: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free - 8192))
    result = isolated(tiny.job(tiny.client(project), project / "reports"))
    assert result.outcome == "failed"
    assert "No space left on device" in result.sentences[0], result
    assert "make room" in result.sentences[0]
    assert len(result.sentences) <= 2
    assert not tiny.days(project / "reports" / "acme")


def test_files_that_may_not_grow_are_told(project: Path, forks: KernelServer) -> None:
    """As by a full disk, where nobody may mount one: the run's files can't exceed a size."""
    draw = random.Random(9)
    reports = project / "reports"
    ours = reports / "acme"
    job = tiny.job(tiny.client(project), reports)
    assert isolated(job).outcome == "made"
    before = tiny.settled(ours)
    others = children(forks.pid)
    largest = max(p.stat().st_size for p in (ours / tiny.AS_OF).rglob("*") if p.is_file())
    failed = 0
    for seed in range(1, 7):
        tiny.client(project, seed=seed)
        size = draw.randint(0, largest)

        def limit() -> None:
            run = min(children(forks.pid) - others)
            resource.prlimit(run, resource.RLIMIT_FSIZE, (size, size))  # noqa: B023

        result = isolated(job, Watch(1, limit))
        assert tiny.days(ours)[tiny.AS_OF].keys() == before[tiny.AS_OF].keys()
        tiny.kept(ours)
        if result.outcome == "failed":
            failed += 1
            assert tiny.days(ours) == before
            assert "File too large" in result.sentences[0], result
        else:
            before = tiny.days(ours)
    assert failed >= 4
    assert isolated(job).outcome == "made"
    found = tiny.settled(ours)
    assert tiny.values(found[tiny.AS_OF]) == figures_of(project / "params" / "acme.csv")


# Several runs at once --------------------------------------------------------------------------


def test_of_two_runs_of_a_client_one_refuses(project: Path) -> None:
    go = project / "go"
    asked = f"import time, os\nwhile not os.path.exists({str(go)!r}): time.sleep(0.05)"
    job = tiny.job(tiny.client(project, asked=asked), project / "reports")
    with ThreadPoolExecutor() as pool:
        first = pool.submit(isolated, job)
        until(lambda: list((project / "reports" / "acme").glob(".building-*/notebooks")))
        second, third = isolated(job), make_safely(job)
        go.touch()
        assert first.result().outcome == "made"
    for refused in (second, third):
        assert (refused.outcome, refused.exit_code) == ("failed", 1)
        (sentence,) = refused.sentences
        assert re.fullmatch(
            r"acme: its report is being made by another run \(process \d+ on \S+\); "
            "wait until it is done, or end it",
            sentence,
        )
    tiny.settled(project / "reports" / "acme")


def test_many_runs_over_the_same_clients_at_once(project: Path) -> None:
    reports = project / "reports"
    names = [f"client-{n}" for n in range(5)]
    draw = random.Random(13)

    def command(files: list[Path]) -> tuple[int, str]:
        wrong = io.StringIO()
        read = [read_client_file(file) for file in files]
        asked = Asked(str(reports), jobs=2)
        return several(read, [], asked, Console(file=io.StringIO()), Console(file=wrong)), (
            wrong.getvalue()
        )

    for seed in range(3):
        files = [tiny.client(project, name, seed=seed) for name in names]
        with ThreadPoolExecutor(4) as pool:
            orders = [draw.sample(files, len(files)) for _ in range(4)]
            ended = list(pool.map(command, orders))
        for code, wrong in ended:
            refusals = re.findall(r"its report\s+is\s+being\s+made\s+by\s+another\s+run", wrong)
            assert code == bool(refusals), wrong
            assert "error" not in wrong.lower()
        for name in names:
            found = tiny.settled(reports / name)
            assert tiny.values(found[tiny.AS_OF]) == figures_of(project / "params" / f"{name}.csv")
    assert all(name in (reports / "index.html").read_text() for name in names)


# Stopped ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_batch_that_is_stopped_ends_at_once_and_keeps_what_was_finished(
    project: Path, temporary: Path, number: signal.Signals
) -> None:
    reports = project / "reports"
    files = [tiny.client(project, "a-quick")]
    files += [
        tiny.client(project, f"hangs-{n}", asked="import time; time.sleep(600)") for n in "12"
    ]
    files += [tiny.client(project, "z-waits")]
    with subprocess.Popen(
        [*COMMAND, *files, "--jobs", "2"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as command:
        hanging = "hangs-*/.building-*/notebooks/02_retention.ipynb"
        until(lambda: len(list(reports.glob(hanging))) == 2)
        os.kill(command.pid, number)
        # two seconds are promised; a machine that does much else may take far longer, and what
        # hangs would take ten minutes
        spent = until(lambda: command.poll() is not None, 120)
        said, wrong = command.communicate()
    assert command.returncode == 130, wrong
    until(lambda: not at_work_in(project), 60)
    assert "Traceback" not in said + wrong
    assert "1 made, 2 stopped, 1 not begun" in said, said
    assert re.search(r"hangs-1 .*stopped", said)
    tiny.settled(reports / "a-quick")
    for name in ("hangs-1", "hangs-2"):
        assert {p.name for p in (reports / name).iterdir()} <= tiny.BESIDE, spent
    assert [p.name for p in temporary.iterdir()] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_lone_client_that_is_stopped_ends_at_once(
    project: Path, temporary: Path, number: signal.Signals
) -> None:
    reports = project / "reports"
    file = tiny.client(project, asked="import time; time.sleep(600)")
    with subprocess.Popen(
        [*COMMAND, file],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as command:
        until(lambda: list(reports.glob("*/.building-*/notebooks/02_retention.ipynb")))
        os.kill(command.pid, number)
        until(lambda: command.poll() is not None, 120)
        said, wrong = command.communicate()
    assert command.returncode == 130, wrong
    assert "Traceback" not in said + wrong
    until(lambda: not at_work_in(project), 60)
    assert {p.name for p in (reports / "acme").iterdir()} <= tiny.BESIDE
    assert [p.name for p in temporary.iterdir()] == []


def test_what_the_server_has_yet_to_fork_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as asked:
        listener.bind(str(tmp_path / "server"))
        listener.listen()
        asked.connect(str(tmp_path / "server"))
        asked.setblocking(False)
        ours, theirs = multiprocessing.Pipe()
        monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("it waits"))
        watching._Forked(ours, ForkedProcess(asked)).end()
        assert theirs.poll()
        with pytest.raises(EOFError):
            theirs.recv()


# Leaks -----------------------------------------------------------------------------------------

PLANT = """
import builtins, locale, os, tempfile, warnings
from pathlib import Path
import matplotlib, numpy, pandas
import retention_lib.params, retention_lib.report.language

matplotlib.rcParams["figure.dpi"] = 7
pandas.set_option("display.max_rows", 7)
os.environ["PLANTED"] = "yes"
for place in (builtins, pandas, retention_lib.params, retention_lib.report.language.Formats):
    place.planted = True
numpy.random.seed(1)
warnings.simplefilter("ignore")
os.umask(0o77)
Path(tempfile.gettempdir(), "planted.txt").touch()
Path("planted.txt").write_text("by a relative path")
if (folder := output_folder()) is not None:
    (folder.parent / "planted.txt").touch()
"""
LOOK = """
import builtins, os, sys, tempfile
from pathlib import Path
import matplotlib, pandas
import retention_lib.params, retention_lib.report.language

places = (builtins, pandas, retention_lib.params, retention_lib.report.language.Formats)
mask = os.umask(0o22)
found = [
    *(["rcParams"] if matplotlib.rcParams["figure.dpi"] == 7 else []),
    *(["options"] if pandas.get_option("display.max_rows") == 7 else []),
    *(["environment"] if "PLANTED" in os.environ else []),
    *[str(place) for place in places if hasattr(place, "planted")],
    *(["mask"] if mask == 0o77 else []),
    *map(str, Path(tempfile.gettempdir()).rglob("planted.txt")),
    *map(str, Path(os.environ["RETENTION_RUN"]).rglob("planted.txt")),
    *[name for name, value in os.environ.items() if "plants" in value],
    *(["names"] if "planted" in globals() else []),
    *map(str, Path().glob("planted.txt")),
    # what lies in the project can be read from the working folder, by the same paths as in it
    *([] if Path("params").is_dir() and Path("notebooks").is_dir() else ["no project"]),
]
if found:
    raise AssertionError(", ".join(found))
"""
HANDED = "from retention_lib.data.handover import output_folder\n"


@pytest.mark.parametrize("jobs", [1, 2])
def test_nothing_passes_from_one_client_to_the_next(
    project: Path, temporary: Path, jobs: int
) -> None:
    names = ["plants", *(f"looks-{n}" for n in range(1 + jobs))]
    asked = dict.fromkeys(names, LOOK) | {"plants": HANDED + PLANT}
    orders = [
        tiny.job(tiny.client(project, name, asked=asked[name]), project / "reports")
        for name in names
    ]
    for _ in range(2):  # the second time what planted may have left is long there
        results = batch(*orders, at_once=jobs)
        assert {name: r.sentences for name, r in results.items()} == dict.fromkeys(names, ())
    assert [p.name for p in temporary.iterdir()] == []
