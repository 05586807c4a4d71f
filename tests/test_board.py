"""A batch as its user sees it: on a terminal, and where there is none."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import tiny
from rich.console import Console

from retention_lib.params import ClientFile, Params
from retention_lib.run.board import Board, counted
from retention_lib.run.job import Job, Outcome, Result
from retention_lib.run.pace import Pace, about, clock

INDEX = Path("reports/index.html")
HOSTILE = "\x1b[2J\x1b]0;mine\x07[red]Acme[/red] [link=x]\r\nAS \u202egpj.exe " + "w" * 200


def job(client: str, title: str | None = None, **asked: Any) -> Job:
    params = Params(client=client, currency="NOK", source="builtin:cdnow")
    params = params.model_copy(update={"title": title})  # a client file's would be refused
    return Job(ClientFile(params, Path(f"params/{client}.yaml")), Path("reports"), **asked)


def result(client: str, outcome: Outcome = "made", **about: Any) -> Result:
    report = Path(f"reports/{client}/2025-09-30/report.html")
    there = outcome in ("made", "unchanged")
    made = Result(client, outcome, 2.5, report=report if there else None)
    return replace(made, **about)


@dataclass
class Seen:
    """A board, and what is on its consoles."""

    board: Board
    printed: io.StringIO
    complained: io.StringIO

    def out(self) -> str:
        return self.printed.getvalue()

    def err(self) -> str:
        return self.complained.getvalue()

    def drawn(self) -> list[str]:
        """What is drawn at the foot of the terminal now."""
        console = Console(
            file=io.StringIO(), force_terminal=True, width=self.board.out.width, record=True
        )
        console.print(self.board._drawn())
        return [line.rstrip() for line in console.export_text().rstrip().splitlines()]


def terminal(*clients: str, width: int = 100, height: int = 30, **more: Any) -> Seen:
    """On a terminal: both consoles are the same one."""
    printed = io.StringIO()
    options: dict[str, Any] = {"force_terminal": True, "width": width, "height": height}
    out = Console(file=printed, highlight=False, soft_wrap=True, **options)
    err = Console(file=printed, highlight=False, soft_wrap=True, **options)
    return Seen(Board(out, err, clients, **more), printed, printed)


def plain(*clients: str, **more: Any) -> Seen:
    """Without a terminal: two files."""
    out, err = io.StringIO(), io.StringIO()
    consoles = [
        Console(file=file, highlight=False, soft_wrap=True, width=80) for file in (out, err)
    ]
    return Seen(Board(*consoles, clients, **more), out, err)


def text(printed: str) -> list[str]:
    """The lines of a terminal's output, without what steers it."""
    return [line.rstrip() for line in re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", printed).splitlines()]


# A line a client -------------------------------------------------------------------------------


def test_without_a_terminal_each_client_is_a_line_with_all_that_is_known() -> None:
    seen = plain("anna", "bert-and-sons", "cleo")
    with seen.board as board:
        board.began(job("anna"), "")
        board.ended(job("anna"), result("anna"))
        board.began(job("bert-and-sons"), "the data changed")
        board.ended(job("bert-and-sons"), result("bert-and-sons"))
        board.ended(job("cleo"), result("cleo", "unchanged", seconds=0.02))
    assert seen.out().splitlines() == [
        "✓ 1/3  anna              2.5 s  made  reports/anna/2025-09-30/report.html",
        "✓ 2/3  bert-and-sons     2.5 s  made (the data changed)  "
        "reports/bert-and-sons/2025-09-30/report.html",
        "= 3/3  cleo              0.0 s  unchanged  reports/cleo/2025-09-30/report.html",
    ]
    assert seen.err() == ""


def test_without_a_terminal_nothing_steers_one_and_no_line_is_broken() -> None:
    seen = plain("anna")
    sentence = f"anna: {'a long sentence ' * 20}"
    with seen.board as board:
        board.began(job("anna", HOSTILE), "")
        board.step(job("anna"), "01_data", 1, 9)
        board.ended(job("anna"), result("anna", "failed", sentences=(sentence, HOSTILE)))
        board.summary(INDEX)
    assert "\x1b" not in seen.out() + seen.err()
    assert "\x07" not in seen.err()
    assert "\u202e" not in seen.err()
    assert len(seen.err().splitlines()) == 2
    assert len(seen.out().splitlines()) == 1 + 3 + 3


def test_why_a_client_failed_stands_on_stderr_with_its_name() -> None:
    seen = plain("anna", "bert")
    with seen.board as board:
        board.began(job("anna"), "")
        told = ("source: there is no file a.csv", "anna: the log is x/run.log")
        board.ended(job("anna"), result("anna", "failed", sentences=told))
        board.began(job("bert"), "")
        found = {"warnings": ("the fit took long",), "undone": ("no browser",)}
        board.ended(job("bert"), result("bert", exit_code=1, **found))
    assert seen.err().splitlines() == [
        "    anna: source: there is no file a.csv",
        "    anna: the log is x/run.log",
        "    bert: the fit took long",
        "    bert: no browser",
    ]
    assert "✗ 1/2  anna     2.5 s  failed\n" in seen.out()


def test_on_a_terminal_the_sentences_stand_under_their_client() -> None:
    seen = terminal("anna", "bert", width=60)
    sentence = "Chapter 03_cltv stopped at cell [3] with ValueError: no [bold]such[/bold] column."
    with seen.board as board:
        board.began(job("anna"), "")
        told = (f"anna: {sentence}", "anna: the log is x/run.log")
        board.ended(job("anna"), result("anna", "failed", sentences=told))
        board.ended(job("bert"), result("bert", "unchanged"))
    lines = [line for line in text(seen.out()) if line and "clients" not in line]
    assert lines[0] == "✗ 1/2  anna     2.5 s  failed"
    assert lines[1:4] == [
        "    Chapter 03_cltv stopped at cell [3] with ValueError: no",
        "    [bold]such[/bold] column.",
        "    the log is x/run.log",
    ]
    assert not any("bert" in line for line in lines)  # it is in the summary


def test_where_the_errors_go_elsewhere_the_terminal_says_the_first_of_them() -> None:
    seen = terminal("anna")
    seen.board.err = Console(file=io.StringIO(), soft_wrap=True)
    with seen.board as board:
        board.began(job("anna"), "")
        told = ("source: there is no file a.csv", "another sentence")
        board.ended(job("anna"), result("anna", "failed", sentences=told))
    assert "failed: source: there is no file a.csv" in "\n".join(text(seen.out()))
    assert "another" not in seen.out()
    assert seen.board.err.file.getvalue().splitlines() == [  # type: ignore[attr-defined]
        "    anna: source: there is no file a.csv",
        "    anna: another sentence",
    ]


def test_what_was_found_stands_beside_the_client_as_far_as_there_is_room() -> None:
    for width in (30, 50, 100):
        seen = terminal("anna", width=width)
        with seen.board as board:
            board.began(job("anna"), "the data changed")
            board.ended(job("anna"), result("anna", finding="52 of 100 customers stayed. " * 9))
        assert "✓ 1/1  anna     2.5 s" in text(seen.out())[0]
        assert all(len(line) <= width for line in text(seen.out()))
        if width == 100:
            assert "the data changed  52 of 100 customers stayed." in text(seen.out())[0]


def test_signs_that_cannot_be_printed_are_other_signs() -> None:
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    board = Board(Console(file=narrow), Console(file=narrow), ("anna",))
    board.add(result("anna", "failed"))
    board.summary(INDEX)
    narrow.flush()
    assert b"x 1/1  anna" in narrow.buffer.getvalue()  # type: ignore[attr-defined]


# What is drawn ---------------------------------------------------------------------------------


def test_who_is_at_work_how_far_and_how_long_still() -> None:
    seen = terminal(*(f"client{n}" for n in range(10)))
    board = seen.board
    for n in range(2):
        board.began(job(f"client{n}"), "")
        board.step(job(f"client{n}"), "data", 0, None)
        board.ended(job(f"client{n}"), result(f"client{n}"))
    board.add(result("client9", "unchanged"))
    board._pace._began -= 20  # type: ignore[operator]
    board._began -= 20
    acme = job("client2", "Acme AS")
    board.began(acme, "")
    board.step(acme, "data", 0, None)
    board.finished(acme, "data", 0.3)
    board.step(acme, "02_retention", 14, 56)
    board.step(acme, "forecast", 0, None)
    board.began(job("client3", "Bakeri"), "")
    _, head, row, rest = seen.drawn()
    assert re.fullmatch(r"━+╸?╺?━* 3 of 10 clients, 1 unchanged   20 s, about \d0 s left", head)
    assert row.split()[:2] == ["Acme", "AS"]
    assert row.endswith("0 s  02_retention 14/56, forecast")
    assert rest == "  1 starting"


def test_what_failed_stays_in_sight_while_the_others_are_at_work() -> None:
    seen = terminal(*(f"client{n:03}" for n in range(100)))
    for n in range(40):
        seen.board.add(result(f"client{n:03}", "failed"))
    head, failures = seen.drawn()[1:3]
    assert "40 of 100 clients, 40 failed" in head
    assert failures.startswith("  ✗ client039, client038, ")
    assert failures.endswith("…")


def test_on_a_cluster_the_clients_that_wait_are_a_number() -> None:
    seen = terminal(*(f"client{n:03}" for n in range(100)), elsewhere="dask://10.0.0.7:8786")
    for n in range(100):
        seen.board.began(job(f"client{n:03}"), "")
    assert seen.drawn()[-1] == "  100 with dask://10.0.0.7:8786"


@pytest.mark.parametrize("width", [20, 40, 59, 60, 80, 100, 200])
def test_what_is_drawn_never_leaves_the_terminal(width: int) -> None:
    seen = terminal(*(f"client{n:03}" for n in range(100)), width=width, height=20)
    for n in range(64):
        one = job(f"client{n:03}", HOSTILE if n % 2 else "日本の店" * 20)
        seen.board.began(one, "")
        for chapter in ("01_data", "02_retention", "03_cltv", "forecast"):
            seen.board.step(one, chapter, 10, 99)
    seen.board.add(result("client099", "failed"))
    drawn = seen.drawn()
    assert len(drawn) <= 19
    assert all(len(line) <= width for line in drawn)
    assert "more at work"[: width - 6] in drawn[-1]
    assert not any(sign in "".join(drawn) for sign in "\x1b\x07\r\u202e")


def test_printing_and_drawing_do_not_wait_for_each_other() -> None:
    clients = 120
    seen = terminal(*(f"client{n:03}" for n in range(clients)))

    def work(part: int) -> None:
        for n in range(part, clients, 8):
            one = job(f"client{n:03}")
            seen.board.began(one, "")
            seen.board.step(one, "data", 0, None)
            failed = result(one.client, "failed", sentences=("so it is",))
            seen.board.ended(one, failed)

    def draw() -> None:
        while not done.wait(0.001):  # a thread that never rests would leave the others no turn
            seen.board._live.refresh()

    done = threading.Event()
    workers = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(8)]
    drawing = threading.Thread(target=draw, daemon=True)
    with seen.board:
        drawing.start()
        for worker in workers:
            worker.start()
        try:
            for worker in workers:
                worker.join(300)  # those that wait for each other wait for ever
            assert not any(worker.is_alive() for worker in workers)
        finally:
            done.set()
            drawing.join(300)
    lines = [line for line in text(seen.out()) if re.match(rf"✗ +\d+/{clients}", line)]
    assert len(set(lines)) == clients


