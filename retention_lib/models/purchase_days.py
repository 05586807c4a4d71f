"""The purchases of a base's customers, or of a sample of them, as arrays: any past day's summary.

A base gives a summary as of any day too, from its engine. Here the purchases are read once, and a
summary costs some milliseconds, so that the past can be gone through again and again.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.models.histories import Floats
from retention_lib.units import DAYS_PER_UNIT

#: Customers whose past is forecast; of a larger base a sample. Their total is known to about 1 %.
MOST_CUSTOMERS = 25_000


@dataclass(frozen=True, slots=True)
class PurchaseDays:
    """Purchases of some customers, by customer and day.

    Attributes
    ----------
    customer : ndarray of int, shape (k,)
        0 to n − 1, ascending.
    day : ndarray of datetime64[D], shape (k,)
        Ascending within a customer.
    amount : ndarray of float, shape (k,)
    of : int
        Customers in the base that these were drawn from.
    """

    customer: np.ndarray
    day: np.ndarray
    amount: Floats
    of: int

    @property
    def customers(self) -> int:
        """How many customers there are."""
        return int(self.customer[-1]) + 1 if len(self.customer) else 0

    def summary(self, end: dt.date, time_unit: str) -> pd.DataFrame:
        """The customer summary as of a day: `Base.customers`, of these customers.

        Returns
        -------
        DataFrame
            By customer: `purchases`, `frequency`, `recency`, `T`, `monetary_value`, `amount_mean`.
        """
        seen = self.day <= np.datetime64(end)
        who, day, amount = self.customer[seen], self.day[seen], self.amount[seen]
        ids, first, count = np.unique(who, return_index=True, return_counts=True)
        spent = np.add.reduceat(amount, first) if len(ids) else np.empty(0)
        scale = float(DAYS_PER_UNIT[time_unit])
        repeats = np.maximum(count - 1, 1)
        days = {
            "recency": day[first + count - 1] - day[first],
            "T": np.datetime64(end) - day[first],
        }
        frame = pd.DataFrame(
            {
                "purchases": count,
                "frequency": count - 1,
                **{k: v.astype("timedelta64[D]").astype(float) / scale for k, v in days.items()},
                "monetary_value": np.where(count > 1, (spent - amount[first]) / repeats, np.nan),
                "amount_mean": spent / count,
            },
            index=pd.Index(ids, name=schema.CUSTOMER),
        )
        frame.attrs = {"time_unit": time_unit, "grain": "day", "as_of": end.isoformat()}
        return frame

    def between(self, start: dt.date, end: dt.date, index: pd.Index) -> tuple[pd.Series, pd.Series]:
        """Purchases and their amounts from one day to another, of the customers in an index."""
        inside = (self.day >= np.datetime64(start)) & (self.day <= np.datetime64(end))
        who = self.customer[inside]
        n = self.customers
        count = pd.Series(np.bincount(who, minlength=n), dtype=float)
        amount = pd.Series(np.bincount(who, self.amount[inside], minlength=n))
        return count.loc[index], amount.loc[index]


def purchase_days(base: Base, most: int = MOST_CUSTOMERS, seed: int = 0) -> PurchaseDays:
    """The purchases of a base's customers, or of a sample that is always the same.

    Parameters
    ----------
    base : Base
    most : int
        Customers at most.
    seed : int
    """
    ids = base.customers().index
    days = base.days.filter(base.days[schema.BOUGHT])
    if len(ids) > most:
        rows = np.random.default_rng(seed).choice(len(ids), most, replace=False)
        some = ibis.memtable(pd.DataFrame({schema.CUSTOMER: ids[np.sort(rows)]}))
        days = days.semi_join(some, schema.CUSTOMER)
    days = days.select(
        days[schema.CUSTOMER], days[schema.DAY], amount=days[schema.AMOUNT].cast("float64")
    )
    frame = days.order_by([schema.CUSTOMER, schema.DAY]).to_pyarrow()
    codes = pd.factorize(frame[schema.CUSTOMER].to_pandas())[0]
    day = frame[schema.DAY].to_numpy().astype("datetime64[D]")
    return PurchaseDays(codes, day, frame["amount"].to_numpy().astype(float), len(ids))
