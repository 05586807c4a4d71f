"""Tables for the report: figures with their intervals, any frame, the rows that were left out.

great-tables lays them out, `Formats` writes every figure. Each function gives back what a notebook
shows by itself and `Page.table` puts into the report: of metrics a `GT`, of frames a `Table`, which
keeps the figures. The look is left to the page: no background, thin rules, its own type.

Text from data is escaped, cells by great-tables, headings and notes here: great-tables would
read `{{…}}` in a heading as a unit and let the markup around it through.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final, Literal

import pandas as pd
import pyarrow as pa
from great_tables import GT, html

from retention_lib.data.purchases import CAUSES
from retention_lib.data.quality import KEYS as KEYS
from retention_lib.metrics import Metric
from retention_lib.report.language import MISSING, Formats
from retention_lib.report.names import steady
from retention_lib.report.traced import Table

Format = Literal[
    "count", "share", "currency", "number", "ratio", "days", "months", "date", "month", "text"
]
"""How a column is written: a metric's unit, or `date`, `month` or `text`."""

NUMBERS: Final = frozenset({"count", "share", "currency", "number", "ratio", "days", "months"})
"""Formats of figures, which stand at the right of their column."""

#: Names of columns whose texts are figures too: an interval, a difference in points.
_FIGURES_IN_WORDS: Final = ("interval", "range", "points")


def metric_table(
    rows: Sequence[tuple[str, Metric]],
    fmt: Formats,
    *,
    id: str = "metrics",
    digits: int | None = None,
) -> GT:
    """Figures one below another: value, interval, n, what they were before; notes under the table.

    A column that would be empty is left out.

    Parameters
    ----------
    rows : sequence of (label, Metric)
    fmt : Formats
    id : str
        Start of the ids in the HTML, which is the same for the same figures.
    digits : int, optional
        Decimals of plain numbers; by default as `Formats.value` has them.

    Returns
    -------
    great_tables.GT
    """
    metrics = [metric for _, metric in rows]
    columns: dict[str, tuple[str, list[str]]] = {
        "value": (fmt.say("Value"), [fmt.metric(m, digits) for m in metrics]),
        "interval": (
            fmt.say("95% interval"),
            [fmt.interval(m.low, m.high, m.unit, digits) for m in metrics],
        ),
        "n": (fmt.say("n"), [fmt.count(m.n) for m in metrics]),
        "previous": (
            fmt.say("Period before"),
            [fmt.value(m.previous, m.unit) for m in metrics],
        ),
        "year_ago": (fmt.say("A year ago"), [fmt.value(m.year_ago, m.unit) for m in metrics]),
    }
    shown = {
        name: column
        for name, column in columns.items()
        if name == "value" or any(text != MISSING for text in column[1])
    }
    texts = {"figure": [label for label, _ in rows]}
    texts |= {name: column for name, (_, column) in shown.items()}
    labels = {"figure": fmt.say("Figure")} | {name: head for name, (head, _) in shown.items()}
    table = _laid_out(texts, labels, right=[*shown], stub="figure", id=id)
    # By name, not by a raised mark, which would read as a digit where the style sheet is lost.
    for note in dict.fromkeys(m.note for m in metrics if m.note):
        whose = ", ".join(label for label, m in rows if m.note == note)
        told = fmt.say("{figures}: {note}", figures=whose, note=fmt.tell(note))
        table = table.tab_source_note(_safe(told))
    return table