# At the end ------------------------------------------------------------------------------------


def summary(seen: Seen) -> list[str]:
    before = len(text(seen.out()))
    seen.board.summary(INDEX)
    return text(seen.out())[before:]


def test_the_summary_has_each_client_and_at_its_end_what_failed() -> None:
    seen = plain("dora", "anna", "cleo", "bert", "emil", "fred")
    for one in (
        result("dora", warnings=("one",), undone=("two",)),
        result("cleo", "failed", sentences=("cleo: no column day", "cleo: the log is x")),
        result("anna", "failed", sentences=("source: there is no file",)),
        result("bert", "unchanged", seconds=0.02),
        result("emil", "stopped", sentences=("emil: stopped",)),
    ):
        seen.board.add(one)
    assert summary(seen) == [
        "",
        "client  result       seconds  warnings  report, or why there is none",
        "bert    = unchanged      0.0            reports/bert/2025-09-30/report.html",
        "dora    ✓ made           2.5         2  reports/dora/2025-09-30/report.html",
        "emil    - stopped        2.5",
        "anna    ✗ failed         2.5            source: there is no file",
        "cleo    ✗ failed         2.5            no column day",
        "",
        "1 made, 1 unchanged, 2 failed, 1 stopped, 1 not begun in 0 s.",
        "All clients: reports/index.html",
    ]


