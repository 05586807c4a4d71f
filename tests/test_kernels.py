"""Chapters in forked kernels: the same notebook as by plain papermill, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest

from retention_lib.errors import ChapterError
from retention_lib.run.execute import ChapterRun, execute_chapter
from retention_lib.run.server import KernelServer, can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels are not forked on this system")

PARAMETERS = 'text: str = ""\nnumber: float = 0\nitems: list = []\nmapping: dict = {}'


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with KernelServer() as server:
        yield server.address


def notebook(path: Path, *cells: str) -> Path:
    parameters = nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    body = nbformat.v4.new_notebook(
        cells=[parameters, *(nbformat.v4.new_code_cell(cell) for cell in cells)],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )
    nbformat.write(body, path)
    return path


def run(folder: Path, server: str, *cells: str, **options: Any) -> ChapterRun:
    template = notebook(folder / "chapter.ipynb", *cells)
    options = {"parameters": {}, "cwd": folder, **options}
    return execute_chapter(template, folder / "out" / "chapter.ipynb", server=server, **options)


def printed(path: Path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    outputs = (output for cell in cells for output in cell.get("outputs", []))
    return "".join(output.text for output in outputs if output.output_type == "stream")


def alive(pid: int) -> bool:
    """A zombie that its parent hasn't yet waited for is not alive."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(*pids: int, within: float = 5.0) -> bool:
    for _ in range(int(within / 0.05)):
        if not any(map(alive, pids)):
            return True
        time.sleep(0.05)
    return False


def test_a_chapter_runs_in_a_fork_of_the_server_with_the_libraries_loaded(
    tmp_path: Path, server: str
) -> None:
    cell = "import os, sys; print(os.getppid(), 'lifetimes' in sys.modules, os.getcwd())"
    done: list[tuple[int, int]] = []
    result = run(tmp_path, server, cell, on_cell=lambda *at: done.append(at))
    parent, loaded, cwd = printed(result.path).split()
    assert b"retention_lib.run.forkserver" in Path(f"/proc/{parent}/cmdline").read_bytes()
    assert (loaded, cwd) == ("True", str(tmp_path))
    assert done == [(1, 2), (2, 2)]
    assert result.chapter == "chapter"
    assert result.seconds > 0


TEXTS = [
    "",
    'it\'s "quoted" and \\"escaped\\"',
    "C:\\new\\table\\",
    "line\nbreak\r\n\ttab\x00\x1b",
    "{braces} {{doubled}} %s $HOME ${NAME}",
    "æøå Ærøskøbing € 日本 🛒 \u2028 \N{NO-BREAK SPACE}",
    '"""',
    "# not a comment",
    "\\N{BULLET} \\u00e6",
]


def test_parameters_arrive_exactly(tmp_path: Path, server: str) -> None:
    parameters = {
        "text": "\n".join(TEXTS),
        "number": 0.1 + 0.2,
        "items": [*TEXTS, 1, -2.5e-300, True, None, [1, "a"]],
        "mapping": {text: {"deep": text} for text in TEXTS},
    }
    cell = "import json; print(json.dumps([text, number, items, mapping]))"
    result = run(tmp_path, server, cell, parameters=parameters)
    assert json.loads(printed(result.path)) == list(parameters.values())


def test_paths_with_braces_are_paths(tmp_path: Path, server: str) -> None:
    folder = tmp_path / "{text} {0}"
    folder.mkdir()
    result = run(folder, server, "print(text)", parameters={"text": "x"})
    assert result.path == folder / "out" / "chapter.ipynb"
    assert printed(result.path) == "x\n"


def test_an_unknown_parameter_is_refused_before_a_kernel_starts(
    tmp_path: Path, server: str
) -> None:
    with pytest.raises(ChapterError) as error:
        run(tmp_path, server, parameters={"txt": "x", "zzzz": 1})
    assert error.value.sentences == (
        "Chapter chapter has no parameter txt: did you mean text?",
        "Chapter chapter has no parameter zzzz: its cell tagged parameters lacks it.",
    )
    assert not (tmp_path / "out" / "chapter.ipynb").exists()


def test_a_failing_cell_leaves_a_sentence_a_log_and_the_notebook(
    tmp_path: Path, server: str
) -> None:
    log = tmp_path / "logs" / "chapter.log"
    cells = ("print('before')", "1 / 0", "print('after')")
    with pytest.raises(ChapterError) as error:
        run(tmp_path, server, *cells, log=log)
    output = tmp_path / "out" / "chapter.ipynb"
    assert error.value.sentences == (
        "Chapter chapter stopped at cell [3] with ZeroDivisionError: division by zero. "
        f"How far it came is in {output}.",
    )
    assert printed(output) == "before\n"
    assert '"ename": "ZeroDivisionError"' in output.read_text()
    text = log.read_text()
    assert "before" in text
    assert "ZeroDivisionError: division by zero" in text
    assert "\x1b" not in text


