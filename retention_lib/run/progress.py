"""What a user sees while chapters run: a live line a chapter, or plain lines without a terminal."""

from __future__ import annotations

import datetime as dt
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from retention_lib.report.names import LONGEST_TITLE, printed


class Progress:
    """The steps of one client's run.

    Parameters
    ----------
    console : Console
        Where to show them: bars on a terminal, a line at a step's end elsewhere.
    title : str
        The client.
    """

    def __init__(self, console: Console, title: str) -> None:
        self.console = console
        self.title = title
        self._bars = Bars(
            TextColumn("{task.description:<14}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[cells]:>7}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Progress:
        title = printed(self.title, LONGEST_TITLE)
        self.console.print(title, style="bold", markup=False)
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def step(self, name: str, done: int, total: int | None = None) -> None:
        """A step has come to `done` of `total`; without a total it has only begun."""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total, cells="")
        cells = "" if total is None else f"{done}/{total}"
        self._bars.update(self._tasks[name], completed=done, total=total, cells=cells)

    def known(self, as_of: dt.date) -> None:
        """The report's day is known; it stands in the report's path."""

    def finished(self, name: str, seconds: float) -> None:
        """A step is done."""
        if name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name))
        self.console.print(f"  {name:<14} {seconds:5.1f} s", markup=False)