def test_a_long_path_and_sentence_stay_whole_without_a_terminal() -> None:
    seen = plain("anna", "bert")
    path = Path("/srv/" + "long/" * 60 + "report.html")
    seen.board.add(result("anna", report=path))
    seen.board.add(result("bert", "failed", sentences=("so " * 100 + "it was",)))
    lines = summary(seen)
    assert lines[2].endswith(str(path))
    assert lines[3].endswith("so it was")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_summary_of_a_hundred_fits_the_terminal(width: int) -> None:
    seen = terminal(*(f"client{n:03}" for n in range(100)), width=width)
    for n in range(100):
        outcome: Outcome = "failed" if n % 30 == 7 else "made"
        told = ("a rather long sentence on what went wrong here",) if outcome == "failed" else ()
        seen.board.add(result(f"client{n:03}", outcome, sentences=told))
    lines = summary(seen)
    assert all(len(line) <= width for line in lines)
    assert "96 made, 4 failed in 0 s." in lines
    failed = [n for n, line in enumerate(lines) if "✗" in line]
    made = [n for n, line in enumerate(lines) if "✓" in line]
    assert len(failed) == 4
    assert len(made) == 96
    assert max(made) < min(failed)


def test_a_file_that_could_not_be_read_goes_by_its_name() -> None:
    seen = plain("[red]a\x1b[31mb.yaml")
    seen.board.add(result("[red]a\x1b[31mb.yaml", "failed", sentences=("line 1, client: …",)))
    lines = summary(seen)
    assert "\x1b" not in seen.out() + seen.err()
    assert lines[2].startswith("[red]a")
    assert "line 1, client: …" in lines[2]


