"""Broken and odd inputs through the real command: each a clear sentence, and nothing written.

The inputs stand in `bad_input`, with the words that their consultant has to be told.
"""

from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from bad_input import HEADER, ROW, SECRET, TWO, Case, cells, packed, places, snapshot, text_files
from typer.testing import CliRunner

from retention_lib.cli import app
from retention_lib.data import files

FILES = {**text_files.CASES, **packed.CASES}
CASES = {**FILES, **cells.CASES, **places.CASES}

#: A sentence begins with where the matter is: a key of the client file, or the file and the key.
PLACE = re.compile(r"([a-z_]+(\.[a-z_]+)?|[^:]+/acme\.yaml(, [^:]+)?): ")
LONGEST = 700


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the files, away from the working directory, both of which nothing changes."""
    for name in ("work", "temp", "client"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    return tmp_path / "client"


def params(cases: dict[str, Case]) -> list:
    """The cases for pytest; one that is read goes through all that `check` says of it."""
    return [
        pytest.param(
            case,
            id=name,
            marks=[
                *([pytest.mark.xfail(strict=True, reason=case.xfail)] if case.xfail else []),
                *([] if case.code else [pytest.mark.slow]),
            ],
        )
        for name, case in cases.items()
    ]


def check(case: Case, code: int, stdout: str, stderr: str) -> None:
    """What the command said is what the consultant has to be told."""
    printed = stdout + stderr
    assert "Traceback" not in printed
    for hidden in (SECRET, *case.never):
        assert hidden not in printed
    said = stderr if case.code else stdout
    for words in case.says:
        assert words in said
    assert code == case.code
    sentences = stderr.splitlines()
    assert len(sentences) == case.lines
    for sentence in sentences:
        assert PLACE.match(sentence), sentence
        assert len(sentence) < LONGEST
        assert sentence.replace("\u200d", "").isprintable()


@pytest.mark.parametrize("case", params(CASES))
def test_a_bad_input_is_told_in_sentences(
    here: Path, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    file = case.make(here)
    for name, value in case.environment(here).items():
        monkeypatch.setenv(name, value)
    before = snapshot(here.parent)
    ran = CliRunner().invoke(app, ["check", str(file)])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    check(case, ran.exit_code, ran.stdout, ran.stderr)
    if any((here.parent / "temp").iterdir()):
        gc.collect()  # a temporary folder goes with its connection, which an error may still hold
    assert snapshot(here.parent) == before


def test_there_are_at_least_sixty_and_all_differ() -> None:
    assert len(CASES) == sum(len(m.CASES) for m in (text_files, cells, packed, places))
    refused = [case for case in CASES.values() if case.code]
    assert len(refused) >= 60
    inputs = [(case.files, case.given, case.client, case.env) for case in CASES.values()]
    assert not any(one in inputs[:n] for n, one in enumerate(inputs))


SLOW = (
    *("lines: quotes never closed", "named .csv: a picture", "gzip: cut in half"),
    *("workbook: under a password", "path: links in a circle", "client file: binary"),
    *("secret: an address out of the environment", "amounts: commas and points, told"),
)


@pytest.mark.slow
@pytest.mark.parametrize("case", params({name: CASES[name] for name in SLOW}))
def test_a_bad_input_is_told_by_the_command_itself(here: Path, case: Case) -> None:
    file = case.make(here)
    before = snapshot(here.parent)
    ran = subprocess.run(
        [Path(sys.executable).parent / "retention", "check", file],
        env={**os.environ, **case.environment(here), "TMPDIR": tempfile.gettempdir()},
        capture_output=True,
        text=True,
        check=False,
    )
    check(case, ran.returncode, ran.stdout, ran.stderr)
    assert snapshot(here.parent) == before


@pytest.mark.slow
@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in FILES.items()])
def test_no_file_stops_a_proposal_without_a_sentence(
    here: Path, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    case.make(here)
    monkeypatch.chdir(here)
    before = snapshot(here)
    data = str(case.given.get("source", "o.csv"))
    ran = CliRunner().invoke(app, ["init", "shop", data, "--currency", "NOK"])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    assert ran.exit_code in (0, 2, 3)
    assert bool(ran.stderr.strip()) == bool(ran.exit_code)
    after = snapshot(here)
    made = (
        {str(here / "params"), str(here / "params" / "shop.yaml")} if not ran.exit_code else set()
    )
    assert {name: what for name, what in after.items() if name not in made} == before


# --- what no table can hold ----------------------------------------------------------------------


def told(file: Path) -> str:
    """The one sentence on a file that can't be used."""
    ran = CliRunner().invoke(app, ["check", str(file)])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    assert ran.exit_code == 3
    (sentence,) = ran.stderr.splitlines()
    assert PLACE.match(sentence)
    return sentence


GOING = {
    "o.csv": TWO,
    "o.csv.gz": packed.GOOD,
    "o.jsonl": packed.lines(packed.ONE),
    "o.xlsx": packed.book(packed.NAMES, ["a", packed.DAY, 5]),
    "o.parquet": packed.parquet({"kunde": ["a"], "dato": [packed.DAY], "sum": [5.0]}),
}


@pytest.mark.parametrize("name", GOING)
def test_a_file_that_goes_while_it_is_read(
    here: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file = Case({name: GOING[name]}, (), {"source": name}).make(here)
    checked: Callable[[files.NamedFile], None] = files._check

    def check_and_remove(named: files.NamedFile) -> None:
        checked(named)
        named.path.unlink()

    monkeypatch.setattr(files, "_check", check_and_remove)
    said = told(file)
    assert name in said
    assert "no such file" in said.lower()


def test_a_file_that_may_not_be_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Case({"o.csv": TWO}, ()).make(here)
    (here / "o.csv").chmod(0)
    if os.geteuid() == 0:  # who may read every file: the answer is given for another
        access = os.access
        monkeypatch.setattr(
            os, "access", lambda path, mode: Path(path).name != "o.csv" and access(path, mode)
        )
    said = told(file)
    assert "o.csv can't be read; its permissions don't allow it" in said
    assert "copy the file" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("bo;2024-01-01\n", "found 2 columns where the others have 3"),
        ("bo;2024-01-01;1;2\n", "found 4 columns where the others have 3"),
        ('"bo;2024-01-01;1\n', "a quote opens here and is never closed"),
        ("b" * 3_000_000 + ";2024-01-01;1\n", "characters"),
    ],
)
def test_a_line_beyond_what_is_looked_at_is_told_all_the_same(
    here: Path, bad: str, says: str
) -> None:
    n = 300_000
    text = HEADER + ROW * n + bad + ROW
    said = told(Case({"o.csv": text}, ()).make(here))
    assert f"o.csv, line {n + 2:,}" in said
    assert says in said
