"""What a purchase is worth, by which one it is: the first, the second, the third.

Who makes a fifth purchase is somebody else than who makes a first: means of all purchases by number
compare different customers. The change from each purchase to the next is therefore taken within the
customers who made both, and one row of means is of the same customers throughout.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.metrics import Metric, unknown
from retention_lib.retention.beginning import starts_late
from retention_lib.retention.homogeneity import LEVEL, holm
from retention_lib.retention.intervals import means_many
from retention_lib.retention.next_purchase import counts_by_number
from retention_lib.sentence import N_, Sentence
from retention_lib.smallest import SMALLEST

#: Purchases told of, from the first on.
MOST: Final = 6
#: Customers who made so many purchases that these are told of the same customers.
ENOUGH: Final = 100
LATE: Final = Sentence(
    "The data starts after its customers did, so that their first purchase in it isn't their first."
)


@dataclass(frozen=True)
class OrderValue:
    """What purchases are worth, in order.

    Parameters
    ----------
    steps : DataFrame
        One row per purchase that somebody made: `number`, from 1; `customers` who made it; `mean`
        with its 95 % interval `low`, `high` (Student's t); `n_next`, who made the next one too;
        `before` and `after`, what this one and the next are worth to them on average; `change`
        with `change_low`, `change_high` (paired); `differs`, 1 or −1 where the change is beyond
        chance after Holm, else 0; `since`, `since_low`, `since_high`, what this purchase is worth
        more than the same customers' first; `same`, `same_low`, `same_high`, the mean of the
        customers who made `together` purchases or more. NaN of fewer than two customers.
    together : int
        The purchases that the same customers all made; 1 where too few made two.
    n_same : int
        How many these customers are.
    late : bool
        Whether the data starts after its customers, so that their first purchase in it isn't their
        first.
    """

    steps: pd.DataFrame
    together: int
    n_same: int
    late: bool = False

    @property
    def metrics(self) -> dict[str, Metric]:
        """The section's figures."""
        figures = {
            "journey.first_purchase_value": self._mean(1),
            "journey.second_purchase_value": self._mean(2),
            "journey.change_to_second": self._change(),
            "journey.change_since_first": self.since_first,
        }
        if not self.late:
            return figures
        return {
            name: dataclasses.replace(one, note=one.note or LATE) for name, one in figures.items()
        }

    @property
    def since_first(self) -> Metric:
        """What the last purchase of the same customers is worth more than their first."""
        if self.together < 2:
            few = Sentence("Fewer than {n} customers bought twice.", n=ENOUGH)
            return unknown("currency", few, n=int(self.steps["n_next"].head(1).sum()))
        one = self.steps[self.steps["number"] == self.together].iloc[0]
        return Metric(
            float(one["since"]), "currency", one["since_low"], one["since_high"], n=self.n_same
        )

    def _mean(self, number: int) -> Metric:
        row = self.steps[self.steps["number"] == number]
        n = int(row["customers"].sum())
        if n < 1:
            return unknown("currency", N_("Nobody has made this purchase."), n=0)
        one = row.iloc[0]
        return Metric(float(one["mean"]), "currency", one["low"], one["high"], n=n)

    def _change(self) -> Metric:
        n = int(self.steps["n_next"].head(1).sum())
        if n < 1:
            return unknown("currency", N_("Nobody has made a second purchase."), n=0)
        one = self.steps.iloc[0]
        return Metric(float(one["change"]), "currency", one["change_low"], one["change_high"], n=n)


def order_value(base: Base, most: int = MOST) -> OrderValue:
    """What purchases are worth by number, and how that changes within the same customers.

    A purchase is all that a customer bought on one day (`data.purchases`).

    Parameters
    ----------
    base : Base
    most : int, default 6
        Rows at most.
    """
    together, n_same = _together(counts_by_number(base, most))
    made = base.once(f"order-value-{most}", lambda: _by_number(base, most, together))
    frame = made.to_pandas().astype(dict.fromkeys(("number", "customers", "n_next"), "int64"))
    frame["n_same"] = np.where(frame["number"] <= together, n_same, 0)
    of = {"mean": "customers", "change": "n_next", "since": "customers", "same": "n_same"}
    for name, n in of.items():
        prefix = "" if name == "mean" else f"{name}_"
        frame[f"{prefix}low"], frame[f"{prefix}high"] = means_many(
            frame[name], frame[f"{name}_sd"], frame[n]
        )
    return OrderValue(_judged(frame), together, n_same, starts_late(base))


def _by_number(base: Base, most: int, together: int) -> ir.Table:
    """Moments of what purchases were worth, by number; of the same customers up to `together`."""
    bought = base.purchases()
    window = ibis.window(group_by=schema.CUSTOMER, order_by=schema.DAY)
    amount = bought[schema.AMOUNT].cast("float64")
    steps = bought.select(
        number=bought.number + 1,
        amount=amount,
        change=amount.lead().over(window) - amount,
        since=amount - amount.first().over(window),
        purchases=bought.count().over(ibis.window(group_by=schema.CUSTOMER)),
    )
    steps = steps.filter(steps.number <= most)
    same = (steps.purchases >= together) & (steps.number <= together)
    made = steps.group_by("number").aggregate(
        customers=steps.count(),
        **_moments("mean", steps.amount),
        n_next=steps.change.count(),
        before=steps.amount.mean(where=steps.change.notnull()),
        **_moments("change", steps.change),
        **_moments("since", steps.since),
        **_moments("same", steps.amount, same),
    )
    return made.order_by("number")


def _moments(
    name: str, value: ir.NumericValue, where: ir.BooleanValue | None = None
) -> dict[str, ir.Value]:
    return {name: value.mean(where=where), f"{name}_sd": value.std(where=where, how="sample")}


def _together(frame: pd.DataFrame) -> tuple[int, int]:
    """The most purchases that enough customers made, and how many made them."""
    enough = frame[(frame["customers"] >= ENOUGH) & (frame["number"] > 1)]
    if enough.empty:
        return 1, int(frame["customers"].head(1).sum())
    last = enough.iloc[-1]
    return int(last["number"]), int(last["customers"])


def _judged(frame: pd.DataFrame) -> pd.DataFrame:
    from scipy.stats import t

    n = frame["n_next"].to_numpy(dtype=float)
    enough = n >= SMALLEST
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.abs(frame["change"].astype(float)) * np.sqrt(n) / frame["change_sd"]
        p = 2 * t.sf(distance.to_numpy(dtype=float), n - 1)
    sure = holm(np.where(enough, p, np.nan)) < LEVEL
    return frame.assign(
        after=frame["before"] + frame["change"],
        differs=np.where(sure, np.sign(frame["change"].fillna(0)), 0).astype(int),
    ).drop(columns=[*(f"{name}_sd" for name in ("mean", "change", "since", "same")), "n_same"])
