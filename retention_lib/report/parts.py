"""Parts of chapters: cohorts, segments or concerns as the figure or table that they become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from retention_lib.data.health import Concern
from retention_lib.report import tables
from retention_lib.report.figures import (
    Drawn,
    segments,
)
from retention_lib.report.language import Formats
from retention_lib.sentence import N_
from retention_lib.smallest import SMALLEST


def segments_figure(profile: pd.DataFrame, formats: Formats) -> Drawn:
    """Share of customers beside share of value, of the segments that are large enough.

    Value is CLV, or revenue so far where there is no forecast.
    """
    value = "revenue" if profile["share_of_clv"].isna().all() else "clv"
    large = profile[profile["customers"] >= SMALLEST]
    return segments(_in_words(large, formats), formats, value)


def reasons_table(reasons: pd.DataFrame, formats: Formats) -> Any | None:
    """The account of all rows (`data.quality.account`); None where every one was used."""
    return None if len(reasons) == 2 else tables.reasons_table(reasons, formats)


def concerns_table(known: Sequence[Concern], formats: Formats) -> Any | None:
    """What to know of the data, beside the client file's key that changes it; None of nothing."""
    if not known:
        return None
    frame = pd.DataFrame(
        {
            "told": [formats.tell(concern.sentence) for concern in known],
            "key": [concern.key for concern in known],
        }
    )
    labels = {"told": formats.say("What to know"), "key": formats.say("Changed by")}
    return tables.frame_table(frame, formats, {"told": "text", "key": "text"}, labels, id="health")


_GROUPED: Final = {"segment": N_("Segment"), "tier": N_("Tier")}


def profile_table(
    profile: pd.DataFrame, by: str, formats: Formats, sure: pd.DataFrame | None = None
) -> Any | None:
    """Segments or tiers side by side: size, share of value, what a customer in them is like.

    Of a group smaller than `SMALLEST` no mean is told.

    Parameters
    ----------
    profile : DataFrame
        `retention.segments.profile`.
    by : str
        `segment` or `tier`.
    formats : Formats
    sure : DataFrame, optional
        How sure the mean CLV of each is (`models.segment_values.clv_by_group`).
    """
    if profile.empty:
        return None
    columns: dict[str, tuple[tables.Format, str]] = {
        by: ("text", formats.say(_GROUPED[by])),
        "customers": ("count", formats.say("Customers")),
        "share_of_customers": ("share", formats.say("of all")),
        "share_of_revenue": ("share", formats.say("of revenue")),
        "share_of_clv": ("share", formats.say("of CLV")),
        "mean_clv": ("currency", formats.say("CLV each")),
        "interval": ("text", formats.say("95% interval")),
        "purchases": ("number", formats.say("Purchases")),
        "p_alive": ("share", formats.say("P(alive)")),
    }
    few = profile["customers"] < SMALLEST
    each = ["mean_clv", "purchases", "p_alive"]
    profile = profile.assign(**{name: profile[name].mask(few) for name in each})
    if sure is None or sure.empty:
        del columns["interval"]
    else:
        del columns["share_of_customers"]  # there is room for one of the two
        ends = sure.reindex(profile[by].where(profile["customers"] >= SMALLEST))
        pairs = zip(ends["low"], ends["high"], strict=True)
        profile = profile.assign(interval=[_sums(low, high, formats) for low, high in pairs])
    if by == "segment":
        profile = _in_words(profile, formats)
    return tables.frame_table(
        profile,
        formats,
        {name: format_ for name, (format_, _) in columns.items()},
        {name: label for name, (_, label) in columns.items()},
        stub=by,
        id=f"by-{by}",
    )


def _in_words(profile: pd.DataFrame, formats: Formats) -> pd.DataFrame:
    return profile.assign(segment=[formats.say(name) for name in profile["segment"]])


def _sums(low: float, high: float, formats: Formats) -> str:
    """From one amount to another, without cents where they say nothing."""
    text = formats.interval(low, high, "currency", 0 if high >= 10 else None)
    return text.replace(" ", "\N{NO-BREAK SPACE}")