def test_nothing_begun_is_said_without_a_table() -> None:
    seen = plain("anna", "bert")
    assert summary(seen) == ["", "2 not begun in 0 s.", "All clients: reports/index.html"]
    assert counted([]) == "Nothing to do"


# How long still --------------------------------------------------------------------------------


def test_a_steady_batch_is_foretold_exactly() -> None:
    pace = Pace(100)
    for n in range(10):
        pace.began(2.0 * n)
        pace.ended(1)
    assert pace.left(20.0, []) == pytest.approx(180)
    pace.began(20.0)
    assert pace.left(21.0, [0.5]) == pytest.approx(179)


def test_clients_that_are_skipped_do_not_make_the_others_look_quick() -> None:
    pace = Pace(100)
    for _ in range(60):
        pace.skipped()
    for n in range(20):
        pace.began(10.0 * n)
        pace.ended(1)
    assert pace.left(200.0, []) == pytest.approx(200)
    half = Pace(100)
    for n in range(20):
        half.skipped()
        half.began(10.0 * n)
        half.ended(1)
    assert half.left(200.0, []) == pytest.approx(300)


def test_nothing_is_foretold_before_there_is_something_to_tell_it_by() -> None:
    pace = Pace(10)
    assert pace.left(5.0, []) is None
    pace.skipped()
    pace.began(0.0)
    assert pace.left(60.0, [0.9]) is None


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "a few seconds"), (37, "about 40 s"), (94, "about 90 s"), (95, "about 2 min")],
)
def test_what_is_estimated_is_told_in_round_figures(seconds: float, told: str) -> None:
    assert about(seconds) == told


