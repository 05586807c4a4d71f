"""Parts of the chapter on retention: rates over time, the flow with its money, the two forms."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.metrics import Metric
from retention_lib.report import tables
from retention_lib.report.figures import Drawn, rate_trend
from retention_lib.report.findings import period as findings
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.retention import formulas
from retention_lib.retention.series import Trend, series, trend
from retention_lib.retention.tenure import tenure_at_start
from retention_lib.sentence import N_, Sentence
from retention_lib.smallest import SMALLEST

_NBSP: Final = "\N{NO-BREAK SPACE}"

#: What the table has of each end, with its format.
_SHOWN: Final[dict[str, tuple[str, tables.Format, str]]] = {
    "rate": ("retention.rate", "share", N_("Stayed")),
    "again": ("retention.repurchase_rate", "share", N_("Bought again")),
    "active": ("customers.active", "count", N_("Buyers")),
    "new": ("customers.new", "count", N_("New")),
    "revenue": ("revenue.net", "currency", N_("Revenue")),
}


def over_time(base: Base, page: Page) -> list[Shown]:
    """The section on the rates over time; nothing where fewer than two periods are covered."""
    frame = series(base)
    known = _known(frame, "retention.rate")
    if len(known) < 2:
        return []
    found = trend(frame, base)
    shown: list[Shown | None] = [
        page.section(findings.over_time(found), name="Over time"),
        page.figure(trend_figure(frame, found, base, page.formats)),
        page.text(_tenure(found, base)),
        page.table(trend_table(frame, base, page.formats)),
        page.note(findings.how_over_time(found, base)),
    ]
    return [part for part in shown if part is not None]


def _tenure(found: Trend, base: Base) -> Sentence | None:
    if found.kind not in ("rising", "falling"):
        return None
    ends = (found.points["end"].iloc[0], found.points["end"].iloc[-1])
    then, now = (tenure_at_start(base, pd.Timestamp(end).date()) for end in ends)
    return findings.tenure(found, then, now)


def trend_figure(frame: pd.DataFrame, found: Trend, base: Base, formats: Formats) -> Drawn:
    """The rates at the ends that the data covers."""
    names = {"retention.rate": formats.say("Retention rate")}
    if base.params.period_months != base.params.active_months:
        names["retention.repurchase_rate"] = formats.say("Repurchase rate")
    compared = set(found.points["end"])
    parts = [
        _known(frame, name).assign(
            label=label if len(names) > 1 else "",
            compared=lambda part: part["end"].isin(compared),
        )
        for name, label in names.items()
    ]
    return rate_trend(pd.concat(parts, ignore_index=True).rename(columns={"end": "date"}), formats)


def trend_table(frame: pd.DataFrame, base: Base, formats: Formats) -> Any:
    """The ends whose periods are covered, latest first; what an end can't tell is left blank."""
    wide = frame[frame["complete"]].pivot(index="end", columns="metric", values="value")
    limits = _known(frame, "retention.rate").set_index("end")[["low", "high", "n"]]
    wide = wide.sort_index(ascending=False)
    shown = pd.DataFrame({"end": wide.index, **limits.reindex(wide.index).to_dict("list")})
    for column, (name, _, _) in _SHOWN.items():
        shown[column] = wide[name].to_numpy() if name in wide else np.nan
    shown["interval"] = [
        formats.interval(low, high, "share").replace(" ", _NBSP)
        for low, high in zip(shown["low"], shown["high"], strict=True)
    ]
    same = base.params.period_months == base.params.active_months
    columns = {k: v for k, v in _SHOWN.items() if not (same and k == "again")}
    formats_of: dict[str, tables.Format] = {"end": "date"}
    labels = {"end": formats.say("Period to"), "interval": formats.say("95% interval")}
    for column, (_, form, label) in columns.items():
        formats_of[column] = form
        labels[column] = formats.say(label)
        if column == "rate":
            formats_of["interval"] = "text"
    return tables.frame_table(shown, formats, formats_of, labels, stub="end", id="over-time")