def test_a_cell_that_meets_a_full_disk_says_what_to_do(tmp_path: Path, server: str) -> None:
    cell = "import errno, os\nraise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), 'lists/a.csv')"
    with pytest.raises(ChapterError) as error:
        run(tmp_path, server, cell)
    assert error.value.sentences[0].startswith(
        "Chapter chapter stopped at cell [2] with No space left on device; make room for the "
        "reports and for temporary files, and run it again. How far it came is in "
    )


def test_an_error_meant_for_the_user_keeps_its_sentences_and_exit_code(
    tmp_path: Path, server: str
) -> None:
    cell = "from retention_lib.errors import DataError\nraise DataError('One.', 'Two.')"
    with pytest.raises(ChapterError) as error:
        run(tmp_path, server, cell)
    assert error.value.sentences == ("One.", "Two.")
    assert error.value.exit_code == 3


def test_python_warnings_are_handed_back(tmp_path: Path, server: str) -> None:
    result = run(tmp_path, server, "import warnings; warnings.warn('few customers')")
    assert result.warnings == ("cell [2]: UserWarning: few customers",)


@pytest.mark.slow
@pytest.mark.parametrize("hang", ["while True: pass", "import time; time.sleep(600)"])
def test_a_chapter_out_of_time_fails_and_its_kernel_is_gone(
    tmp_path: Path, server: str, hang: str
) -> None:
    pids = "import os, subprocess; print(os.getpid(), subprocess.Popen(['sleep', '600']).pid)"
    with pytest.raises(ChapterError, match=r"stopped at cell \[3\] with TimeoutError"):
        run(tmp_path, server, pids, hang, "print('after')", timeout=2)
    output = tmp_path / "out" / "chapter.ipynb"
    cells = nbformat.read(output, as_version=4).cells
    states = [cell.metadata.papermill.status for cell in cells if cell.cell_type == "code"]
    assert states == ["completed", "completed", "failed", "pending"]
    assert gone(*map(int, printed(output).split()))


def test_a_kernel_that_dies_fails_its_chapter(tmp_path: Path, server: str) -> None:
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(ChapterError, match=r"stopped at cell \[2\] with DeadKernelError"):
        run(tmp_path, server, kill)