def test_what_is_measured_is_told_as_a_clock_does() -> None:
    assert [clock(s) for s in (0.4, 59.6, 3599, 3601)] == [
        *("0 s", "1:00 min", "59:59 min", "1:00 hours")
    ]


# The command -----------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tiny.project(tmp_path)
    tiny.client(made, "anna", title="Anna [bold]AS[/bold]")
    tiny.client(made, "bert", asked="raise ValueError('no [red]such column')")
    tiny.client(made, "cleo", source="nowhere.csv")
    return made


def in_terminal(words: list[str], cwd: Path, width: int) -> tuple[int, str]:
    """What a terminal of its own shows of a command from its start to its end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, width, 0, 0))
    environment = {n: v for n, v in os.environ.items() if n not in ("COLUMNS", "NO_COLOR")}
    environment |= {"TERM": "xterm-256color"}
    process = subprocess.Popen(
        words, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    shown = b"".join(_read(ours))
    os.close(ours)
    return process.wait(), shown.decode()


def _read(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            read = os.read(terminal, 1 << 16)
        except OSError:  # the last process has left the terminal
            return
        if not read:
            return
        yield read


def screen(shown: str) -> tuple[list[str], int]:
    """The lines that stay on a terminal, and how wide the widest ever was."""
    lines, row, column, widest = [""], 0, 0, 0
    for steering, amount, end, words in re.findall(
        r"(?:\x1b\[([\d;?]*)([A-Za-z]))|([\r\n])|([^\x1b\r\n]+)", shown
    ):
        if words:
            before = lines[row].ljust(column)
            lines[row] = before[:column] + words + before[column + len(words) :]
            column += len(words)
            widest = max(widest, column)
        elif end == "\r":
            column = 0
        elif end == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif amount == "A":
            row -= int(steering or 1)
        elif amount == "K":
            lines[row] = ""
    return [line.rstrip() for line in lines], widest


@pytest.mark.slow
def test_a_batch_in_a_real_terminal_leaves_its_lines_and_its_summary(project: Path) -> None:
    retention = str(Path(sys.executable).parent / "retention")
    files = [f"params/{name}.yaml" for name in ("anna", "bert", "cleo")]
    code, shown = in_terminal([retention, "report", *files, "--jobs", "1"], project, 90)
    lines, widest = screen(shown)
    assert code == 1
    assert widest <= 90
    assert re.match(r"✓ 1/3  anna +\d+\.\d s", lines[0])
    assert re.match(r"✗ 2/3  bert +\d+\.\d s  failed", lines[1])
    assert lines[2].startswith("    Chapter 03_cltv stopped at cell [3] with ValueError: no [red]")
    assert "✗ 3/3  cleo" in "\n".join(lines)
    assert "    source: there is no file params/nowhere.csv" in "\n".join(lines)
    table = lines[lines.index("") :]
    assert [line.split()[0] for line in table if re.match(r"anna|bert|cleo", line)] == [
        *("anna", "bert", "cleo")
    ]
    assert "━" not in "".join(lines)  # what was drawn has gone
    assert "Anna [bold]AS[/bold]" in shown
    assert any(line.startswith("1 made, 2 failed in ") for line in lines)
    assert lines[-2:] == ["All clients: reports/index.html", ""]


@pytest.mark.slow
def test_a_batch_without_a_terminal_is_two_streams_of_plain_lines(project: Path) -> None:
    retention = Path(sys.executable).parent / "retention"
    files = sorted((project / "params").glob("*.yaml"))
    ran = subprocess.run(
        [retention, "report", *files, "--jobs", "1"], cwd=project, capture_output=True, text=True
    )
    assert ran.returncode == 1
    assert "\x1b" not in ran.stdout + ran.stderr
    assert [line[:11] for line in ran.stdout.splitlines()[:3]] == [
        *("✓ 1/3  anna", "✗ 2/3  bert", "✗ 3/3  cleo")
    ]
    assert all(re.match(r"    (bert|cleo): ", line) for line in ran.stderr.splitlines())
