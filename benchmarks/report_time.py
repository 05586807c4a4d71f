"""A report the plain way and by the command, side by side on the same machine in one run.

The plain way is what a consultant would type: `papermill` for each chapter, then
`jupyter nbconvert --to retention` for each. The command is `retention report`. Both start from
nothing, both run every chapter on the same client. Times on a shared machine vary, so the ratio is
what counts; a table row a round, the median at the end.

    python benchmarks/report_time.py [--client cdnow] [--rounds 3]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from retention_lib.params import read_client_file
from retention_lib.run.chapters import choose

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def chapters(client: Path) -> list[Path]:
    """The notebooks of the client's report."""
    names = choose(None, read_client_file(client).params)
    return [ROOT / "notebooks" / f"{name}.ipynb" for name in names]


def plain(client: Path, folder: Path) -> float:
    began = time.perf_counter()
    for chapter in chapters(client):
        out = folder / chapter.name
        run(BIN / "papermill", chapter, out, "-f", client, "--no-progress-bar")
        run(BIN / "jupyter", "nbconvert", "--to", "retention", out)
    return time.perf_counter() - began


def command(client: Path, folder: Path) -> float:
    began = time.perf_counter()
    run(BIN / "retention", "report", client, "--out", folder)
    return time.perf_counter() - began


def run(*words: object) -> None:
    subprocess.run([str(w) for w in words], cwd=ROOT, check=True, capture_output=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--client", default="cdnow")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    client = ROOT / "params" / f"{given.client}.yaml"
    print(f"{given.client}, {len(chapters(client))} chapters")
    print(f"{'plain':>8} {'command':>8} {'ratio':>6}")
    ratios = []
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory() as folder:
            by_hand, by_command = plain(client, Path(folder)), command(client, Path(folder))
        ratios.append(by_hand / by_command)
        print(f"{by_hand:7.1f}s {by_command:7.1f}s {ratios[-1]:6.2f}", flush=True)
    print(f"median: the command is {statistics.median(ratios):.2f} times faster")


if __name__ == "__main__":
    main()
