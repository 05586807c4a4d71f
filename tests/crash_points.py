"""Ends a run at each step that it takes in the folder of reports, and looks at what is left.

`python crash_points.py FOLDER` makes a tiny project there, and then, for k = 1, 2, …, lets a
process make a report over an older one and end at once (as by SIGKILL) at the k-th file that it
opens for writing, renames, removes …: before it, or with the file half written. After each, a
reader must find whole reports and a whole history; and the next run must leave what a run leaves
that nothing disturbed. The same for a client's first report, and for systems on which two folders
can't change places. It says how many points there were, or what was found at one of them.

Steps inside the hidden folders are left out, but for the report's own files: nobody looks there,
and processes that are killed at random (test_batch_faults) end there mostly. With `--all`, these
too. Forked from a process without threads, each run is a process
of its own that has its libraries. The chapters of a run that crashes, and of most that are made
after it, are what the undisturbed run executed: kernels do nothing in the folder of reports.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported, which would start threads

import tiny

from retention_lib.data.handover import OUTPUT, VARIABLE
from retention_lib.run import output, report
from retention_lib.run.execute import ChapterRun
from retention_lib.run.notebook import read
from retention_lib.run.preload import preload
from retention_lib.run.server import KernelServer

#: The exit code of a process that ended at its point, as of one that was killed.
CRASHED = 137
_PATHS = {
    "open": 1,
    "os.mkdir": 1,
    "os.rmdir": 1,
    "os.remove": 1,
    "os.truncate": 1,
    "os.rename": 2,
    "os.link": 2,
    "os.symlink": 2,
}
#: What is done otherwise where two folders can't change places.
_ASIDE = r"rename|replaced"
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Steps:
    """An audit hook that sees each step in a folder, and ends the process at one of them.

    Parameters
    ----------
    folder : Path
    at : int
        The step, counted from 1; 0 for none.
    torn : bool
        Where the step is the writing of a file, leave that half written.
    """

    def __init__(self, folder: Path, at: int = 0, torn: bool = False) -> None:
        self.folder = f"{folder.resolve()}{os.sep}"
        self.at = at
        self.torn = torn
        self.seen: list[str] = []

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "ctypes.dlsym" and args[1] == "renameat2":
            self.seen.append("exchange")
        elif paths := self._here(event, args):
            self.seen.append(f"{event} {' '.join(paths)}")
        else:
            return
        if len(self.seen) == self.at:
            if self.torn:
                handle = os.open(args[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
                os.write(handle, b'{"half": [')
            os.write(2, self.seen[-1].encode())
            os._exit(CRASHED)

    def _here(self, event: str, args: tuple[Any, ...]) -> list[str]:
        """The paths of a step in the folder, from there; empty for another step."""
        count = _PATHS.get(event, 0)
        if event == "open" and not args[2] & _WRITES:
            return []
        within = args[-1] if event in ("os.remove", "os.rmdir", "os.mkdir") else -1
        base = Path(f"/proc/self/fd/{within}" if within > 0 else "/proc/self/cwd").readlink()
        paths = [
            str(base / os.fsdecode(path)) for path in args[:count] if not isinstance(path, int)
        ]
        return [p.removeprefix(self.folder) for p in paths if p.startswith(self.folder)]


def seen_by_others(step: str) -> bool:
    """Whether a step shows outside of the hidden folders, or writes a file of the report."""
    hidden = re.search(r"\.(building|prepared|replaced)", step)
    steps = r"exchange|rename|rmdir|open .*(building.*\.(html|json)|inputs\.json)$"
    return not hidden or re.search(steps, step) is not None


class Points:
    """The tiny project, its reports before and after, and the runs in processes of their own."""

    def __init__(self, folder: Path, server: str, *, first: bool, aside: bool) -> None:
        folder.mkdir(parents=True)
        self.project = tiny.project(folder)
        self.reports = folder / "reports"
        self.server = server
        self.first = first
        self.aside = aside
        os.chdir(folder)

    def prepare(self) -> None:
        """Make the reports as they are before, and as an undisturbed run leaves them."""
        if not self.first:
            self._run(as_of=tiny.EARLIER)
            self._run()
        self._copy("reports", "before")
        self._run(seed=1)
        self._copy("reports", "after")

    def steps(self) -> list[str]:
        """What a run does in the folder of reports."""
        self._copy("before", "reports")
        found, steps = self.project / "steps.txt", Steps(self.reports)

        def listed() -> None:
            self._make(False, steps)
            found.write_text("\n".join(steps.seen))

        self._wanted(listed)
        return found.read_text().split("\n")

    def crash(self, at: int, *, torn: bool = False, real: bool = False) -> str:
        """Crash at a step, look, and run again; what step it was."""
        self._copy("before", "reports")
        steps = Steps(self.reports, at, torn)
        code, step = self._in_a_process(lambda: self._make(False, steps))
        assert code == CRASHED, step or "it had ended before"
        again, said = self._in_a_process(lambda: self._look_and_run(real))
        assert not again, f"{'half of' if torn else 'before'} {step}: {said}"
        return step

    def _run(self, **about: Any) -> None:
        tiny.client(self.project, **about)
        self._wanted(lambda: self._make(True))

    def _make(self, real: bool, steps: Steps | None = None) -> None:
        job = tiny.job(self.project / "params" / "acme.yaml", self.reports)
        if not real:
            vars(report)["execute_chapter"] = self._executed
        if self.aside:
            vars(output)["exchange"] = lambda one, other: False
        if steps is not None:
            sys.addaudithook(steps)
        report.make(job, server=self.server)

    def _executed(self, template: Path, place: Path, *_: Any, **__: Any) -> ChapterRun:
        """A chapter as the undisturbed run executed it."""
        after = self.project / "after" / "acme" / tiny.AS_OF
        shutil.copyfile(after / "notebooks" / template.name, place)
        if template.stem == "04_actions":
            handed = Path(os.environ[VARIABLE]) / OUTPUT
            handed.mkdir(exist_ok=True)
            shutil.copyfile(after / "customers.parquet", handed / "customers.parquet")
            shutil.copytree(after / "lists", handed / "lists")
        return ChapterRun(template.stem, place, 0.0, (), read(place))

    def _look_and_run(self, real: bool) -> None:
        ours, before, after = (
            self.project / name / "acme" for name in ("reports", "before", "after")
        )
        old, new = (tiny.days(place) if place.exists() else {} for place in (before, after))
        found = tiny.days(ours) if ours.exists() else {}
        if self.aside and tiny.AS_OF not in found:  # it comes back when the next run begins
            found[tiny.AS_OF] = self._aside(ours / f".replaced-{tiny.AS_OF}")
        assert found in (old, new), found
        kept = tiny.kept(ours)
        assert kept in [{d: tiny.values(m) for d, m in known.items()} for known in (old, new)], kept
        self._make(real)
        assert tiny.settled(ours) == new
        assert tiny.kept(ours) == tiny.kept(after)
        assert {p.name for p in ours.iterdir()} == {p.name for p in after.iterdir()}

    def _aside(self, place: Path) -> dict[str, Any]:
        target = place.with_name(tiny.AS_OF)
        shutil.copytree(place, target)
        found = tiny.figures(target)
        shutil.rmtree(target)
        return found

    def _copy(self, one: str, other: str) -> None:
        shutil.rmtree(self.project / other, ignore_errors=True)
        if (self.project / one).exists():
            shutil.copytree(self.project / one, self.project / other)

    def _wanted(self, work: Callable[[], object]) -> None:
        code, said = self._in_a_process(work)
        assert not code, said

    def _in_a_process(self, work: Callable[[], object]) -> tuple[int, str]:
        """Call a function in a fork; its exit code, and what was said on standard error."""
        log = self.project / "said.txt"
        pid = os.fork()
        if pid:
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            return code, log.read_text()
        code = 1
        try:
            os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            work()
            code = 0
        except BaseException:
            os.write(2, traceback.format_exc().encode())
        os._exit(code)


def main() -> None:
    """Try the points."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="steps that nobody sees, too")
    asked = parser.parse_args()
    tried = 0
    with KernelServer() as server:
        preload(runs=True)
        for name in ("again", "first", "aside"):
            modes = {mode: name == mode for mode in ("first", "aside")}
            points = Points(asked.folder.resolve() / name, server.address, **modes)
            points.prepare()
            for at, step in enumerate(points.steps(), 1):
                taken = seen_by_others(step) and (name != "aside" or re.search(_ASIDE, step))
                if not asked.all and not taken:
                    continue
                step = points.crash(at, real=not at % 10)
                print(name, at, step, flush=True)
                tried += 1
                if step.startswith("open") and not step.endswith((".lock", ".log")):
                    points.crash(at, torn=True)
                    tried += 1
    print(f"{tried} points")


if __name__ == "__main__":
    main()
