"""Formulas and intervals against worked and published examples."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from retention_lib.retention import difference, formulas, homogeneity, intervals
from retention_lib.retention.moments import (
    LEVEL,
    means_ratio_limits,
    median_of_counts,
    moments_of,
    ratio_limits,
)

counts = st.integers(0, 10**7)


# --- rates -------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [difference, formulas, homogeneity, intervals])
def test_every_example_in_a_docstring_holds(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_textbook_retention_of_the_worked_example_is_78_percent():
    assert formulas.retention_rate_textbook(at_end=40_000, new=1_000, at_start=50_000) == 0.78
    assert formulas.retention_rate(kept=39_000, at_start=50_000) == 0.78
    assert formulas.churn_rate(lost=11_000, at_start=50_000) == 0.22


def test_the_copied_variant_gives_81_6_percent_for_the_same_customers():
    variant = formulas.retention_rate_variant(at_end=40_000, new=1_000, at_start=50_000)
    assert variant == 40_000 / 49_000
    assert round(variant, 3) == 0.816


def test_900_of_2000_earlier_customers_is_a_repurchase_rate_of_45_percent():
    assert formulas.repurchase_rate(bought_again=900, earlier=2_000) == 0.45


@given(kept=counts, lost=counts, reactivated=counts, new=counts)
def test_the_flow_adds_up_and_the_textbook_exceeds_the_rate_by_the_reactivated(
    kept, lost, reactivated, new
):
    start = kept + lost
    end = formulas.customers_at_end(start, lost, reactivated, new)
    assert end == kept + reactivated + new
    textbook = formulas.retention_rate_textbook(end, new, start)
    if start == 0:
        assert textbook is None
        return
    rate, churn = formulas.retention_rate(kept, start), formulas.churn_rate(lost, start)
    assert rate + churn == pytest.approx(1, abs=1e-15)
    assert textbook - rate == pytest.approx(reactivated / start, rel=1e-9, abs=1e-12)


def test_a_rate_without_a_base_is_unknown_and_not_zero():
    assert formulas.retention_rate(0, 0) is None
    assert formulas.retention_rate_textbook(5, 5, 0) is None
    assert formulas.retention_rate_variant(40, 30, 30) is None
    assert formulas.churn_rate(0, 0) is None
    assert formulas.repurchase_rate(0, 0) is None
    assert formulas.repeat_rate(0, 0) is None
    assert formulas.average_order_value(0, 0) is None
    assert formulas.orders_per_customer(0, 0) is None
    assert formulas.top_share([]) is None


def test_a_share_of_revenue_that_returns_ate_up_is_unknown():
    assert formulas.revenue_share(10, 0) is None
    assert formulas.revenue_share(10, -5) is None
    assert formulas.top_share([50, -80]) is None
    assert formulas.spend_ratio(100, 10, -5, 10) is None
    assert formulas.spend_ratio(100, 10, 0, 0) is None


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: formulas.retention_rate(-1, 10), "kept is -1; it can't be negative"),
        (lambda: formulas.retention_rate(11, 10), "kept is 11, more than at_start with 10"),
        (lambda: formulas.retention_rate(math.nan, 10), "kept is nan; it must be a finite number"),
        (lambda: formulas.retention_rate_textbook(10, 11, 50), "new is 11, more than at_end"),
        (lambda: formulas.churn_rate(11, 10), "lost is 11, more than at_start with 10"),
        (lambda: formulas.repurchase_rate(3, 2), "bought_again is 3, more than earlier with 2"),
        (lambda: formulas.repeat_rate(3, 2), "repeat_buyers is 3, more than buyers with 2"),
        (lambda: formulas.average_order_value(100, 0), "revenue is 100 with no order"),
        (lambda: formulas.orders_per_customer(1, -1), "customers is -1; it can't be negative"),
        (lambda: formulas.top_share([1, 2], share=0), "share is 0; it must be above 0"),
        (lambda: formulas.top_share([1, math.inf]), "an amount that is not a finite number"),
    ],
)
def test_an_impossible_input_is_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


# --- top share ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "share", "best"),
    # 0.07 · 100 and 0.29 · 100 in binary are a little off 7 and 29
    [(1, 0.2, 1), (5, 0.2, 1), (6, 0.2, 2), (10, 0.2, 2), (100, 0.07, 7), (100, 0.29, 29)],
)
def test_the_best_are_rounded_up_and_only_up(n, share, best):
    assert formulas.top_share(np.ones(n), share) == pytest.approx(best / n)


def test_the_order_of_the_customers_does_not_matter():
    assert formulas.top_share([5, 50, 5, 30, 5, 5]) == formulas.top_share([50, 30, 5, 5, 5, 5])


def test_the_whole_can_be_larger_than_the_customers_listed():
    assert formulas.top_share([60, 20, 10, 5, 5], total=120) == 0.5


# --- intervals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_newcombes_table(successes, n, low, high):
    interval = intervals.wilson(successes, n)
    assert interval == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_its_share_and_stays_within_0_and_1(case):
    successes, n = case
    low, high = intervals.wilson(successes, n)
    assert 0 <= low <= successes / n <= high <= 1
    assert low < high


def test_wilson_of_nobody_is_unknown_alone_and_in_a_table():
    assert intervals.wilson(0, 0) is None
    low, high = intervals.wilson_many([[0, 1], [5, 3]], [[0, 2], [5, 9]])
    assert np.isnan(low[0, 0])
    assert np.isnan(high[0, 0])
    for i, j, case in ((0, 1, (1, 2)), (1, 0, (5, 5)), (1, 1, (3, 9))):
        assert (low[i, j], high[i, j]) == intervals.wilson(*case)


def test_mean_interval_is_students():
    # t(.975, 4) = 2.776445, standard error sqrt(2.5 / 5)
    assert intervals.mean_interval([1, 2, 3, 4, 5]) == pytest.approx(
        (3 - 2.776445 * 0.5**0.5, 3 + 2.776445 * 0.5**0.5), abs=1e-6
    )
    assert intervals.mean_interval([1]) is None


def median_limits(n):
    """Of the ranks 1 to n."""
    return median_of_counts(np.arange(1, n + 1), np.ones(n, dtype=int))[1]


def ratio(y, x):
    return ratio_limits(moments_of(y), moments_of(x), float(np.cov(y, x)[0, 1]))


def means_ratio(y, x):
    return means_ratio_limits(moments_of(y), moments_of(x))


@pytest.mark.parametrize(
    ("n", "low", "high"),
    # the usual table of ranks, two-sided 95 %
    [(6, 1, 6), (8, 1, 8), (9, 2, 8), (10, 2, 9), (20, 6, 15), (25, 8, 18), (100, 40, 61)],
)
def test_median_interval_takes_the_tabulated_ranks(n, low, high):
    assert median_limits(n) == (low, high)


@pytest.mark.parametrize("n", range(1, 6))
def test_the_median_of_fewer_than_six_has_no_95_percent_interval(n):
    assert median_limits(n) is None


@given(n=st.integers(1, 3_000))
def test_median_ranks_cover_the_level_and_no_narrower_ones_do(n):
    def coverage(rank):
        return 1 - 2 * binom.cdf(rank - 1, n, 0.5)

    interval = median_limits(n)
    rank = 0 if interval is None else int(interval.low)
    assert coverage(rank) >= LEVEL - 1e-12
    # one rank further in covers less, or there is none on that side of the middle
    assert 2 * (rank + 1) > n + 1 or coverage(rank + 1) < LEVEL


def test_the_ratio_to_a_constant_is_the_interval_of_the_mean():
    values = np.random.default_rng(1).gamma(2, 10, 200)
    assert ratio(values, np.ones(200)) == pytest.approx(intervals.mean_interval(values))


def test_ratio_intervals_cover_what_they_promise():
    rng = np.random.default_rng(20)
    runs, n = 1_000, 250
    hits_ratio = hits_means = 0
    for _ in range(runs):
        orders = rng.poisson(1.5, n) + 1
        revenue = orders * rng.gamma(4, 10, n)  # 40 an order, whatever their number
        low, high = ratio(revenue, orders)
        hits_ratio += low <= 40 <= high
        low, high = means_ratio(rng.gamma(2, 30, n), rng.gamma(2, 20, n))
        hits_means += low <= 1.5 <= high
    # four standard errors of a coverage of .95 in 1,000 runs, and a little for the approximation
    assert hits_ratio / runs == pytest.approx(0.95, abs=0.03)
    assert hits_means / runs == pytest.approx(0.95, abs=0.03)


def test_a_ratio_of_few_customers_or_over_nothing_has_no_interval():
    few, enough = np.arange(29) + 1.0, np.arange(30) + 1.0
    assert ratio(few, few) is None
    assert ratio(enough, enough) is not None
    assert means_ratio(few, enough) is None
    around_zero = np.resize([-1.0, 1.0], 30)
    assert ratio(enough, around_zero) is None
    assert means_ratio(enough, around_zero) is None


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: intervals.wilson(3, 2), "successes is 3, more than n with 2"),
        (lambda: intervals.wilson(-1, 2), "successes is -1; it can't be negative"),
        (lambda: intervals.wilson(1, 2, level=95), "level is 95; it must be between 0 and 1"),
        (lambda: intervals.mean_interval([1, math.nan]), "values has a value that is not a finite"),
        (lambda: intervals.mean_interval([[1, 2]]), "values has 2 dimensions"),
    ],
)
def test_an_interval_names_what_is_wrong_with_its_input(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
