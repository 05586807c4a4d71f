"""Segments, tiers, lists to act on, and what their customers do when left alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import kept
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_lib.data.base import Base
from retention_lib.retention.intervals import wilson
from retention_lib.retention.outcomes import earlier_day, left_alone
from retention_lib.retention.segments import (
    SEGMENTS,
    concentration,
    name_segments,
    profile,
    rfm,
    tiers,
)

AS_OF = dt.date(2024, 12, 31)


def people(rows: list[tuple[int, int, float]]) -> pd.DataFrame:
    """Customers by (days away, purchases, revenue)."""
    away, purchases, revenue = zip(*rows, strict=True) if rows else ((), (), ())
    index = pd.Index([f"c{n:03}" for n in range(len(rows))], name="customer")
    return pd.DataFrame(
        {
            "last": pd.Timestamp(AS_OF) - pd.to_timedelta(np.array(away, dtype=float), unit="D"),
            "purchases": np.array(purchases, dtype=int),
            "revenue": np.array(revenue, dtype=float),
        },
        index=index,
    )


histories = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.integers(1, 12),
        st.one_of(st.integers(-50, 500).map(float), st.floats(-1e6, 1e6)),
    ),
    min_size=1,
    max_size=60,
)

# --- RFM -----------------------------------------------------------------------------------------


@given(rows=histories)
@settings(max_examples=60, deadline=None)
def test_scores_follow_the_values_and_equal_values_score_the_same(
    rows: list[tuple[int, int, float]],
) -> None:
    scores = rfm(people(rows), AS_OF).scores
    values = {"r": [-away for away, _, _ in rows], "f": [p for _, p, _ in rows]}
    values["m"] = [money for _, _, money in rows]
    for name, own in values.items():
        assert scores[name].between(1, 5).all()
        ordered = scores[name].to_numpy()[np.argsort(own, kind="stable")]
        assert (np.diff(ordered) >= 0).all(), name
        assert pd.DataFrame({"v": own, "s": scores[name]}).groupby("v")["s"].nunique().max() == 1
    # one purchase is no habit, and every other scores higher
    assert ((scores["f"] == 1) == (np.array(values["f"]) == 1)).all()
    assert scores["segment"].notna().all()


@given(rows=histories)
@settings(max_examples=30, deadline=None)
def test_the_scores_can_be_rebuilt_from_the_cuts(rows: list[tuple[int, int, float]]) -> None:
    found = rfm(people(rows), AS_OF)
    for (away, purchases, money), score in zip(rows, found.scores.itertuples(), strict=True):
        assert score.r == 5 - sum(away > cut for cut in found.recency_cuts)
        assert score.f == 1 + sum(purchases > cut for cut in found.frequency_cuts)
        assert score.m == 1 + sum(money > cut for cut in found.money_cuts)


def test_customers_are_cut_into_fifths_where_all_differ() -> None:
    scores = rfm(people([(n, n + 1, 10.0 * n) for n in range(100)]), AS_OF).scores
    assert scores["r"].value_counts().to_dict() == {5: 20, 4: 20, 3: 20, 2: 20, 1: 20}
    assert scores["m"].value_counts().tolist() == [20] * 5


def test_every_pair_of_scores_has_exactly_one_segment() -> None:
    pairs = [(r, f) for r in range(1, 6) for f in range(1, 6)]
    r, f = (pd.Series(values) for values in zip(*pairs, strict=True))
    names = name_segments(r, f)
    assert names.notna().all()
    for (one_r, one_f), name in zip(pairs, names, strict=True):
        fits = [
            segment
            for segment, (low_r, high_r, low_f, high_f) in SEGMENTS.items()
            if low_r <= one_r <= high_r and low_f <= one_f <= high_f
        ]
        assert fits == [name], (one_r, one_f)
    assert set(names) == set(SEGMENTS)


def test_nobody_has_no_scores() -> None:
    assert rfm(people([]), AS_OF).scores.empty


# --- tiers ---------------------------------------------------------------------------------------


def test_tiers_have_their_shares_best_first() -> None:
    clv = pd.Series(np.arange(200.0), index=[f"c{n:03}" for n in range(200)])
    found = tiers(clv, {"gold": 0.05, "silver": 0.20, "bronze": 0.75})
    assert found.value_counts().to_dict() == {"gold": 10, "silver": 40, "bronze": 150}
    assert found.cat.categories.tolist() == ["gold", "silver", "bronze"]
    assert clv[found == "gold"].min() > clv[found == "silver"].max()
    assert clv[found == "silver"].min() > clv[found == "bronze"].max()


@given(
    values=st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=60),
    seed=st.integers(0, 9),
)
@settings(max_examples=50, deadline=None)
def test_equals_are_told_apart_by_their_id_in_whatever_order_they_come(
    values: list[float], seed: int
) -> None:
    clv = pd.Series(values, index=[f"c{n:03}" for n in range(len(values))])
    shares = {"best": 0.1, "good": 0.3, "rest": 0.6}
    found = tiers(clv, shares)
    shuffled = clv.sample(frac=1, random_state=seed)
    pd.testing.assert_series_equal(tiers(shuffled, shares).sort_index(), found)
    assert found.notna().all()
    for _, own in pd.DataFrame({"clv": clv, "tier": found.cat.codes}).groupby("clv"):
        assert own["tier"].is_monotonic_increasing
    # each tier ends at the customer that is nearest to its share
    for tier, share in (("best", 0.1), ("good", 0.4)):
        assert abs((found <= tier).sum() - share * len(values)) <= 0.5 + 1e-9


def test_an_unknown_value_is_in_no_tier_and_takes_nobodys_place() -> None:
    clv = pd.Series([np.nan, 5.0, 1.0, 3.0], index=list("abcd"))
    found = tiers(clv, {"best": 0.5, "rest": 0.5})
    assert found.isna().tolist() == [True, False, False, False]
    assert found["b":].tolist() == ["best", "rest", "best"]


# --- profile and concentration -------------------------------------------------------------------


def test_a_profile_adds_up() -> None:
    frame = pd.DataFrame(
        {
            "tier": pd.Categorical(["gold", "bronze", "bronze"], ["gold", "silver", "bronze"]),
            **{"revenue": [60.0, 30.0, 10.0], "purchases": [6, 2, 1]},
            **{"clv": [8.0, 2.0, 0.0], "p_alive": [0.9, 0.5, 0.1]},
        }
    )
    found = profile(frame, "tier").set_index("tier")
    assert found.index.tolist() == ["gold", "bronze"]
    assert found["customers"].tolist() == [1, 2]
    assert found["share_of_revenue"].tolist() == [0.6, 0.4]
    assert found["share_of_clv"].tolist() == [0.8, 0.2]
    assert found["share_of_customers"].sum() == pytest.approx(1)
    assert found.loc["bronze", ["mean_clv", "purchases", "p_alive"]].tolist() == [1.0, 1.5, 0.3]


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=150).filter(lambda v: sum(v) > 0))
@settings(max_examples=50, deadline=None)
def test_the_best_first_curve_rises_to_all_ever_slower(values: list[int]) -> None:
    curve = concentration(pd.Series(values))
    share = curve["share_of_value"].to_numpy()
    assert (share[0], curve["share_of_customers"].iloc[0]) == (0, 0)
    assert curve["share_of_customers"].iloc[-1] == 1
    assert share[-1] == pytest.approx(1, abs=1e-12)
    steps = np.diff(share)
    assert (steps >= -1e-12).all()
    assert (np.diff(steps) <= 1e-12).all()
    assert (share >= curve["share_of_customers"] - 1e-12).all()


def test_half_of_the_customers_with_all_the_value() -> None:
    curve = concentration(pd.Series([0, 10, 0, 10]), points=5)
    assert curve["share_of_value"].tolist() == [0, 0.5, 1, 1, 1]
    assert concentration(pd.Series([0.0, 0.0]))["share_of_value"].isna().all()


# --- left alone ----------------------------------------------------------------------------------


def base_of(rows: list[tuple[str, str]], **given_: Any) -> Base:
    return kept.base_of([(*row, 5) for row in rows], **given_)


def test_the_share_that_comes_back_when_left_alone() -> None:
    ids = [f"c{n:02}" for n in range(60)]
    rows = [(one, "2024-01-01") for one in ids]
    rows += [(one, "2024-09-30") for one in ids[:30]]  # on the day itself: it was known then
    rows += [(one, "2024-10-01") for one in ids[5:15]]
    rows += [(one, "2024-12-31") for one in ids[10:20]]
    rows += [("stranger", "2024-11-01")]
    base = base_of(rows)
    found = earlier_day(base)
    assert found is not None
    earlier, months = found
    assert (earlier.as_of, months) == (dt.date(2024, 9, 30), 3)
    assert earlier.customers()["purchases"].sum() == 90
    alone = left_alone(base, earlier, months, pd.Index(ids))
    assert alone is not None
    assert (alone.months, alone.share.value, alone.share.n) == (3, 15 / 60, 60)
    # figures carry twelve digits
    assert (alone.share.low, alone.share.high) == pytest.approx(wilson(15, 60), rel=1e-11)
    # of a handful nothing is said
    assert left_alone(base, earlier, months, pd.Index(ids[:49])) is None


@pytest.mark.parametrize(("first", "is_there"), [("2024-06-30", True), ("2024-07-01", False)])
def test_looking_back_needs_as_long_a_history_again(first: str, is_there: bool) -> None:
    base = base_of([("anna", first), ("anna", "2024-12-31")])
    assert (earlier_day(base) is not None) is is_there
