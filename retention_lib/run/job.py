"""One client's run, as it is asked for and as it ended; both can be sent to another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from retention_lib.params import ClientFile
from retention_lib.report.names import LONGEST_TITLE, printed

Outcome = Literal["made", "unchanged", "failed", "stopped"]

#: What the command ends with where a run was stopped by Ctrl-C, as shells have it.
STOPPED_CODE: Final = 130


@dataclass(frozen=True)
class Job:
    """A report that is asked for.

    Parameters
    ----------
    file : ClientFile
    reports : Path
        Folder of all clients' reports.
    only : str, optional
        One chapter. It leaves `<as_of>-<chapter>.html` and its notebook; the whole report that may
        be there stays as it is.
    pdf : bool, default False
        Print it too.
    author : str, optional
        Who prepared it, as the title page names them.
    timeout : int, optional
        Seconds that a step may take: the data, the forecast, a chapter, the page.
    force : bool, default False
        Take nothing over that an earlier run prepared.
    notebooks : Path, optional
        Folder of the chapters' notebooks, which are run from the folder above it; by default those
        of the process's own working directory, else of its installation.
    patience : int, default 0
        Seconds to wait for another run that is at work on the client.
    """

    file: ClientFile
    reports: Path
    only: str | None = None
    pdf: bool = False
    author: str | None = None
    timeout: int | None = None
    force: bool = False
    notebooks: Path | None = None
    patience: int = 0

    @property
    def client(self) -> str:
        """The client's key."""
        return self.file.params.client

    @property
    def folder(self) -> Path:
        """The client's folder of reports."""
        return self.reports / self.client

    @property
    def title(self) -> str:
        """The client's name, on one line."""
        return printed(self.file.params.title or self.client, LONGEST_TITLE)


@dataclass(frozen=True)
class Result:
    """How a client's run ended.

    Parameters
    ----------
    client : str
        The client's key; of a client file that can't be read, the file's name.
    outcome : {'made', 'unchanged', 'failed', 'stopped'}
    seconds : float
        Wall-clock time.
    report, pdf : Path or None
        The HTML file, and the report as a PDF where it was asked for and could be printed.
    shown, shown_pdf : str or None
        Where these lie for the user: the paths, or the addresses of reports that lie elsewhere.
    sentences : tuple of str
        Why it failed, or why there is no report.
    exit_code : int
        What the command would end with, were it the only client.
    warnings : tuple of str
        Sentences for the consultant; none of them stands in the report.
    undone : tuple of str
        Sentences on what was asked for and couldn't be done; the report is whole without.
    finding : str or None
        What the summary found, in the report's language.
    steps : mapping
        Step → seconds.
    trace : str
        Python's traceback of a failure, for `--debug`.
    """

    client: str
    outcome: Outcome
    seconds: float = 0.0
    report: Path | None = None
    pdf: Path | None = None
    shown: str | None = None
    shown_pdf: str | None = None
    sentences: tuple[str, ...] = ()
    exit_code: int = 0
    warnings: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    finding: str | None = None
    steps: Mapping[str, float] = field(default_factory=dict)
    trace: str = ""

    @property
    def place(self) -> str:
        """Where the report lies for the user; empty where there is none."""
        return self.shown or str(self.report or "")
