"""Seconds to run a trivial chapter: plain papermill, an ordinary kernel, a forked kernel.

Run it with ``python benchmarks/kernels.py [RUNS]`` on a machine with nothing else to do.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CELLS = (
    "import pandas, seaborn, lifetimes, ibis",
    "frame = pandas.DataFrame({'x': range(10), 'y': range(10)})",
    "frame.describe()",
    "ibis.memtable(frame).x.sum()",
    "print(len(frame))",
)


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main(runs: int) -> None:
    once = time.perf_counter()
    from retention_lib.run.server import default_server

    default_server()  # imports the chapters' libraries while this process imports its own

    import nbformat

    from retention_lib.run.execute import execute_chapter

    folder = Path(tempfile.mkdtemp(prefix="kernels-"))
    template, output = folder / "chapter.ipynb", folder / "executed.ipynb"
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernelspec}), template
    )

    def plain() -> None:
        command = [sys.executable, "-m", "papermill", str(template), str(output)]
        subprocess.run(command, check=True, capture_output=True)

    def in_process() -> None:
        execute_chapter(template, output, {}, cwd=folder)

    in_process()
    once = time.perf_counter() - once

    def median(call: Callable[[], None], kernels: str) -> float:
        os.environ["RETENTION_KERNELS"] = kernels
        return statistics.median(seconds(call) for _ in range(runs))

    measured = {
        "plain papermill": median(plain, "ordinary"),
        "in process, ordinary kernel": median(in_process, "ordinary"),
        "in process, forked kernel": median(in_process, "forked"),
    }
    base = measured["plain papermill"]
    print(f"One chapter of {len(CELLS)} cells, median of {runs} runs")
    for name, value in measured.items():
        print(f"  {name:30}{value:6.2f} s{base / value:8.1f} times as fast")
    print(f"  once in a process: imports, fork server, first chapter {once:.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
