"""Each chapter on a base of a million customers and four million orders: seconds and memory.

Every chapter is run alone by the command, as a consultant does after changing it: the data is read,
the forecast is made where the chapter needs one, and the chapter's kernel does its work. Memory is
the peak over the run of what all its processes hold for themselves together.

    python benchmarks/chapters.py [--rows 4_000_000] [02_retention …]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orders
import psutil

from retention_lib.run.chapters import CHAPTERS

ROOT = Path(__file__).parents[1]
COMMAND = Path(sys.executable).parent / "retention"
CLIENT = """\
client: large
source: orders.parquet
currency: USD
columns: {customer: customer, date: date, amount: amount}
"""
SAMPLED_EVERY = 0.25
_STEP = re.compile(r"^\s+(\w+)\s+([\d.]+) s$", re.MULTILINE)


def alone(client: Path, chapter: str, out: Path) -> tuple[dict[str, float], float]:
    """Seconds by step of one chapter's run, and its peak memory in GB."""
    words = [COMMAND, "report", client, "--only", chapter, "--out", out]
    run = subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    peak = 0
    while run.poll() is None:
        peak = max(peak, _held(run.pid))
        time.sleep(SAMPLED_EVERY)
    said = run.stdout.read() if run.stdout else ""
    if run.returncode:
        raise SystemExit(said)
    return {name: float(seconds) for name, seconds in _STEP.findall(said)}, peak / 1024**3


def _held(pid: int) -> int:
    """Bytes that a process and its descendants hold for themselves."""
    total = 0
    try:
        top = psutil.Process(pid)
        for process in (top, *top.children(recursive=True)):
            total += process.memory_full_info().uss
    except psutil.Error:  # one of them has just ended
        pass
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chapters", nargs="*", default=sorted(CHAPTERS))
    parser.add_argument("--rows", type=orders.number, default=4_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = orders.write(given.rows, Path(folder) / "orders.parquet")
        client = Path(folder) / "large.yaml"
        client.write_text(CLIENT, encoding="utf-8")
        print(f"{rows:,} rows\n{'chapter':<14}{'data':>8}{'forecast':>10}{'chapter':>9}{'GB':>6}")
        for chapter in given.chapters:
            seconds, peak = alone(client, chapter, Path(folder) / "reports")
            print(
                f"{chapter:<14}{seconds.get('data', 0):8.1f}{seconds.get('forecast', 0):10.1f}"
                f"{seconds.get(chapter, 0):9.1f}{peak:6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
