"""The segments' rules as a table: days and purchases by which anybody can rebuild them."""

from __future__ import annotations

import pandas as pd

from retention_lib.report import tables
from retention_lib.report.language import Formats
from retention_lib.report.traced import Table
from retention_lib.retention.segments import SEGMENTS, Rfm


def segment_rules(scores: Rfm) -> pd.DataFrame:
    """Each segment's days since the last purchase and number of purchases.

    Parameters
    ----------
    scores : Rfm

    Returns
    -------
    DataFrame
        segment; days_from, days_to, purchases_from, purchases_to, both ends included, NaN where
        there is no upper end. A segment that the cuts leave no room for is left out.
    """
    recency, frequency = scores.recency_cuts, scores.frequency_cuts
    # scores count from 5 down with the days, from 1 up with the purchases
    days_from = {5: 0.0} | {4 - i: cut + 1 for i, cut in enumerate(recency)}
    days_to = {5 - i: cut for i, cut in enumerate(recency)}
    purchases_from = {1: 1.0} | {2 + i: cut + 1 for i, cut in enumerate(frequency)}
    purchases_to = dict(enumerate(frequency, start=1))
    rules = pd.DataFrame(
        [
            (name, days_from[r_high], days_to.get(r_low), purchases_from[f_low],
             purchases_to.get(f_high))
            for name, (r_low, r_high, f_low, f_high) in SEGMENTS.items()
        ],
        columns=["segment", "days_from", "days_to", "purchases_from", "purchases_to"],
    )  # fmt: skip
    rules = rules.astype(dict.fromkeys(rules.columns[1:], float))
    empty = (rules["days_from"] > rules["days_to"]) | (
        rules["purchases_from"] > rules["purchases_to"]
    )
    return rules[~empty].reset_index(drop=True)


def rules_table(scores: Rfm, formats: Formats) -> Table:
    """The rules of the segments, written out."""
    rules = segment_rules(scores)
    say = formats.say

    def ranges(name: str) -> list[str]:
        ends = zip(rules[f"{name}_from"], rules[f"{name}_to"], strict=True)
        return [_range(first, last, formats) for first, last in ends]

    shown = rules.assign(
        segment=[say(name) for name in rules["segment"]],
        days=ranges("days"),
        purchases=ranges("purchases"),
    )
    return tables.frame_table(
        shown,
        formats,
        {"segment": "text", "days": "text", "purchases": "text"},
        {
            "segment": say("Segment"),
            "days": say("Days since the last purchase"),
            "purchases": say("Purchases"),
        },
        stub="segment",
        id="segment-rules",
    )


def _range(first: float, last: float, formats: Formats) -> str:
    if pd.isna(last):
        return formats.say("{first} and more", first=formats.count(first))
    if first == last:
        return formats.count(first)
    return formats.say("{first} to {last}", first=formats.count(first), last=formats.count(last))