def frame_table(
    frame: pd.DataFrame,
    fmt: Formats,
    formats: Mapping[str, Format],
    labels: Mapping[str, str],
    stub: str | None = None,
    *,
    id: str = "table",
) -> Table:
    """A frame as a table, each column written by its format.

    Parameters
    ----------
    frame : pandas.DataFrame
    fmt : Formats
    formats : mapping of column to format
        Which columns are shown, in this order; see `Format`. Figures and dates that are missing
        become an en dash.
    labels : mapping of column to heading
        As the reader sees it; a column without one keeps its name.
    stub : str, optional
        The column that names the rows; its cells become the rows' headings.
    id : str
        Start of the ids in the HTML.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        A format or stub names a column that the frame doesn't have, or a format is none that
        tables know.
    """
    _check(frame, formats, stub)
    order = [*formats] if stub is None or stub in formats else [stub, *formats]
    text = {column: _column(frame[column], formats.get(column, "text"), fmt) for column in order}
    headings = {column: labels.get(column, column) for column in order}
    right = [
        column
        for column in order
        if formats.get(column) in NUMBERS or column.endswith(_FIGURES_IN_WORDS)
    ]
    units = {column: formats.get(column, "text") for column in order}
    return Table(_laid_out(text, headings, right, stub, id), id, units, frame)


def reasons_table(frame: pd.DataFrame, fmt: Formats, *, id: str = "left-out") -> Table:
    """What became of the rows, by cause, and the client file's key that changes it.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a cause, as `data.quality.account` gives it: `cause` (in words), `rows`,
        `share_of_rows`, `amount`, `share_of_amount`; `key` where the caller names it himself.
    fmt : Formats
    id : str
        Start of the ids in the HTML.

    Returns
    -------
    Table
    """
    keys = {CAUSES[cause]: key for cause, key in KEYS.items()}
    told = frame.assign(
        cause=[fmt.say(cause) for cause in frame["cause"]],
        key=frame["key"] if "key" in frame else [keys.get(c, MISSING) for c in frame["cause"]],
    )
    return frame_table(
        told,
        fmt,
        {
            "cause": "text",
            "rows": "count",
            "share_of_rows": "share",
            "amount": "currency",
            "share_of_amount": "share",
            "key": "text",
        },
        {
            "cause": fmt.say("What became of the rows"),
            "rows": fmt.say("Rows"),
            "share_of_rows": fmt.say("Share of rows"),
            "amount": fmt.say("Amount"),
            "share_of_amount": fmt.say("Share of revenue"),
            "key": fmt.say("Changed by"),
        },
        stub="cause",
        id=id,
    )


def group_rates_table(frame: pd.DataFrame, fmt: Formats, heading: str, *, id: str) -> Table:
    """Retention of the groups of a dimension, and return to the same group, with intervals.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a group that has rates, as `frames.breakdown` gives it.
    fmt : Formats
    heading : str
        What the groups are.
    id : str
        Start of the ids in the HTML.

    Returns
    -------
    Table
    """

    def intervals(low: str, high: str) -> list[str]:
        pairs = zip(frame[low], frame[high], strict=True)
        return [fmt.interval(a, b, "share") for a, b in pairs]

    columns = {
        "n": (fmt.say("At the start"), _column(frame["n"], "count", fmt)),
        "rate": (fmt.say("Stayed"), _column(frame["rate"], "share", fmt)),
        "interval": (fmt.say("95% interval"), intervals("low", "high")),
        "again": (fmt.say("Bought there again"), _column(frame["again"], "share", fmt)),
        "again_interval": (fmt.say("95% interval"), intervals("again_low", "again_high")),
    }
    text = {"label": frame["label"].tolist()}
    text |= {name: texts for name, (_, texts) in columns.items()}
    labels = {"label": heading} | {name: head for name, (head, _) in columns.items()}
    units = {"label": "text", "n": "count", "rate": "share", "again": "share"}
    laid_out = _laid_out(text, labels, right=[*columns], stub="label", id=id)
    return Table(laid_out, id, units, frame)


def written_table(
    frame: pd.DataFrame,
    texts: Mapping[str, tuple[str, Sequence[str]]],
    stub: str,
    left: Sequence[str] = (),
    *,
    id: str,
) -> Table:
    """A table whose columns hold figures of several units, written already.

    Parameters
    ----------
    frame : pandas.DataFrame
        The figures behind it, in the rows' order.
    texts : mapping of column to (heading, texts)
        What is printed, in this order.
    stub : str
        The column that names the rows.
    left : sequence of str
        Columns of words, which stand at the left.
    id : str
        Start of the ids in the HTML.

    Returns
    -------
    Table
    """
    columns = {name: list(column) for name, (_, column) in texts.items()}
    printed = pd.DataFrame(columns)
    labels = {name: heading for name, (heading, _) in texts.items()}
    right = [name for name in texts if name != stub and name not in left]
    numbers = frame.reset_index(drop=True).drop(columns=[*texts], errors="ignore")
    units = dict.fromkeys(texts, "text")
    return Table(
        _laid_out(columns, labels, right, stub, id),
        id,
        units,
        pd.concat([printed, numbers], axis=1),
    )