def test_the_process_stays_in_its_folder(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # of two chapters in threads, one would leave the process where the other found it
    gone_to: list[object] = []
    monkeypatch.setattr(os, "chdir", gone_to.append)
    run(tmp_path, server, "import os; print(os.getcwd())")
    assert gone_to == []


PLANT = """
import os, random, sys, warnings, builtins
import numpy, pandas, matplotlib, seaborn, lifetimes, ibis
matplotlib.rcParams["figure.dpi"] = 7
pandas.set_option("display.max_rows", 7)
os.environ["PLANTED"] = "yes"
pandas.planted = lifetimes.planted = builtins.planted = True
sys.path.append("/planted")
warnings.simplefilter("once")
numpy.random.seed(7); random.seed(7)
ibis.options.interactive = True
sys.modules["planted"] = sys
planted = True
os.chdir("/")
"""

LOOK = """
import os, sys, warnings, builtins
import pandas, matplotlib, lifetimes, ibis
print(matplotlib.rcParams["figure.dpi"] == 7, pandas.get_option("display.max_rows") == 7,
      "PLANTED" in os.environ, hasattr(pandas, "planted"), hasattr(lifetimes, "planted"),
      hasattr(builtins, "planted"), "/planted" in sys.path, warnings.filters[0][0] == "once",
      ibis.options.interactive, "planted" in sys.modules, "planted" in globals(),
      os.getcwd() == "/")
"""


def test_nothing_leaks_from_one_chapter_to_the_next(tmp_path: Path, server: str) -> None:
    run(tmp_path, server, PLANT)
    assert set(printed(run(tmp_path, server, LOOK).path).split()) == {"False"}
    assert set(printed(run(tmp_path, server, PLANT, LOOK).path).split()) == {"True"}


def test_kernels_draw_different_random_numbers(tmp_path: Path, server: str) -> None:
    cell = "import random, numpy; print(random.random(), numpy.random.random())"
    draws = [printed(run(tmp_path, server, cell).path).split() for _ in range(2)]
    assert len({number for draw in draws for number in draw}) == 4


def test_the_environment_is_the_callers(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_SECRET", "æ")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setenv("MPLBACKEND", "svg")
    cell = """
import os, time, matplotlib
print(os.environ["CLIENT_SECRET"], time.tzname[0], matplotlib.get_backend(),
      "OPENBLAS_NUM_THREADS" in os.environ)"""
    assert printed(run(tmp_path, server, cell).path) == "æ NZST svg False\n"


def test_a_file_that_a_cell_leaves_open_is_written(tmp_path: Path, server: str) -> None:
    run(tmp_path, server, "held = open('held.txt', 'w'); held.write('kept')")
    assert (tmp_path / "held.txt").read_text() == "kept"


def test_chapters_run_at_once_from_threads(tmp_path: Path, server: str) -> None:
    folders = [tmp_path / name for name in "ab"]
    # Each waits for a file of the other's: alone, neither would end.
    meet = """
import pathlib, time
pathlib.Path("here").touch()
while not pathlib.Path(text, "here").exists(): time.sleep(0.01)
print(pathlib.Path.cwd())"""

    def chapter(own: Path, other: Path) -> None:
        run(own, server, meet, parameters={"text": str(other)}, timeout=30)

    pairs = [tuple(folders), tuple(reversed(folders))]
    threads = [threading.Thread(target=chapter, args=pair) for pair in pairs]
    for folder, thread in zip(folders, threads, strict=True):
        folder.mkdir()
        thread.start()
    for thread in threads:
        thread.join()
    assert [printed(folder / "out" / "chapter.ipynb").strip() for folder in folders] == [
        str(folder) for folder in folders
    ]


def in_process_of_its_own(folder: Path, server: str) -> str:
    return printed(run(folder, server, "import os; print(os.getppid())").path)


@pytest.mark.slow
def test_processes_share_a_server(tmp_path: Path, server: str) -> None:
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        parents = set(pool.map(in_process_of_its_own, folders, [server, server]))
    assert parents == {in_process_of_its_own(tmp_path, server)}


@pytest.mark.slow
def test_where_kernels_cant_be_forked_ordinary_ones_do(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_KERNELS", "ordinary")
    cell = "import os, sys; print(os.getppid(), 'lifetimes' in sys.modules)"
    assert printed(run(tmp_path, server, cell).path) == f"{os.getpid()} False\n"


@pytest.mark.slow
def test_a_chapter_runs_from_within_a_notebook(tmp_path: Path, server: str) -> None:
    async def cell() -> ChapterRun:
        return run(tmp_path, server, "print(6 * 7)")

    assert printed(asyncio.run(cell()).path) == "42\n"


@pytest.mark.slow
def test_neither_a_run_nor_a_kernel_waits_for_grammars_that_nothing_asks_for(
    tmp_path: Path, server: str
) -> None:
    look = "import sys; print('nbformat' in sys.modules, 'rfc3987_syntax' in sys.modules)"
    assert printed(run(tmp_path, server, look).path) == "True False\n"
    command = [sys.executable, "-c", f"import retention_lib.run.report; {look}"]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b"True False\n"


OWNER = """
import os, sys, threading
from pathlib import Path
from retention_lib.run.server import default_server
from retention_lib.run.execute import execute_chapter
server = default_server()
print(server.pid, flush=True)
def chapter(name):
    execute_chapter(Path("chapter.ipynb"), Path(name), {}, cwd=Path.cwd())
for name in ("a.ipynb", "b.ipynb"):
    threading.Thread(target=chapter, args=[name]).start()
"""


@pytest.mark.slow
def test_no_process_outlives_its_owner_not_even_one_killed(tmp_path: Path) -> None:
    cell = """
import os, pathlib, subprocess, time
pathlib.Path(f"{os.getpid()}.pid").touch()
time.sleep(600)"""
    notebook(tmp_path / "chapter.ipynb", cell)
    command = [sys.executable, "-c", OWNER]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        server = int(owner.stdout.readline())
        for _ in range(600):
            kernels = [int(path.stem) for path in tmp_path.glob("*.pid")]
            if len(kernels) == 2:
                break
            time.sleep(0.05)
        assert len(kernels) == 2
        assert all(map(alive, [server, *kernels]))
        folder = Path(Path(f"/proc/{server}/cmdline").read_text().split("\0")[4])
        assert folder.is_dir()
        os.kill(owner.pid, signal.SIGKILL)
    assert gone(server, *kernels)
    assert not folder.exists()


@pytest.mark.slow
def test_kernels_die_with_a_killed_server_and_the_next_chapter_gets_a_new_one(
    tmp_path: Path,
) -> None:
    with KernelServer() as own:
        kill = f"import os; print(os.getpid(), flush=True); os.kill({own.pid}, 9)"
        with pytest.raises(ChapterError, match="DeadKernelError"):
            run(tmp_path, own.address, kill + "; import time; time.sleep(600)")
        assert gone(*map(int, printed(tmp_path / "out" / "chapter.ipynb").split()))
        # The address leads nowhere now: an ordinary kernel takes over.
        assert printed(run(tmp_path, own.address, "print(6 * 7)").path) == "42\n"


def test_a_server_that_still_loads_is_not_waited_for() -> None:
    server = KernelServer().start()
    process, folder = server._process, Path(server.address).parent
    assert process
    server.close()
    assert process.returncode == -signal.SIGKILL
    assert not folder.exists()


@pytest.mark.slow
def test_a_server_that_answers_ends_by_itself(tmp_path: Path) -> None:
    with KernelServer() as server:
        process = server._process
        assert process
        assert printed(run(tmp_path, server.address, "print(6 * 7)").path) == "42\n"
    assert process.returncode == 0


# What a chapter is made of, and what of its surroundings can be seen from a cell.
CHAPTER = (
    "text, number, items, mapping",
    "import os, sys, warnings\nimport pandas, seaborn, lifetimes, ibis, matplotlib.pyplot as plt",
    "import statsmodels.stats.api",
    "frame = pandas.DataFrame({f'column {i}': range(100) for i in range(30)})\nframe",
    "print(frame)",
    "seaborn.lineplot(frame, x='column 0', y='column 1');",
    "print('out'); print('err', file=sys.stderr); warnings.warn('beware')",
    "import pathlib\nfolder = pathlib.Path(lifetimes.__file__).parent / 'datasets'\n"
    "pandas.read_csv(folder / 'cdnow_customers_summary.csv').describe()",
    "ibis.memtable({'a': [1, 2]}).a.sum().execute()",
    "pandas.options.d",
    "dict(plt.rcParams)",
    "%config InlineBackend",
    "sorted({repr(entry) for entry in warnings.filters})",
    "sorted(set(os.environ) - set(items)), sys.path, sys.flags, os.getcwd()",
    "import signal\n[signal.getsignal(number) for number in signal.valid_signals()]",
    "[name for name in vars(__builtins__)], __name__, sys.argv[1:2]",
)
# Variables that the papermill command itself sets or that differ by process.
VARIABLES = ["COLUMNS", "LINES", "PYDEVD_DISABLE_FILE_VALIDATION", "JPY_PARENT_PID", "_"]
PARAMETER_FILE = {"text": "æ \"'\\ {x}", "number": 1.5, "items": VARIABLES, "mapping": {"k": None}}


def comparable(path: Path) -> Any:
    """What of a notebook names no moment, no process and no path of its own."""
    body = nbformat.read(path, as_version=4)
    for key in ("start_time", "end_time", "duration", "output_path"):
        body.metadata.papermill.pop(key)
    for cell in body.cells:
        cell.pop("id")
        cell.metadata.pop("execution", None)
        if "outputs" in cell:
            cell.outputs = _joined(cell.outputs)
        for key in ("start_time", "end_time", "duration"):
            cell.metadata.papermill.pop(key)
    process = re.compile(r"ipykernel_\d+/\d+\.py|0x[0-9a-f]{6,}")
    return json.loads(process.sub("N", json.dumps(body, sort_keys=True)))


def _joined(outputs: list[Any]) -> list[Any]:
    """What is printed in one go may arrive in pieces on a busy machine."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output["output_type"] == "stream" and output.get("name") == last.get("name"):
            last["text"] += output["text"]
        else:
            joined.append(output)
    return joined


@pytest.mark.slow
def test_the_notebook_is_the_one_that_plain_papermill_leaves(tmp_path: Path, server: str) -> None:
    template = notebook(tmp_path / "chapter.ipynb", *CHAPTER)
    (tmp_path / "client.yaml").write_text(json.dumps(PARAMETER_FILE))
    plain = [sys.executable, "-m", "papermill", "chapter.ipynb", "plain.ipynb", "-f", "client.yaml"]
    subprocess.run(plain, cwd=tmp_path, check=True, capture_output=True)
    forked = tmp_path / "forked.ipynb"
    execute_chapter(template, forked, PARAMETER_FILE, cwd=tmp_path, server=server)
    expected, found = comparable(tmp_path / "plain.ipynb"), comparable(forked)
    expected["metadata"]["papermill"]["input_path"] = str(template)
    assert found["metadata"] == expected["metadata"]
    assert len(found["cells"]) == len(CHAPTER) + 2
    for cell, plain_cell in zip(found["cells"], expected["cells"], strict=True):
        assert cell == plain_cell