def flow_groups(metrics: dict[str, Metric]) -> pd.DataFrame:
    """What became of the customers, with what each group brought.

    Returns
    -------
    DataFrame
        group (kept, reactivated, new, not_at_end, all, lost), customers, revenue, share (of
        revenue in the period), each (revenue per customer), low, high (its interval), previous (the
        group's revenue in the period before). Of the lost, `revenue` is NaN and `previous` what
        they had spent in the period before. `not_at_end` only where it isn't empty.
    """
    net = metrics["revenue.net"]
    rows = []
    for group, count in (("kept", "kept"), ("reactivated", "reactivated"), ("new", "new_at_end")):
        money, each = metrics[f"revenue.{group}"], metrics[f"spend.{group}"]
        rows.append(
            (
                *(group, metrics[f"customers.{count}"].value, money.value),
                *(each.value, each.low, each.high, money.previous),
            )
        )
    rest = metrics["revenue.not_at_end"]
    if rest.value:
        rows.append(("not_at_end", None, rest.value, None, None, None, rest.previous))
    at_end, lost = metrics["customers.at_end"], metrics["customers.lost"]
    rows.append(("all", at_end.value, net.value, None, None, None, net.previous))
    before = metrics["revenue.lost_before"].value if lost.value else None
    rows.append(("lost", lost.value, None, None, None, None, before))
    names = ["group", "customers", "revenue", "each", "low", "high", "previous"]
    frame = pd.DataFrame(rows, columns=pd.Index(names))
    frame = frame.astype(dict.fromkeys(names[1:], "float64"))
    whole = float(net.value or 0)
    return frame.assign(share=frame["revenue"] / whole if whole > 0 else np.nan)


def flow_table(metrics: dict[str, Metric], formats: Formats) -> Any:
    """The groups of the flow with customers and money."""
    say = formats.say
    words = {
        "kept": say("Kept"),
        "reactivated": say("Reactivated"),
        "new": say("New"),
        "not_at_end": say("No longer customers at the end"),
        "all": say("Together"),
        "lost": say("Lost"),
    }
    frame = flow_groups(metrics)
    frame["label"] = [words[group] for group in frame["group"]]
    few = ~(frame["customers"] >= SMALLEST)
    frame[["each", "low", "high"]] = frame[["each", "low", "high"]].mask(few)
    frame["interval"] = [
        formats.interval(low, high, "currency", 0 if high >= 10 else None).replace(" ", _NBSP)
        for low, high in zip(frame["low"], frame["high"], strict=True)
    ]
    formats_of: dict[str, tables.Format] = {
        "label": "text",
        "customers": "count",
        "revenue": "currency",
        "share": "share",
        "each": "currency",
        "interval": "text",
        "previous": "currency",
    }
    labels = {
        "label": say("Who"),
        "customers": say("Customers"),
        "revenue": say("Revenue"),
        "share": say("of all"),
        "each": say("per customer"),
        "interval": say("95% interval"),
        "previous": say("Period before"),
    }
    if frame["previous"].isna().all():
        del formats_of["previous"]
    return tables.frame_table(frame, formats, formats_of, labels, stub="label", id="flow")


def two_forms_table(metrics: dict[str, Metric], formats: Formats) -> Any | None:
    """The forms of the retention rate that are in circulation, by example and on this base."""
    start, end, new = (
        metrics[f"customers.{name}"].value for name in ("at_start", "at_end", "new_at_end")
    )
    if not start or end is None or new is None:
        return None
    example = findings.EXAMPLE
    rows = [
        (formats.say("Customers kept, one by one: |S ∩ E| / S"), None),
        (
            formats.say("The textbook's, from totals: (E − N) / S"),
            formulas.retention_rate_textbook(**example),
        ),
        (
            formats.say("Widely copied, not reported: E / (S − N)"),
            formulas.retention_rate_variant(**example),
        ),
    ]
    own = [
        metrics["retention.rate"].value,
        metrics["retention.rate_formula"].value,
        formulas.retention_rate_variant(at_end=end, new=new, at_start=start),
    ]
    frame = pd.DataFrame(rows, columns=pd.Index(["form", "example"]))
    frame = frame.assign(own=pd.Series(own, dtype="float64")).astype({"example": "float64"})
    labels = {
        "form": formats.say("Form"),
        "example": formats.say("In the example"),
        "own": formats.say("Here"),
    }
    formats_of: dict[str, tables.Format] = {"form": "text", "example": "share", "own": "share"}
    return tables.frame_table(frame, formats, formats_of, labels, stub="form", id="two-forms")


def _known(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The ends at which a metric is known and its windows are covered."""
    own = frame[(frame["metric"] == metric) & frame["complete"] & frame["value"].notna()]
    return own.reset_index(drop=True)
