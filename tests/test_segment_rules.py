"""Whoever has the printed rules can rebuild every customer's segment."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from retention_lib.report.language import Formats
from retention_lib.report.segment_parts import rules_table, segment_rules
from retention_lib.retention.segments import rfm

AS_OF = dt.date(2025, 6, 30)


def base(away: list[int], purchases: list[int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "last": pd.Timestamp(AS_OF) - pd.to_timedelta(away, unit="D"),
            "purchases": purchases,
            "revenue": np.arange(len(away), dtype=float),
        },
        index=pd.Index([f"c{n}" for n in range(len(away))], name="customer"),
    )


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 12)), min_size=1, max_size=60))
def test_the_rules_give_each_customer_the_segment_that_the_scores_gave(
    drawn: list[tuple[int, int]],
) -> None:
    away, bought = [list(x) for x in zip(*drawn, strict=True)]
    scores = rfm(base(away, bought), AS_OF)
    rules = segment_rules(scores).fillna(np.inf)
    for days, purchases, segment in zip(away, bought, scores.scores["segment"], strict=True):
        fits = rules[
            rules["days_from"].le(days)
            & rules["days_to"].ge(days)
            & rules["purchases_from"].le(purchases)
            & rules["purchases_to"].ge(purchases)
        ]
        assert fits["segment"].tolist() == [segment]


def test_the_rules_are_printed_in_days_and_purchases() -> None:
    scores = rfm(base([1, 10, 50, 100, 300], [1, 2, 3, 5, 9]), AS_OF)
    html = rules_table(scores, Formats()).as_raw_html()
    assert "Champions" in html
    assert "and more" in html
