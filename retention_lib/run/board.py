"""What a user sees of a batch: on a terminal the clients at work, elsewhere a line a client."""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from retention_lib.report.names import LONGEST_TITLE, printed, steady
from retention_lib.run.chapters import WITH_FORECAST, choose
from retention_lib.run.job import Job, Outcome, Result
from retention_lib.run.pace import Pace, about, clock

#: How an outcome is told: its sign, the sign where that can't be printed, and its style. Words say
#: the same, so that nothing is told by a sign or a colour alone.
_SIGNS: Final[dict[Outcome, tuple[str, str, str]]] = {
    "made": ("✓", "+", "green"),
    "unchanged": ("=", "=", "dim"),
    "stopped": ("-", "-", "yellow"),
    "failed": ("✗", "x", "bold red"),
}
_WORDS: Final = ("made", "unchanged", "failed", "stopped")
#: Clients' names are as wide as the longest, but no wider.
_NAME: Final = 28
#: Lines of a terminal that aren't clients at work: head, failures, two more, and the cursor's.
_OTHER_LINES: Final = 6
_INDENT: Final = 4
#: As wide as any line can be: what isn't a terminal has no width.
_NO_WIDTH: Final = 10_000


class Board:
    """Shows a batch at work, and what came of it (`run.batch.Audience`).

    Parameters
    ----------
    out, err : Console
        For what was made, and for what went wrong.
    clients : sequence of str
        Their names.
    elsewhere : str, optional
        Where they are at work, if not here: nothing is heard of one until it is done.
    """

    def __init__(
        self, out: Console, err: Console, clients: Sequence[str], elsewhere: str = ""
    ) -> None:
        self.out = out
        self.err = err
        self.clients = len(clients)
        self.elsewhere = elsewhere
        self.results: list[Result] = []
        self._name = min(_NAME, max(map(len, clients), default=0))
        self._began = time.monotonic()
        self._pace = Pace(self.clients)
        self._at_work: dict[str, _AtWork] = {}
        # What is printed waits for who draws, and who draws for what is known: two locks, for one
        # of both would have each wait for the other.
        self._known = threading.RLock()
        self._printing = threading.RLock()
        self._live = Live(
            get_renderable=self._drawn,
            console=out,
            refresh_per_second=5,
            transient=True,
            auto_refresh=out.is_terminal,
        )

    def __enter__(self) -> Board:
        if self.out.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.out.is_terminal:
            self._live.stop()

    # What the batch tells -------------------------------------------------------------------

    def began(self, job: Job, why: str) -> None:
        """A client's turn has come."""
        with self._known:
            self._pace.began(time.monotonic())
            self._at_work[job.client] = _AtWork(job, why)

    def step(self, job: Job, name: str, done: int, total: int | None) -> None:
        """A step has come to `done` of `total`."""
        with self._known:
            if job.client in self._at_work:
                self._at_work[job.client].step(name, done, total)

    def finished(self, job: Job, name: str, seconds: float) -> None:
        """A step is done."""
        with self._known:
            if job.client in self._at_work:
                self._at_work[job.client].finished(name)

    def ended(self, job: Job, result: Result) -> None:
        """A client is done: a line for it, and its sentences."""
        with self._known:
            at_work = self._at_work.pop(job.client, None)
            if at_work:
                self._pace.ended(1 if result.outcome == "made" else at_work.part())
        self.add(result, at_work.why if at_work else None)

    def add(self, result: Result, why: str | None = None) -> None:
        """Take a result in, and tell it.

        Parameters
        ----------
        result : Result
        why : str, optional
            Why its report was made anew, empty for its first; None where none was begun.
        """
        with self._printing:
            with self._known:
                if why is None:
                    self._pace.skipped()
                self.results.append(result)
                place = f"{len(self.results):>{len(str(self.clients))}}/{self.clients}"
            if self.out.is_terminal:
                self._tell_on_terminal(result, place, why or "")
            else:
                self._tell(result, place, why or "")

    # A client's line ------------------------------------------------------------------------

    def _tell(self, result: Result, place: str, why: str) -> None:
        """A line with all that is known, and each sentence with the client that it is of."""
        name, sign = _name(result), self._sign(result.outcome)
        told = f"{sign} {place}  {name:<{self._name}}  {result.seconds:>6.1f} s  {result.outcome}"
        told += f" ({why})" if why and result.outcome == "made" else ""
        told += f"  {result.place}" if result.place else ""
        self.out.print(_line(told), markup=False)
        self._tell_sentences(result)

    def _tell_sentences(self, result: Result) -> None:
        name = _name(result)
        for sentence in _sentences(result):
            named = sentence if sentence.startswith(f"{name}: ") else f"{name}: {sentence}"
            self.err.print(f"{' ' * _INDENT}{named}", markup=False)

    def _tell_on_terminal(self, result: Result, place: str, why: str) -> None:
        """A line of the terminal's width, the sentences under it; nothing of one unchanged."""
        sentences = _sentences(result)
        # where both are the terminal, what is told goes above what is drawn, and not into it
        together = self.err.is_terminal
        if result.outcome != "unchanged":
            _, _, style = _SIGNS[result.outcome]
            line = Text(f"{self._sign(result.outcome)} ", style)
            line.append(f"{place}  {_name(result):<{self._name}}", "")
            line.append(f"  {result.seconds:>6.1f} s", "dim" if result.outcome == "made" else "")
            if result.outcome == "made":
                line.append(f"  {why}" if why else "", "dim")
                line.append(f"  {_line(result.finding)}" if result.finding else "")
            else:
                line.append(f"  {result.outcome}", style)
                line.append("" if together else f": {''.join(sentences[:1])}")
            self.out.print(line, soft_wrap=False, no_wrap=True, overflow="ellipsis")
        if not together:
            self._tell_sentences(result)
            return
        for sentence in sentences:
            told = Text(sentence.removeprefix(f"{_name(result)}: "))
            self.out.print(Padding(told, (0, 0, 0, _INDENT)), soft_wrap=False)

    def _sign(self, outcome: Outcome) -> str:
        sign, plain, _ = _SIGNS[outcome]
        try:
            sign.encode(self.out.encoding)
        except (UnicodeEncodeError, LookupError):
            return plain
        return sign

    # All clients ----------------------------------------------------------------------------

    def summary(self, index: str) -> None:
        """What came of each client by name, what failed at the end, and all together."""
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        table.add_column("client", no_wrap=True, overflow="ellipsis", max_width=_NAME)
        table.add_column("result", no_wrap=True)
        table.add_column("seconds", justify="right", no_wrap=True)
        table.add_column("warnings", justify="right", no_wrap=True)
        table.add_column("report, or why there is none", overflow="fold")
        order: tuple[Outcome, ...] = ("made", "stopped", "failed")
        for result in sorted(
            self.results,
            key=lambda r: (order.index(r.outcome) if r.outcome in order else 0, r.client),
        ):
            warnings = len(result.warnings) + len(result.undone)
            why = _sentences(result)[:1] if result.outcome in ("failed", "stopped") else []
            table.add_row(
                Text(_name(result)),
                Text(f"{self._sign(result.outcome)} {result.outcome}", _SIGNS[result.outcome][2]),
                f"{result.seconds:.1f}",
                str(warnings or ""),
                Text(str(result.place or "".join(why).removeprefix(f"{result.client}: "))),
            )
        if self.results:
            self.out.print()
            if self.out.is_terminal:
                self.out.print(table, soft_wrap=False)
            else:
                self.out.print(_unbroken(table), markup=False)
        told = counted(self.results, self.clients)
        self.out.print(f"\n{told} in {clock(time.monotonic() - self._began)}.")
        self.out.print(f"All clients: {index}", markup=False)

    # What is drawn --------------------------------------------------------------------------

    def _drawn(self) -> RenderableType:
        with self._known:
            now = time.monotonic()
            shown = [client for client in self._at_work.values() if client.begun]
            lines: list[RenderableType] = [Text(""), self._head(now), *self._failures()]
            most = max(1, self.out.height - _OTHER_LINES)
            lines += [_row(client, self.out.width, now) for client in shown[:most]]
            more, starting = len(shown[most:]), len(self._at_work) - len(shown)
            where = f"with {self.elsewhere}" if self.elsewhere else "starting"
            told = [f"{more} more at work"] * bool(more) + [f"{starting} {where}"] * bool(starting)
            if told:
                lines.append(_cut(Text(f"  {', '.join(told)}", "dim")))
            return Group(*lines)

    def _head(self, now: float) -> RenderableType:
        done = len(self.results)
        counts = {word: sum(r.outcome == word for r in self.results) for word in _WORDS}
        line = Text(f"{done} of {self.clients} clients")
        line.append(f", {counts['unchanged']} unchanged" if counts["unchanged"] else "", "dim")
        line.append(f", {counts['failed']} failed" if counts["failed"] else "", "bold red")
        left = self._pace.left(now, [client.part() for client in self._at_work.values()])
        line.append(f"   {clock(now - self._began)}", "dim")
        line.append(f", {about(left)} left" if left is not None else "", "dim")
        head = Table.grid(padding=(0, 1))
        head.add_column(no_wrap=True)
        head.add_column(no_wrap=True, overflow="ellipsis")
        bar = ProgressBar(max(1, self.clients), done, width=max(8, min(30, self.out.width // 5)))
        head.add_row(bar, line)
        return head

    def _failures(self) -> list[RenderableType]:
        """The clients that failed, the latest first."""
        names = [_name(result) for result in self.results if result.outcome == "failed"]
        if not names:
            return []
        return [_cut(Text(f"  {self._sign('failed')} {', '.join(reversed(names))}", "red"))]


class _AtWork:
    """A client at work: which steps it has done, and how far it is with those that it does."""

    def __init__(self, job: Job, why: str) -> None:
        chapters = choose(job.only, job.file.params)
        forecast = not WITH_FORECAST.isdisjoint(chapters)
        self.title = job.title
        self.why = why
        self.began = time.monotonic()
        self.begun = False
        self.all = 2 + forecast + len(chapters) + job.pdf  # the data, …, the page
        self.done = 0
        #: Step → how far it is.
        self.steps: dict[str, tuple[int, int | None]] = {}

    def step(self, name: str, done: int, total: int | None) -> None:
        if not self.begun:
            self.begun, self.began = True, time.monotonic()
        self.steps[name] = done, total

    def finished(self, name: str) -> None:
        self.done += self.steps.pop(name, None) is not None

    def part(self) -> float:
        """How much of the report is made, between 0 and 1."""
        begun = sum(done / total for done, total in self.steps.values() if total)
        return min(1.0, (self.done + begun) / self.all)

    def told(self) -> str:
        """The steps that it is at."""
        return ", ".join(
            f"{name} {done}/{total}" if total else name
            for name, (done, total) in self.steps.items()
        )


def _row(client: _AtWork, width: int, now: float) -> RenderableType:
    """A client at work, on one line."""
    row = Table.grid(padding=(0, 2), expand=True)
    row.add_column(no_wrap=True, overflow="ellipsis", ratio=2)
    cells: list[RenderableType] = [Text(f"  {client.title}")]
    if width >= 60:
        row.add_column(no_wrap=True, width=12)
        cells.append(ProgressBar(1, client.part(), width=12))
    row.add_column(no_wrap=True, justify="right", width=7)
    row.add_column(no_wrap=True, overflow="ellipsis", ratio=3)
    cells.append(Text(f"{now - client.began:.0f} s", "dim"))
    cells.append(Text(client.told() or "waiting for its turn", "cyan" if client.steps else "dim"))
    row.add_row(*cells)
    return row


def _cut(line: Text) -> Text:
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _unbroken(table: Table) -> str:
    """A table as text, as wide as it is."""
    wide = Console(file=io.StringIO(), width=_NO_WIDTH, color_system=None)
    with wide.capture() as lines:
        wide.print(table)
    return "\n".join(line.rstrip() for line in lines.get().splitlines())


def counted(results: Sequence[Result], clients: int = 0) -> str:
    """How many reports were made, and how many not.

    Parameters
    ----------
    results : sequence of Result
    clients : int, optional
        How many there are, where some may not have been begun.

    Examples
    --------
    >>> counted([Result("a", "made"), Result("b", "made"), Result("c", "failed")], 5)
    '2 made, 1 failed, 2 not begun'
    """
    found = [(sum(r.outcome == word for r in results), word) for word in _WORDS]
    found.append((max(0, clients - len(results)), "not begun"))
    return ", ".join(f"{n} {word}" for n, word in found if n) or "Nothing to do"


def _name(result: Result) -> str:
    """The client's key; of a client file that can't be read, the file's name."""
    return printed(result.client, LONGEST_TITLE)


def _sentences(result: Result) -> list[str]:
    """Each on one line; without one that says but the outcome."""
    found = [_line(s) for s in (*result.sentences, *result.warnings, *result.undone)]
    return [s for s in found if s != f"{_name(result)}: {result.outcome}"]


def _line(sentence: str) -> str:
    """A sentence on one line, without signs that steer a terminal."""
    return re.sub(r"[\t\n\f\r\u2028\u2029]+", " ", steady(sentence))
