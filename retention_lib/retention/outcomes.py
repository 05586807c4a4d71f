"""What the customers of a list do when left alone: the yardstick for whatever is done with a list.

A rule can be applied as of some months ago, and what its customers have done since is known. That
share is what a campaign must beat, and what its test is sized by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import ibis
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.periods import ONE_DAY, shift_months
from retention_lib.metrics import Metric
from retention_lib.retention.intervals import wilson

#: How long ago the rule is applied, and so how long its customers are watched.
MONTHS: Final = 3

#: Fewer customers than this say too little.
SMALLEST: Final = 50


@dataclass(frozen=True)
class LeftAlone:
    """How many customers of a list bought again by themselves.

    Parameters
    ----------
    months : int
        Within how long.
    share : Metric
        Of those who would have been on the list then.
    """

    months: int
    share: Metric


def earlier_day(base: Base, months: int = MONTHS) -> tuple[Base, int] | None:
    """The base `months` ago; None where fewer than as many months lie before that again."""
    day = shift_months(base.as_of, -months)
    return (base.at(day), months) if shift_months(day, -months) >= base.start else None


def buyers_since(base: Base, earlier: Base) -> pd.Index:
    """Who has bought since an earlier day.

    Parameters
    ----------
    base, earlier : Base
        Now, and as it was then.
    """
    bought = base.purchases()
    since = bought.filter(
        bought[schema.DAY].between(ibis.date(earlier.as_of + ONE_DAY), ibis.date(base.as_of))
    )
    ids = since.select(schema.CUSTOMER).distinct().to_pyarrow()[schema.CUSTOMER]
    return pd.Index(ids.to_pandas())


def left_alone(base: Base, earlier: Base, months: int, customers: pd.Index) -> LeftAlone | None:
    """The share of some customers, chosen as of an earlier day, with a purchase since.

    Parameters
    ----------
    base, earlier : Base
        Now, and as it was then.
    months : int
        Between the two.
    customers : Index
        Who was on the list then.

    Returns
    -------
    LeftAlone or None
        None with fewer than `SMALLEST` customers.
    """
    bought = customers.isin(buyers_since(base, earlier))
    return share_back(pd.Series(bought, index=customers), months)


def share_back(bought: pd.Series, months: int) -> LeftAlone | None:
    """The share of some customers with a purchase since, where that is known of each.

    Parameters
    ----------
    bought : Series of bool
        By customer.
    months : int
        Within how long.

    Returns
    -------
    LeftAlone or None
        None with fewer than `SMALLEST` customers.
    """
    n, came = len(bought), int(bought.sum())
    if n < SMALLEST:
        return None
    low, high = wilson(came, n) or (None, None)
    return LeftAlone(months, Metric(came / n, "share", low=low, high=high, n=n))
