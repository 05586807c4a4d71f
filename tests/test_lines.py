"""A line is refused only where the engine would refuse it, and sooner, with its number."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_lib.data.files import NamedFile
from retention_lib.data.layout import layout_of
from retention_lib.data.lines import rows_of
from retention_lib.errors import DataError

NAMES = ("kunde", "dato", "sum")
CELLS = st.sampled_from(
    ["a", "b c", '"a;b"', '"a\nb"', '"a""b"', "a'b", 'a"b', "", " ", '"', ' "x"']
)
LINES = st.lists(st.lists(CELLS, min_size=1, max_size=5).map(";".join), min_size=1, max_size=6)
CON = duckdb.connect()
#: A whole row, so that a file of some lines isn't one of broken lines only.
GOOD = "anna;2024-01-01;5\n"


def is_read(file: Path) -> bool:
    """Whether the engine reads the file, told nothing but its columns."""
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in NAMES)
    query = (
        f"SELECT * FROM read_csv(?, auto_detect = false, columns = {{{columns}}}, delim = ';', "
        "header = true, comment = '', quote = '\"', escape = '\"')"
    )
    try:
        CON.execute(query, [str(file)]).fetchall()
    except duckdb.Error:
        return False
    return True


def is_accepted(file: Path) -> bool:
    try:
        layout_of(NamedFile(file, file.name), delimiter=";", wanted=NAMES)
    except DataError:
        return False
    return True


@settings(max_examples=40)
@given(LINES)
def test_what_is_refused_here_the_engine_refuses_too(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    file = tmp_path_factory.getbasetemp() / "lines.csv"
    file.write_text(";".join(NAMES) + "\n" + GOOD * 2 + "\n".join(lines) + "\n" + GOOD)
    assert is_accepted(file) or not is_read(file)


def test_rows_know_their_lines() -> None:
    rows = rows_of('\ufeffa;b\r\n\r\n"x\r\ny";1\rz;2\n', ";")
    assert rows.cells == [["a", "b"], [], ["x\r\ny", "1"], ["z", "2"]]
    assert [rows.first_line(n) for n in range(4)] == [1, 2, 3, 5]
    assert rows.ends == [1, 2, 4, 5]


def test_a_cell_may_be_longer_than_the_csv_module_allows() -> None:
    assert len(rows_of("a;b\n" + "x" * 500_000 + ";1\n", ";").cells) == 2
