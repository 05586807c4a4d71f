"""Sentences on being on track: what changed since the last report, targets, benchmarks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.periods import windows
from retention_lib.metrics import Metric, Unit
from retention_lib.report.labels import label
from retention_lib.retention.targets import MISSED, PERHAPS, REACHED, SHORT, STEPS, UNKNOWN
from retention_lib.retention.trends import LEAST, Pace
from retention_lib.sentence import N_, Counted, Sentence, about

Row = Mapping[Any, Any]

#: A figure that moves by less than this between two runs for one day hasn't been revised.
_REVISED: Final[dict[str, float]] = {"share": 0.0005, "count": 0.5}


# Since the last report -----------------------------------------------------------------------


def heading(changes: pd.DataFrame, day: dt.date) -> Sentence:
    """What has changed by more than chance explains; or that nothing has.

    Parameters
    ----------
    changes : DataFrame
        `retention.changes.changes`; the most important figure first.
    day : date
        Of the last report.
    """
    tested = changes[changes["low"].notna()]
    stands = tested[tested["stands"] != 0]
    if tested.empty:
        return Sentence("What has changed since {day} can't be told from chance", day=day)
    if stands.empty:
        return Sentence("No rate or value has changed since {day} by more than chance", day=day)
    first = stands.iloc[0]
    values = {
        "figure": name(first["metric"]),
        "day": day,
        "then": _metric(first["then"], first["unit"]),
        "now": _metric(first["now"], first["unit"]),
        "n": len(stands) - 1,
    }
    if first["stands"] > 0:
        if len(stands) == 1:
            return Sentence("{figure}: up since {day}, from {then} to {now}", **values)
        return Sentence(
            "{figure}: up since {day}, from {then} to {now}; {n} more have changed too", **values
        )
    if len(stands) == 1:
        return Sentence("{figure}: down since {day}, from {then} to {now}", **values)
    return Sentence(
        "{figure}: down since {day}, from {then} to {now}; {n} more have changed too", **values
    )


def overlap(base: Base, day: dt.date) -> Sentence:
    """How the intervals of the changes are meant, for two reports that share most of their days."""
    now = windows(base.as_of, base.params.period_months, base.params.active_months).period
    shared = (day - now.start).days + 1
    if shared <= 0:
        return Sentence(
            "The periods of the two reports share no day. A change is set apart where the data "
            "show it beyond chance, all figures of the table taken together (Holm); counts and "
            "sums are counted in full and have no interval."
        )
    return Sentence(
        "The periods of the two reports share {share} of their days. A customer of both counts on "
        "both sides of an interval, so that what they share isn't taken for news; a forecast's two "
        "intervals are taken as independent, which is the more cautious. All figures of the table "
        "are judged together (Holm). Counts and sums are counted in full and have no interval.",
        share=Metric(min(shared / now.days, 1.0), "share"),
    )


def revised(changes: pd.DataFrame, day: dt.date) -> Sentence | None:
    """Where today's data tell another story of the last report's day than it did."""
    both = changes[(changes["redefined"] == "") & changes["reported"].notna()]
    both = both[both["then"].notna()]
    moved = [row for row in both.to_dict("records") if _is_revised(row)]
    if not moved:
        return None
    first = moved[0]
    values = {
        "figure": name(first["metric"]),
        "said": _metric(first["reported"], first["unit"]),
        "again": _metric(first["then"], first["unit"]),
        "day": day,
        "n": len(moved),
        "all": len(both),
    }
    return Sentence(
        "The past was revised: of {all} figures of {day}, {n} come out otherwise by today's data, "
        "such as {figure} with {again} where the report said {said}. Orders came in late, or were "
        "corrected; the changes here are all by today's data.",
        **values,
    )


def _is_revised(row: Row) -> bool:
    least = _REVISED.get(row["unit"], 0.0005 * abs(row["reported"]))
    return bool(abs(row["reported"] - row["then"]) > least)


def redefined(changes: pd.DataFrame, day: dt.date) -> Sentence | None:
    """What the client file says otherwise than for the last report."""
    keys = list(dict.fromkeys(k for row in changes["redefined"] for k in row.split(", ") if k))
    if not keys:
        return None
    return Sentence(
        "Since the report of {day} the definitions have changed ({keys}): the lines break there, "
        "and the changes are worked out by today's definitions on both days, or left out.",
        day=day,
        keys=", ".join(keys),
    )


def trend(reports: int) -> Sentence:
    """How to read the small figures."""
    return Sentence(
        "Each point is one of {n} reports, with its 95% interval; a dotted upright marks a change "
        "of definition, across which nothing can be compared. The axes don't start at 0.",
        n=reports,
    )


def last_forecast(told: Sentence) -> Sentence:
    """The last forecast in a sentence, and where it stands in full."""
    return Sentence("{told} The chapter on lifetime value has it in full.", told=told)


# Targets -------------------------------------------------------------------------------------


def targets(frame: pd.DataFrame) -> Sentence:
    """How many of the targets are reached."""
    known = frame[frame["state"] != UNKNOWN]
    reached = int((known["state"] == REACHED).sum())
    perhaps = int((known["state"] == PERHAPS).sum())
    if known.empty:
        return Sentence("None of the targets can be measured yet")
    if len(frame) == 1:
        row = frame.iloc[0]
        values = {
            "figure": name(row["metric"]),
            "now": _metric(row["value"], row["unit"]),
            "goal": _metric(row["target"], row["unit"]),
        }
        if reached:
            return Sentence("Target reached: {figure} at {now}, target {goal}", **values)
        if perhaps:
            return Sentence(
                "Target reached, though not surely: {figure} at {now}, target {goal}", **values
            )
        return Sentence("Short of the target: {figure} at {now}, target {goal}", **values)
    values = {"n": len(frame), "reached": reached + perhaps, "perhaps": perhaps}
    if reached == len(frame):
        return Sentence("All {n} targets are reached", **values)
    if not reached and not perhaps:
        return Sentence("None of the {n} targets is reached", **values)
    if perhaps:
        return Sentence(
            "{reached} of {n} targets are reached, {perhaps} of them not surely", **values
        )
    return Sentence(
        Counted(
            "{reached} of {n} targets is reached",
            "{reached} of {n} targets are reached",
            by="reached",
        ),
        **values,
    )


STATES: Final[dict[str, str]] = {
    REACHED: N_("reached"),
    PERHAPS: N_("reached, not surely"),
    SHORT: N_("short, within chance"),
    MISSED: N_("short"),
    UNKNOWN: N_("not known"),
}


def gap(row: Row, pace: Pace | None) -> Sentence | None:
    """What a gap means, and the pace at which it would close; None where there is none."""
    if row["state"] not in (SHORT, MISSED):
        return None
    step = Sentence(
        "Spread over the next {n} reports that is {step} a report.", n=STEPS, step=_step(row)
    )
    return Sentence("{takes} {step} {pace}", takes=_takes(row), step=step, pace=_pace(row, pace))


#: What has to happen to whom, by metric: in a period like this one.
_TAKES: Final[dict[str, str]] = {
    "retention.rate": N_(
        "To reach {goal}, {some} more of {n} customers at the start have to stay in "
        "a period like this one."
    ),
    "churn.rate": N_(
        "To get down to {goal}, {some} fewer of {n} customers at the start may leave in "
        "a period like this one."
    ),
    "retention.repurchase_rate": N_(
        "To reach {goal}, {some} more of {n} customers at the start have "
        "to buy in a period like this one."
    ),
    "retention.repeat_rate": N_(
        "To reach {goal}, {some} more of {n} buyers have to buy a second time "
        "in a period like this one."
    ),
    "retention.repeat_90d": N_(
        "To reach {goal}, {some} more of {n} customers would have had to buy "
        "again within 90 days of their first purchase."
    ),
    "retention.ever_repeat_rate": N_(
        "To reach {goal}, {some} more of {n} customers have to buy a second time."
    ),
}


def _takes(row: Row) -> Sentence:
    values: dict[str, Any] = {
        "figure": name(row["metric"]),
        "goal": _metric(row["target"], row["unit"]),
        "gap": _amount(abs(row["gap"]), row["unit"]),
    }
    if pd.isna(row["needed"]):
        return Sentence("{figure}: {gap} to {goal}.", **values)
    if row["needed_unit"] == "currency":
        values["some"] = about(_metric(row["needed"], "currency"))
        if row["metric"] == "orders.aov":
            return Sentence(
                "{figure}: {gap} more an order to {goal}, about {some} on as many orders.", **values
            )
        return Sentence("{figure}: about {some} more to {goal}.", **values)
    values["some"] = int(row["needed"])
    if row["needed_unit"] == "orders":
        return Sentence("{figure}: {some} more orders by the same buyers to {goal}.", **values)
    if row["metric"] in _TAKES:
        return Sentence(_TAKES[row["metric"]], **values, n=int(row["n"]))
    if row["needed_unit"] == "customers":
        if row["ceiling"]:
            return Sentence(
                Counted(
                    "{figure}: {some} customer fewer to {goal}.",
                    "{figure}: {some} customers fewer to {goal}.",
                    by="some",
                ),
                **values,
            )
        return Sentence(
            Counted(
                "{figure}: {some} customer more to {goal}.",
                "{figure}: {some} customers more to {goal}.",
                by="some",
            ),
            **values,
        )
    if row["ceiling"]:
        return Sentence("{figure}: {some} fewer to {goal}.", **values)
    return Sentence("{figure}: {some} more to {goal}.", **values)


def _step(row: Row) -> Any:
    if row["needed_unit"] == "customers":
        return Sentence(
            Counted("about {n} customer", "about {n} customers"), n=-int(-row["needed"] // STEPS)
        )
    return _amount(abs(row["step"]), row["unit"])


def _amount(value: float, unit: Unit) -> Any:
    """A distance: of shares in points."""
    if unit == "share":
        return Sentence("{points} percentage points", points=round(100 * value, 2))
    return Metric(float(f"{value:.3g}"), unit)


def _pace(row: Row, pace: Pace | None) -> Sentence:
    if pace is None:
        return Sentence("A pace can be read off {n} reports of one definition.", n=LEAST)
    values: dict[str, Any] = {
        "n": pace.reports,
        "day": pace.since,
        "moved": _amount(abs(pace.per_month), row["unit"]),
    }
    if pace.sure is False:
        return Sentence("The last {n} reports, since {day}, show no pace beyond chance.", **values)
    if pace.per_month * row["gap"] <= 0:
        return Sentence(
            "Over the last {n} reports, since {day}, it has moved away by {moved} a month.",
            **values,
        )
    months = Metric(round(row["gap"] / pace.per_month), "months")
    return Sentence(
        "At the pace of the last {n} reports, {moved} a month since {day}, it takes {months}.",
        months=months,
        **values,
    )


# Benchmarks ----------------------------------------------------------------------------------


def benchmarks(frame: pd.DataFrame) -> Sentence:
    """Where the client stands beside the outside figures."""
    counts = frame["place"].value_counts()
    above, below, unknown = (int(counts.get(k, 0)) for k in ("above", "below", UNKNOWN))
    known = len(frame) - unknown
    if not known:
        return Sentence("The benchmarks can't be compared yet")
    if len(frame) == 1:
        row = frame.iloc[0]
        values = {
            "figure": name(row["metric"]),
            "now": _metric(row["value"], row["unit"]),
            "other": _metric(row["benchmark"], row["unit"]),
        }
        if above:
            return Sentence("{figure} of {now} is above the benchmark of {other}", **values)
        if below:
            return Sentence("{figure} of {now} is below the benchmark of {other}", **values)
        return Sentence("{figure} of {now} can't be told from the benchmark of {other}", **values)
    return Sentence(
        "Of {n} benchmarks the client is above {above} and below {below}",
        n=known,
        above=above,
        below=below,
    )


PLACES: Final[dict[str, str]] = {
    "above": N_("above"),
    "below": N_("below"),
    "within": N_("within the interval"),
    "equal": N_("equal"),
    UNKNOWN: N_("not known"),
}


def benchmark_caution() -> Sentence:
    """What a comparison with an outside figure is worth."""
    return Sentence(
        "Ask of each benchmark what it counts: who is a customer, over how many months, in which "
        "trade. A rate over another period is another figure, and a difference here may be one of "
        "definition. The interval is the client's own; a benchmark seldom comes with one."
    )


# Words ---------------------------------------------------------------------------------------


def name(metric: str) -> Sentence:
    """A metric's printed name, which is translated like a sentence."""
    return label(metric)


def _metric(value: float, unit: Unit) -> Metric:
    if pd.isna(value):
        return Metric(None, unit, note=N_("Not known."))
    return Metric(float(value), unit)
