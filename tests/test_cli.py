"""The command: what it prints, how it ends, what it never does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

RETENTION = Path(sys.executable).parent / "retention"


def retention(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [RETENTION, *map(str, words)], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "acme.yaml"
    file.write_text(
        "client: Acme AS\n"
        "language: no\n"
        "currency: kroner\n"
        "source: builtin:cdnow\n"
        "tires: {gold: 0.1}\n"
        "horizon_months: -3\n"
    )
    return file


def test_five_mistakes_are_five_sentences_and_exit_2(broken: Path) -> None:
    ran = retention("report", broken, cwd=broken.parent)
    assert ran.returncode == 2
    assert ran.stdout == ""
    sentences = ran.stderr.strip().splitlines()
    assert len(sentences) == 5
    for line, key in enumerate(("client", "language", "currency", None, "tires"), start=1):
        if key:
            assert sum(f"line {line}, {key}:" in s for s in sentences) == 1
    assert "did you mean tiers?" in ran.stderr
    assert "write nb" in ran.stderr
    assert not (broken.parent / "reports").exists()


def test_a_bad_file_starts_no_kernel_and_loads_no_library_of_a_run(broken: Path) -> None:
    code = (
        "import sys\n"
        "from retention_lib.cli import app\n"
        "try:\n"
        f"    app(['report', {str(broken)!r}], standalone_mode=False)\n"
        "except BaseException as end:\n"
        "    print(type(end).__name__)\n"
        "loaded = {m.partition('.')[0] for m in sys.modules}\n"
        "print(sorted(loaded & {'pandas', 'ibis', 'papermill', 'ipykernel', 'zmq', 'lifetimes'}))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


@pytest.mark.slow
def test_a_bad_file_costs_the_good_ones_nothing(broken: Path, root: Path) -> None:
    good = root / "params" / "cdnow-sample.yaml"
    ran = retention("report", good, broken, "--only", "01", cwd=broken.parent)
    assert ran.returncode == 1
    assert "did you mean tiers?" in ran.stderr
    folder = broken.parent / "reports"
    assert [p.name for p in (folder / "cdnow-sample").glob("*.html")] == ["1997-09-30-01_data.html"]
    assert ran.stdout.strip().splitlines()[-1] == "All clients: reports/index.html"
    assert "1 made, 1 failed" in ran.stdout


def test_two_files_of_one_client_are_refused(tmp_path: Path, root: Path) -> None:
    good = root / "params" / "cdnow-sample.yaml"
    copy = tmp_path / "copy.yaml"
    copy.write_text(good.read_text())
    ran = retention("report", good, copy, cwd=tmp_path)
    assert ran.returncode == 2
    assert "cdnow-sample is named by more than one" in ran.stderr


def test_data_that_cannot_be_used_is_a_sentence_and_exit_3(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("id,day,sum\n1,soon,10\n")
    (tmp_path / "acme.yaml").write_text(
        "client: acme\ncurrency: NOK\nsource: orders.csv\n"
        "columns: {customer: id, date: day, amount: sum}\n"
    )
    for command in ("check", "report"):
        ran = retention(command, "acme.yaml", cwd=tmp_path)
        assert ran.returncode == 3
        assert "no row can be used" in ran.stderr
        assert "Traceback" not in ran.stderr
    assert "Traceback" in retention("check", "--debug", "acme.yaml", cwd=tmp_path).stderr


def test_a_database_that_is_not_read_yet_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(
        "client: acme\ncurrency: NOK\nsource: postgres://u:${PASSWORD}@localhost/shop\n"
        "table: orders\ncolumns: {customer: id, date: day, amount: sum}\n"
    )
    ran = retention("check", "acme.yaml", cwd=tmp_path)
    assert ran.returncode in (2, 3)
    assert len(ran.stderr.strip().splitlines()) == 1
    assert "Traceback" not in ran.stderr


def test_a_chapter_that_is_none_is_named_with_those_that_are(tmp_path: Path, root: Path) -> None:
    ran = retention(
        "report", root / "params" / "cdnow-sample.yaml", "--only", "9_magic", cwd=tmp_path
    )
    assert ran.returncode == 2
    assert '"9_magic"' in ran.stderr
    assert "03_cltv" in ran.stderr


def test_check_says_what_is_used_and_what_is_left_out(root: Path) -> None:
    ran = retention("check", "params/cdnow-sample.yaml", cwd=root)
    assert ran.returncode == 0
    assert "4,960 of 6,919 rows are used; 2,357 customers" in ran.stdout
    assert "1,959 rows. Outside the reported window" in ran.stdout


def test_schema_is_the_one_that_lies_beside_the_client_files(root: Path) -> None:
    ran = retention("schema", cwd=root)
    printed = json.loads(ran.stdout)
    assert printed == json.loads((root / "params" / "retention.schema.json").read_text())
    for file in (root / "params").glob("*.yaml"):
        # JSON has no days: an editor's check sees their text
        client = json.loads(json.dumps(yaml.safe_load(file.read_text()), default=str))
        jsonschema.validate(client, printed)


@pytest.mark.slow
def test_a_report_prints_its_path_and_one_line_a_step(tmp_path: Path, root: Path) -> None:
    ran = retention(
        "report", "params/cdnow-sample.yaml", "--out", tmp_path, "--only", "summary", cwd=root
    )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.strip().splitlines()
    page = tmp_path / "cdnow-sample" / "1997-09-30-00_summary.html"
    assert lines[-1] == str(page)
    assert page.exists()
    assert any(line.split()[0] == "00_summary" for line in lines)
    assert "\x1b" not in ran.stdout


@pytest.mark.slow
def test_a_chapter_alone_speaks_the_language_too(tmp_path: Path, root: Path) -> None:
    text = (root / "params" / "cdnow-sample.yaml").read_text()
    (tmp_path / "nb.yaml").write_text(text + "language: nb\n")
    ran = retention("report", tmp_path / "nb.yaml", "--out", tmp_path, "--only", "01", cwd=root)
    assert (ran.returncode, ran.stderr) == (0, "")
    page = (tmp_path / "cdnow-sample" / "1997-09-30-01_data.html").read_text()
    assert '<html lang="nb"' in page
    assert "kunne brukes" in page
