"""Many clients by one command and the plain way, side by side on the same machine in one run.

Every client is CDNOW under another name. The plain way is what a consultant would type for each:
`papermill` for each chapter, then `jupyter nbconvert --to retention` for each. The command is
`retention report` for all of them. Times on a shared machine vary, so the ratio is what counts: the
plain way is measured for one client before the batch and for one after it.

Memory is what the batch's processes hold for themselves together (their unique set size), looked
at four times a second. A batch is run once more at the end, in which every client is skipped.

    python benchmarks/batch.py [--client cdnow] [--clients 20] [--jobs 2]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from report_time import BIN, ROOT, chapters, plain


def batch(files: list[Path], folder: Path, jobs: int | None) -> tuple[float, float, list[float]]:
    """Seconds, CPU seconds, and memory in GB four times a second."""
    words = [str(BIN / "retention"), "report", *map(str, files), "--out", str(folder)]
    words += ["--jobs", str(jobs)] if jobs else []
    began, before = time.perf_counter(), os.times()
    memory: list[float] = []
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    looking = threading.Thread(target=_look, args=(process.pid, memory))
    looking.start()
    printed, _ = process.communicate()
    looking.join()
    seconds, after = time.perf_counter() - began, os.times()
    if process.returncode:
        sys.exit(printed.decode())
    cpu = after.children_user + after.children_system
    return seconds, cpu - before.children_user - before.children_system, memory


def _look(pid: int, memory: list[float]) -> None:
    try:
        owner = psutil.Process(pid)
        while owner.is_running() and owner.status() != psutil.STATUS_ZOMBIE:
            memory.append(sum(map(_own, [owner, *owner.children(recursive=True)])) / 2**30)
            time.sleep(0.25)
    except psutil.NoSuchProcess:
        return


def _own(process: psutil.Process) -> int:
    try:
        return process.memory_full_info().uss
    except psutil.Error:
        return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--client", default="cdnow")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--no-plain", action="store_true", help="The batch alone.")
    given = parser.parse_args()
    original = ROOT / "params" / f"{given.client}.yaml"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name in ("before", "after"):
            (folder / name).mkdir()
        files = []
        for n in range(given.clients):
            files.append(folder / f"client{n:03}.yaml")
            text = original.read_text(encoding="utf-8")
            files[-1].write_text(
                text.replace(f"client: {given.client}", f"client: client{n:03}"), encoding="utf-8"
            )
        number = len(chapters(original))
        print(f"{given.clients} clients like {given.client}, {number} chapters each")
        by_hand = [] if given.no_plain else [plain(original, folder / "before")]
        seconds, cpu, memory = batch(files, folder / "reports", given.jobs)
        by_hand += [] if given.no_plain else [plain(original, folder / "after")]
        skipped, _, _ = batch(files, folder / "reports", given.jobs)
        one, _, _ = batch(files[:1], folder / "reports", given.jobs)
    each = seconds / given.clients
    third = len(memory) // 3
    print(
        f"batch: {seconds:.1f} s, {each:.2f} s a client, {cpu / given.clients:.1f} CPU s a client"
    )
    if by_hand:
        hand = statistics.mean(by_hand)
        print(f"plain: {hand:.1f} s a client ({', '.join(f'{s:.1f}' for s in by_hand)})")
        print(f"the batch is {hand / each:.1f} times faster")
    print(
        f"memory: at most {max(memory):.2f} GB; median of the middle third "
        f"{statistics.median(memory[third : 2 * third]):.2f}, of the last "
        f"{statistics.median(memory[2 * third :]):.2f}"
    )
    print(
        f"skipped: {skipped:.2f} s for all, "
        f"{1000 * (skipped - one) / max(1, given.clients - 1):.0f} ms for each one more"
    )


if __name__ == "__main__":
    main()
