"""Groups put together of smaller ones have the moments of their customers."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_lib.retention.pooled import covariance_of, mean_of, sum_of

pairs = st.tuples(st.integers(-1000, 1000), st.integers(-1000, 1000))
groups = st.lists(st.lists(pairs, min_size=1, max_size=6), min_size=1, max_size=5)


@given(groups=groups)
def test_the_moments_are_those_of_all_customers(groups: list[list[tuple[int, int]]]) -> None:
    arrays = [np.array(group, dtype=float) for group in groups]
    n = np.array([len(group) for group in arrays], dtype=float)
    x, y = np.array([group.mean(axis=0) for group in arrays]).T
    within = np.array([np.cov(g.T)[0, 1] if len(g) > 1 else math.nan for g in arrays])
    everybody = np.concatenate(arrays)
    assert mean_of(n, x) == pytest.approx(everybody[:, 0].mean(), abs=1e-9)
    if len(everybody) > 1:
        expected = np.cov(everybody.T)[0, 1]
        assert covariance_of(n, x, y, within) == pytest.approx(expected, abs=1e-6)


def test_of_nobody_there_is_no_mean_and_of_one_no_variance() -> None:
    nobody, one = np.empty(0), np.ones(1)
    assert math.isnan(mean_of(nobody, nobody))
    assert math.isnan(covariance_of(nobody, nobody, nobody, nobody))
    assert math.isnan(covariance_of(one, one, one, np.array([math.nan])))


def test_a_sum_is_rounded_once() -> None:
    assert sum_of(np.array([Decimal("0.1")] * 10, dtype=object)) == 1.0
    assert sum_of(np.empty(0, dtype=object)) == 0.0
