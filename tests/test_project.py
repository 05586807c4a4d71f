"""The project itself: notebooks without output, one list of dependencies, no address in a file."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml

from retention_lib.derived import drift
from retention_lib.report.labels import LABELS
from retention_lib.run.chapters import CHAPTERS, FURTHER

GIVEN = ("jupyter", "papermill", "pandas", "seaborn", "lifetimes", "nbconvert", "pytest")


def notebooks(root: Path) -> list[Path]:
    return sorted((root / "notebooks").glob("*.ipynb"))


def test_the_notebooks_are_the_chapters(root: Path) -> None:
    assert [n.stem for n in notebooks(root)] == [*CHAPTERS, FURTHER]


@pytest.mark.parametrize("chapter", [*CHAPTERS, FURTHER])
def test_notebooks_carry_no_output(root: Path, chapter: str) -> None:
    notebook = nbformat.read(root / "notebooks" / f"{chapter}.ipynb", 4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}


@pytest.mark.parametrize("chapter", [*CHAPTERS, FURTHER])
def test_notebooks_stay_thin(root: Path, chapter: str) -> None:
    for cell in nbformat.read(root / "notebooks" / f"{chapter}.ipynb", 4).cells:
        if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", []):
            assert not re.search(r"^\s*(def|class|for|while|if) ", cell.source, re.MULTILINE)


def test_what_comes_from_the_model_of_the_client_file_is_up_to_date(root: Path) -> None:
    assert drift(root) == []


def test_the_lock_holds_the_given_packages_with_hashes_and_no_address(root: Path) -> None:
    lock = (root / "requirements.lock").read_text()
    pinned = dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", lock, re.MULTILINE))
    assert set(GIVEN) <= set(pinned)
    assert pinned["pandas"].startswith("3.")
    assert "://" not in lock
    assert "--index-url" not in lock
    requirements = re.split(r"\n(?=[a-z0-9])", lock)
    assert all("--hash=sha256:" in r for r in requirements if "==" in r)


def test_the_lock_has_every_dependency_of_the_project(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[<>=!~ ]", w)[0].lower().replace("_", "-") for w in wanted}
    lock = (root / "requirements.lock").read_text()
    assert names <= set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE))


def test_conda_installs_from_the_same_lock(root: Path) -> None:
    dependencies = yaml.safe_load((root / "environment.yml").read_text())["dependencies"]
    assert dependencies[-1] == {"pip": ["--requirement requirements.lock"]}
    assert [d for d in dependencies if isinstance(d, str)] == ["python=3.11", "pip"]


def test_every_metric_stands_in_the_method(root: Path) -> None:
    page = (root / "docs" / "method.md").read_text()
    assert [name for name in LABELS if f"`{name}`" not in page] == []


def test_no_registry_and_no_path_of_a_machine_stands_in_a_file(root: Path) -> None:
    files = subprocess.run(
        ["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    words = re.compile(r"pypi\.org|files\.pythonhosted|/home/\w|/root/|" + re.escape(str(root)))
    found = [
        name
        for name in files
        if (root / name).suffix in {".py", ".md", ".toml", ".yaml", ".yml", ".ipynb", ".lock", ""}
        and name != "tests/test_project.py"
        and words.search((root / name).read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []
