"""What a client's reports said, from the first on: one row per report's day and metric.

`history.parquet` (CONTRACT, section 2) holds nothing that the reports beside it don't say in their
`metrics.json` and `run.json`; `known` puts both together, so that a lost file, or a run that ended
between its report and the file, loses nothing. Each row says what its figure was defined by, so
that no trend is drawn across a change.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import pandas as pd

from retention_lib import report_files
from retention_lib.data.periods import windows
from retention_lib.errors import DataError
from retention_lib.keys.datasets import DATASETS, DataSource
from retention_lib.metrics import UNITS, general
from retention_lib.params import Params

#: Name of the file beside a client's reports.
FILE_NAME: Final = "history.parquet"
#: Counted up when a reader of an older version could misread the file.
SCHEMA: Final = 1
COLUMNS: Final = (
    *("as_of", "metric", "value", "unit", "low", "high", "n", "note"),
    *("definition", "fingerprint", "version", "made_at"),
)

#: Keys of the client file that every figure depends on.
_EVERY: Final = (
    *("currency", "timezone", "returns", "free_orders", "deduplicate", "guest_ids", "fx"),
    *("period_months", "active_months"),
)
#: Those that a forecast depends on besides, and those that its figures begin with.
_FORECAST: Final = ("horizon_months", "discount_rate", "margin")
_FORECAST_METRICS: Final = (
    *("customers.expected_alive", "purchases.expected", "clv.", "tiers.", "slipping."),
    *("holdout.", "economics."),
)
#: Those that single families of figures depend on.
_OWN: Final[Mapping[str, tuple[str, ...]]] = {
    "tiers.": ("tiers",),
    "economics.": ("acquisition_cost", "retention_cost"),
    "holdout.": ("holdout_months",),
    "cohorts.": ("cohort_period",),
    "model.": ("time_unit",),
    "programme.": ("programme", "margin"),
    "experiment.": ("experiments", "margin"),
    "survey.": ("survey",),
    "subscription.": ("subscriptions", "margin", "discount_rate"),
}
#: Figures that look no further back than the activity window before the period.
_WITHIN_WINDOWS: Final = frozenset(
    {
        *("customers.active", "customers.at_start", "customers.at_end", "customers.lost"),
        *("retention.rate", "churn.rate", "retention.repurchase_rate", "retention.repeat_rate"),
        *("revenue.net", "revenue.top20_share"),
        *("orders.count", "orders.aov", "orders.per_customer"),
    }
)


# The file ------------------------------------------------------------------------------------


def read(file: Path, client: str) -> pd.DataFrame:
    """The rows of a history.

    Parameters
    ----------
    file : Path
    client : str
        Whose history it should be.

    Returns
    -------
    DataFrame
        `COLUMNS`, by day and in the order of the contract. `as_of` and `made_at` are ISO text;
        `definition` is JSON (`definition_of`). Empty where there is no file.

    Raises
    ------
    DataError
        A damaged file, one of something else or of another client, or one of a newer version.
    """
    if not file.exists():
        return empty()
    frame: pd.DataFrame = _table(file, client, COLUMNS).to_pandas()
    return frame.assign(as_of=[day.isoformat() for day in frame["as_of"]])


def series(
    file: Path, client: str, metrics: Collection[str], as_of: str
) -> dict[str, list[tuple[str, float]]]:
    """What the reports up to a day said of some metrics.

    Parameters
    ----------
    file : Path
    client : str
    metrics : collection of str
        Ids.
    as_of : str
        Day of the report with which the others are compared.

    Returns
    -------
    dict
        Id → day and value of each report, by day, that had the value and defined it as the report
        of `as_of` does; empty where there is no file.

    Raises
    ------
    DataError
        As `read`.
    """
    if not file.exists():
        return {}
    table = _table(file, client, ("as_of", "metric", "value", "definition"))
    found: dict[str, list[tuple[str, float, str]]] = {name: [] for name in metrics}
    for day, name, value, definition in zip(*(c.to_pylist() for c in table), strict=True):
        if name in found and value is not None and day.isoformat() <= as_of:
            found[name].append((day.isoformat(), value, definition))
    made = {}
    for name, points in found.items():
        now = next((definition for day, _, definition in points if day == as_of), None)
        if now is not None:
            made[name] = sorted(
                (day, value)
                for day, value, then in points
                if not changed(name, day, then, as_of, now)
            )
    return made


def _table(file: Path, client: str, columns: Sequence[str]) -> Any:
    """Columns of the file, which is known to be this client's history."""
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as opened:
            about = opened.schema_arrow.metadata or {}
            about = {k.decode(): v.decode() for k, v in about.items()}
            names = opened.schema_arrow.names
            table = opened.read([name for name in columns if name in names])
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: this isn't a whole Parquet file; {_REMEDY}") from error
    version = about.get("retention.schema", "")
    if not version.isdecimal() or not set(COLUMNS) <= set(names):
        raise DataError(f"{file}: this isn't a history that `retention` wrote; {_REMEDY}")
    if int(version) > SCHEMA:
        raise DataError(
            f"{file}: the history is of version {version}, newer than version {SCHEMA} which this "
            "program reads; update it."
        )
    if about.get("retention.client") != client:
        raise DataError(
            f"{file}: this is the history of {about.get('retention.client')}, not of {client}; "
            f"{_REMEDY}"
        )
    return table.select(list(columns))


_REMEDY: Final = (
    "it stays as it is, and no report is added to it. Move it away: the next report makes it "
    "anew from the reports beside it."
)


def empty() -> pd.DataFrame:
    """A history without a row."""
    return _frame([])


def write(file: Path, rows: pd.DataFrame, client: str) -> None:
    """Write a history, whole or not at all.

    Parameters
    ----------
    file : Path
        What stands there is replaced.
    rows : DataFrame
        As `read` gives them.
    client : str
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = _frame(rows[list(COLUMNS)].to_dict("records"))
    fields: dict[str, Any] = {name: pa.string() for name in COLUMNS}
    fields |= {"as_of": pa.date32(), "n": pa.int64()}
    fields |= dict.fromkeys(("value", "low", "high"), pa.float64())
    about = {"retention.schema": str(SCHEMA), "retention.client": client}
    shape = pa.schema(list(fields.items()), metadata=about)
    columns = {
        name: [_cell(name, value) for value in whole[name].astype(object)] for name in fields
    }
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            pq.write_table(pa.table(columns, schema=shape), stream)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _cell(name: str, value: Any) -> Any:
    if value is None or pd.isna(value):
        return None
    if name == "as_of":
        return dt.date.fromisoformat(value)
    return int(value) if name == "n" else value


def _frame(rows: Sequence[Mapping[Any, Any]]) -> pd.DataFrame:
    """The rows in order: by day, then as the contract lists the metrics."""
    place = {name: n for n, name in enumerate(UNITS)}
    ordered = sorted(
        rows,
        key=lambda r: (r["as_of"], place.get(general(r["metric"]), len(place)), r["metric"]),
    )
    numbers = dict.fromkeys(("value", "low", "high", "n"), float)
    return pd.DataFrame(ordered, columns=list(COLUMNS)).astype(numbers)


# From the reports ----------------------------------------------------------------------------


def known(reports: Path, client: str) -> pd.DataFrame:
    """The history of a client: the file's rows, and those of reports that it doesn't know.

    Of a report that was made anew since the file was written, the new rows.

    Parameters
    ----------
    reports : Path
        The client's folder.
    client : str

    Raises
    ------
    DataError
        The file can't be read (`read`).
    """
    return with_reports(read(reports / FILE_NAME, client), reports)


def with_reports(rows: pd.DataFrame, reports: Path) -> pd.DataFrame:
    """The rows, those of each report in a folder that they lack added, or put in their place."""
    made = dict(zip(rows["as_of"], rows["made_at"], strict=True))
    new = [found for found in _reports(reports) if made.get(found[0]["as_of"]) != _made_at(found)]
    if not new:
        return rows
    days = {found[0]["as_of"] for found in new}
    kept = rows[~rows["as_of"].isin(days)].to_dict("records")
    return _frame([*kept, *(row for found in new for row in found)])


def _made_at(rows: Sequence[Mapping[str, Any]]) -> Any:
    return rows[0]["made_at"]


def _reports(reports: Path) -> Iterator[list[dict[str, Any]]]:
    """The rows of each whole report in a folder; one that can't be read is passed over."""
    for folder in sorted(reports.glob("*-*-*")):
        try:
            day = dt.date.fromisoformat(folder.name)
            rows = of_report(folder)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # a failed run's, a single chapter, or somebody's own folder
        if rows and rows[0]["as_of"] == day.isoformat():
            yield rows


def of_report(folder: Path) -> list[dict[str, Any]]:
    """The rows of one report, from its `metrics.json` and `run.json`.

    Raises
    ------
    OSError, ValueError, KeyError, TypeError, AttributeError
        A file that is missing or isn't what a run leaves.
    """
    figures = json.loads((folder / report_files.METRICS).read_text(encoding="utf-8"))
    run = json.loads((folder / report_files.RUN).read_text(encoding="utf-8"))
    about = {
        "as_of": dt.date.fromisoformat(figures["as_of"]).isoformat(),
        "definition": json.dumps(definition_of(run, figures["metrics"])),
        "fingerprint": run["data"]["sha256"],
        "version": run["versions"].get("retention"),
        "made_at": run["finished"],
    }
    fields = ("value", "unit", "low", "high", "n", "note")
    return [
        {**about, "metric": name, **{field: metric.get(field) for field in fields}}
        for name, metric in figures["metrics"].items()
    ]


# What a figure was defined by ----------------------------------------------------------------


def definition_of(run: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What the figures of a report depend on besides the orders.

    Parameters
    ----------
    run : mapping
        `run.json`, whose parameters are those that differ from their default.
    metrics : mapping
        By id; the models' parameters name the model.
    """
    given = run["parameters"]
    keys = [*_EVERY, *_FORECAST, *(key for own in _OWN.values() for key in own)]
    known = {key: _settings(key, given.get(key, _default(key))) for key in keys}
    models = {name.split(".")[1] for name in metrics if name.startswith("model.")}
    return {**known, "start": run["start"], "model": ", ".join(sorted(models - {"gammagamma"}))}


def _settings(key: str, value: Any) -> Any:
    """A key's value; of a further data set without where it is: each export has its own name."""
    if key not in DATASETS or not isinstance(value, dict):
        return value
    return {
        name: _settings(key, inner)
        for name, inner in value.items()
        if name not in DataSource.model_fields
    }


@cache
def _default(key: str) -> Any:
    default = Params.model_fields[key].default if key in Params.model_fields else None
    return None if repr(default) == "PydanticUndefined" else default


def changed(metric: str, as_of: str, then: str, later: str, now: str) -> tuple[str, ...]:
    """What a metric depends on that is not the same in two reports.

    Parameters
    ----------
    metric : str
    as_of, later : str
        The two reports' days.
    then, now : str
        Their definitions, as JSON.

    Returns
    -------
    tuple of str
        Keys of the client file; empty where the two figures can be compared.
    """
    if then == now and metric not in _WITHIN_WINDOWS:
        return ()
    one, two = _of_metric(metric, as_of, then), _of_metric(metric, later, now)
    return tuple(key for key in one if one[key] != two[key])


def _of_metric(metric: str, as_of: str, definition: str) -> dict[str, Any]:
    """The part of a definition that a metric depends on."""
    said = json.loads(definition)
    keys = [*_EVERY]
    if metric.startswith(_FORECAST_METRICS):
        keys += [*_FORECAST, "model"]
    keys += [key for part, own in _OWN.items() if metric.startswith(part) for key in own]
    # a key that an earlier version didn't keep is taken as it is by default
    relevant = {key: said.get(key, _default(key)) for key in keys}
    start = said["start"]
    if metric in _WITHIN_WINDOWS:
        at = windows(dt.date.fromisoformat(as_of), said["period_months"], said["active_months"])
        # data that starts before all that is looked at may start anywhere
        start = start if start > at.before.start.isoformat() else ""
    return {**relevant, "start": start}
