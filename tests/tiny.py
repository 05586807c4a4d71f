"""A project with next to nothing in it: chapters of two cells, clients of eight orders.

What it makes are whole reports, by the same steps as real ones, in a tenth of the time: for tests
that make many, and look at how runs go rather than at what the reports say.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from retention_lib.data import history
from retention_lib.derived import parameters_cell
from retention_lib.params import read_client_file
from retention_lib.run.chapters import CHAPTERS
from retention_lib.run.job import Job

#: The day of a client's report, where no other is asked for.
AS_OF = "2025-09-30"
EARLIER = "2025-09-15"

_FIRST = """
import csv
from pathlib import Path

with open(source[0]) as orders:
    rows = [row for row in csv.DictReader(orders) if row["day"] <= as_of]
asked = Path(source[0]).with_name(f"{client}.asked.py")
"""
_CELLS: Mapping[str, str] = {
    # figures and a sentence, by which it is known of which data the report is
    "02_retention": """
from IPython.display import display
from retention_lib.report.language import Formats
from retention_lib.report.page import METRICS_MIME, Page

net = round(sum(float(row["sum"]) for row in rows), 2)
figures = {
    "customers.total": {"value": len({row["id"] for row in rows}), "unit": "count"},
    "revenue.net": {"value": net, "unit": "currency"},
}
display({METRICS_MIME: figures, "text/plain": ""}, raw=True)
Page(Formats(language, currency)).text("They bought for {net} together.", net=str(net))
""",
    # what the test wants of this client
    "03_cltv": """
if asked.exists():
    exec(asked.read_text())
""",
    # what goes out with the report
    "04_actions": """
import pandas as pd
from retention_lib.data.handover import output_folder

customers = pd.DataFrame(rows).groupby("id")["day"].agg(["min", "max"])
if (folder := output_folder()) is not None:
    customers.to_parquet(folder / "customers.parquet")
    (folder / "lists").mkdir()
    (folder / "lists" / "win_back.csv").write_text("\\n".join(["id", *customers.index]))
""",
}


def project(folder: Path) -> Path:
    """A folder with the chapters' notebooks, from which the command is run."""
    (folder / "notebooks").mkdir(parents=True)
    (folder / "params").mkdir()
    for chapter in CHAPTERS:
        first = nbformat.v4.new_code_cell(parameters_cell(), metadata={"tags": ["parameters"]})
        body = nbformat.v4.new_code_cell(_FIRST + _CELLS.get(chapter, ""))
        spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        made = nbformat.v4.new_notebook(cells=[first, body], metadata={"kernelspec": spec})
        nbformat.write(made, folder / "notebooks" / f"{chapter}.ipynb")
    return folder


def client(
    project: Path,
    name: str = "acme",
    *,
    seed: int = 0,
    asked: str | None = None,
    **keys: Any,
) -> Path:
    """A client's file, and its orders beside it.

    Parameters
    ----------
    project : Path
    name : str
    seed : int
        Of the orders.
    asked : str, optional
        Python that the client's chapter on value runs, with its parameters in scope.
    **keys
        Keys of the client file, in the place of what stands there else.
    """
    params = project / "params"
    draw = random.Random(f"{name} {seed}")
    orders = [
        # of two weeks, after which nobody has come back yet: too short to test a forecast with
        f"{customer},2025-09-{draw.randint(1, 14):02},{draw.randint(5, 500)}.5"
        for customer in range(1, 9)
    ]
    write(params / f"{name}.csv", "\n".join(["id,day,sum", *orders]) + "\n")
    told = params / f"{name}.asked.py"
    told.unlink(missing_ok=True)
    if asked is not None:
        told.write_text(asked)
    about = {
        **{"client": name, "currency": "NOK", "source": f"{name}.csv", "as_of": AS_OF},
        **{"columns": {"customer": "id", "date": "day", "amount": "sum"}, **keys},
    }
    file = params / f"{name}.yaml"
    file.write_text(json.dumps(about))  # which is YAML, too
    return file


def write(file: Path, text: str) -> None:
    """Write a file, or leave it as it is where it says that already, its time too."""
    if not file.exists() or file.read_text() != text:
        file.write_text(text)


def job(file: Path, reports: Path, **asked: Any) -> Job:
    """The client's report, as it is asked for."""
    return Job(read_client_file(file), reports, **asked)


# What a reader finds ---------------------------------------------------------------------------


def figures(report: Path) -> dict[str, Any]:
    """The figures of a report that is whole, and all of one piece.

    Parameters
    ----------
    report : Path
        The folder of one day.
    """
    names = {p.relative_to(report).as_posix() for p in report.rglob("*") if p.is_file()}
    assert names - {"model.json"} == {
        *("report.html", "metrics.json", "run.json", "customers.parquet", "lists/win_back.csv"),
        *(f"notebooks/{chapter}.ipynb" for chapter in CHAPTERS),
    }
    run = json.loads((report / "run.json").read_text())
    said = json.loads((report / "metrics.json").read_text())
    assert (said["client"], said["as_of"]) == (run["client"], run["as_of"])
    assert said["as_of"] == report.name
    html = (report / "report.html").read_text()
    assert html.rstrip().endswith("</html>")
    net = said["metrics"]["revenue.net"]["value"]
    assert re.search(rf"They bought for\D*{net}\D* together", html), net
    assert len(pd.read_parquet(report / "customers.parquet")) == run["data"]["rows_used"]
    for chapter in CHAPTERS:
        nbformat.read(report / "notebooks" / f"{chapter}.ipynb", as_version=4)
    assert str(net) in (report / "notebooks" / "02_retention.ipynb").read_text()
    return dict(said["metrics"])


def days(folder: Path) -> dict[str, dict[str, Any]]:
    """The figures of each of a client's reports, all of which are whole."""
    found = [p for p in folder.glob("????-??-??") if p.is_dir()]
    return {report.name: figures(report) for report in sorted(found)}


def kept(folder: Path) -> dict[str, dict[str, Any]]:
    """What a client's history says of each day, which nothing in it says twice."""
    rows = history.read(folder / history.FILE_NAME, folder.name)
    assert not rows.duplicated(["as_of", "metric"]).any()
    assert rows.groupby("as_of")["made_at"].nunique().le(1).all()
    return {
        str(day): dict(zip(of_day["metric"], of_day["value"], strict=True))
        for day, of_day in rows.groupby("as_of")
    }


def values(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A report's figures as the history has them."""
    return {name: float(metric["value"]) for name, metric in metrics.items()}


#: What may lie beside a client's reports for good.
BESIDE = {".run.lock", ".history.lock", "history.parquet", ".prepared"}


def settled(folder: Path) -> dict[str, dict[str, Any]]:
    """The figures of a client's reports, where runs are over and all of them went well."""
    found = days(folder)
    assert {p.name for p in folder.iterdir()} - BESIDE == {*found}
    assert kept(folder) == {day: values(metrics) for day, metrics in found.items()}
    return found