def written(value: Any, form: Format, fmt: Formats) -> str:
    """One value as the reader sees it; an en dash where it is missing."""
    if value is None or value is pd.NaT or value is pd.NA:
        return MISSING
    if isinstance(value, float) and math.isnan(value):
        return MISSING
    match form:
        case "text":
            return str(value)
        case "date":
            return fmt.short_date(value)
        case "month":
            return fmt.month(value)
    return fmt.value(float(value), form)


def _column(values: pd.Series, form: Format, fmt: Formats) -> list[str]:
    return [written(value, form, fmt) for value in values]


def _check(frame: pd.DataFrame, formats: Mapping[str, Format], stub: str | None) -> None:
    named = [*formats, *([stub] if stub else [])]
    if lacking := [column for column in named if column not in frame]:
        raise ValueError(
            f"The table asks for {', '.join(map(repr, lacking))}; the frame has "
            f"{', '.join(map(repr, frame.columns))}. Name columns that are there."
        )
    known = NUMBERS | {"date", "month", "text"}
    if odd := {column: form for column, form in formats.items() if form not in known}:
        column, form = next(iter(odd.items()))
        raise ValueError(
            f"Column {column!r} asks for the format {form!r}; use one of "
            f"{', '.join(sorted(known))}."
        )


def _laid_out(
    texts: Mapping[str, Sequence[str]],
    labels: Mapping[str, str],
    right: Sequence[str],
    stub: str | None,
    id: str,
) -> GT:
    """The table of these texts. Its columns are numbered inside, so that ids can't collide."""
    names = {column: f"c{i}" for i, column in enumerate(texts)}
    # Arrow's: great-tables sets cell by cell, which takes pandas ten times as long.
    printed = pa.table(
        {names[c]: pa.array([steady(text) for text in texts[c]], pa.string()) for c in texts}
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PyArrow Table support is currently experimental")
        table = GT(
            printed,
            rowname_col=None if stub is None else names[stub],
            auto_align=False,
            id=id,
        )
    headings = {column: _safe(labels[column]) for column in texts}
    table = table.cols_label(
        {names[column]: heading for column, heading in headings.items() if column != stub}
    )
    if stub is not None:
        table = table.tab_stubhead(headings[stub])
    left = [names[column] for column in texts if column not in right]
    table = table.cols_align("left", columns=left) if left else table
    if right:
        table = table.cols_align("right", columns=[names[column] for column in right])
    return _quiet(table, id)


def _safe(text: str) -> Any:
    """Text that great-tables takes as it is: no markup, and no braces that it reads as units."""
    return html(escape(steady(text)).replace("{", "&#123;"))


def _quiet(table: GT, id: str) -> GT:
    """Only thin rules between rows and under the headings; the rest comes from the page."""
    thin: dict[str, Any] = {
        f"{part}_border_{side}_width": "1px"
        for part in ("column_labels", "table_body")
        for side in ("top", "bottom")
    }
    return table.tab_options(
        **thin,
        table_background_color="transparent",
        column_labels_background_color="transparent",
        stub_background_color="transparent",
        table_font_names="inherit",
        table_font_size="inherit",
        # As an option "inherit" is refused as no colour, so it comes as a rule.
        table_additional_css=f"#{id} .gt_table * {{ color: inherit; }}",
        table_margin_left="0",
        table_border_top_style="none",
        table_border_bottom_style="none",
        column_labels_border_top_style="none",
        stub_border_style="none",
        container_padding_x="0",
        container_padding_y="0",
        container_overflow_y="visible",
    )
