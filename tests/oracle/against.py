"""A base against the definition in plain Python (`oracle.reference`), to the last cent."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest

from oracle.reference import Result
from retention_lib.data.base import Base
from retention_lib.data.purchases import summarise


def exact(value: Any) -> Fraction:
    """An amount that went through a float, as the decimal that it stands for."""
    return Fraction(round(Decimal(float(value)), 4))


def assert_same(base: Base, expected: Result, count: int) -> None:
    """Whatever a base hands out, against the definition."""
    assert (base.start, base.as_of) == (expected.start, expected.as_of)
    # rows in = used + left out, by cause, with their amounts
    assert base.rows_in == count
    assert base.rows_used == len(expected.used)
    left_out = {
        row.cause: (row.rows, exact(0 if pd.isna(row.amount) else row.amount))
        for row in base.left_out.itertuples()
    }
    assert left_out == {
        cause: (there.rows, there.amount)
        for cause, there in expected.left_out.items()
        if there.rows
    }
    has_order = "order" in base.rows.columns
    assert Counter(
        (row["customer"], row["order"] if has_order else None, row["day"], Fraction(row["amount"]))
        for row in base.rows.to_pyarrow().to_pylist()
    ) == Counter((row.customer, row.order, row.day, row.amount) for row in expected.used)
    assert Counter(
        (row["customer"], row["day"], Fraction(row["amount"]))
        for row in base.orders().to_pyarrow().to_pylist()
    ) == Counter((order.customer, order.day, order.amount) for order in expected.orders)
    assert sorted(
        (row["customer"], row["day"], Fraction(row["amount"]))
        for row in base.purchases().to_pyarrow().to_pylist()
    ) == [(bought.customer, bought.day, bought.amount) for bought in expected.purchases]


def assert_same_customers(base: Base, expected: Result) -> None:
    for unit, days_in_unit in (("day", 1), ("week", 7)):
        frame = summarise(base.days, base.as_of, unit)
        assert list(frame.index) == [customer.customer for customer in expected.customers]
        for there, one in zip(frame.itertuples(), expected.customers, strict=True):
            assert (there.first.date(), there.last.date()) == (one.first, one.last)
            assert (there.frequency, there.purchases) == (one.frequency, one.purchases)
            assert there.recency == one.recency / days_in_unit
            assert days_in_unit * there.T == pytest.approx(one.T, rel=1e-15)
            assert exact(there.revenue) == one.revenue
            assert there.amount_mean == pytest.approx(float(one.amount_mean), rel=1e-14)
            if one.monetary_value is None:
                assert pd.isna(there.monetary_value)
            else:
                assert there.monetary_value == pytest.approx(float(one.monetary_value), rel=1e-14)
