"""What customers had bought when they were asked, and what they bought after.

Counted in the engine: of the orders only those of the customers who were asked are looked at, and
a row a question comes back. The day of the question belongs to what was known before it.
"""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.retention.group_counts import GROUP

#: What is known of a customer on a day.
STATE = ("purchases", "away", "revenue", "tenure")


def histories(base: Base, asked: pd.DataFrame, days: int) -> pd.DataFrame:
    """What customers had bought up to a day, and within some days after it.

    Parameters
    ----------
    base : Base
    asked : DataFrame
        customer, date.
    days : int
        Length of the window after.

    Returns
    -------
    DataFrame
        In the rows' order and with their index: `purchases` up to the day, `away` (days since the
        last), `tenure` (since the first), `revenue` (net, report's currency); `came_back` (whether
        any purchase within the days after), `spend` (net, within them). Only rows of customers
        with a purchase up to the day.
    """
    if asked.empty:
        empty = pd.DataFrame(columns=[*STATE, "spend"], dtype="float64")
        return empty.assign(came_back=pd.Series(dtype=bool))
    questions = pd.DataFrame(
        {
            "question": range(len(asked)),
            schema.CUSTOMER: asked["customer"].to_numpy(),
            "asked": asked["date"].dt.date.to_numpy(),
        }
    )
    given = ibis.memtable(
        questions, schema={"question": "int64", schema.CUSTOMER: "string", "asked": "date"}
    )
    rows = given.inner_join(base.days, schema.CUSTOMER)
    after = rows[schema.DAY].delta(rows.asked, unit="day")
    bought, amount = rows[schema.BOUGHT], rows[schema.AMOUNT].cast("float64")
    before, within = after <= 0, (after > 0) & (after <= days)
    table = rows.group_by("question").aggregate(
        purchases=(bought & before).sum().cast("int64"),
        away=(-after).min(where=bought & before).cast("float64"),
        tenure=(-after).max(where=bought & before).cast("float64"),
        revenue=amount.sum(where=before).fill_null(0.0),
        came_back=(bought & within).any(),
        spend=amount.sum(where=within).fill_null(0.0),
    )
    found = table.filter(table.purchases > 0).order_by("question").to_pyarrow().to_pandas()
    index = asked.index[found["question"]]
    return found.drop(columns="question").set_index(index)


def states_at(base: Base, day: dt.date, active_months_start: dt.date) -> pd.DataFrame:
    """The customers of a day, as `histories` has those who were asked.

    Parameters
    ----------
    base : Base
    day : date
    active_months_start : date
        A customer of the day has a purchase from here on.

    Returns
    -------
    DataFrame
        By customer: `purchases`, `away`, `revenue`, `tenure`.
    """
    customers = base.customers(day)
    if customers.empty:
        return pd.DataFrame(columns=list(STATE), dtype="float64")
    customers = customers[customers["last"] >= pd.Timestamp(active_months_start)]
    now = pd.Timestamp(day)
    return pd.DataFrame(
        {
            "purchases": customers["purchases"].astype("float64"),
            "away": (now - customers["last"]).dt.days.astype("float64"),
            "revenue": customers["revenue"].astype("float64"),
            "tenure": (now - customers["first"]).dt.days.astype("float64"),
        }
    )


def main_group(base: Base, dimension: str, customers: pd.Index) -> pd.Series:
    """The market, channel or category in which each customer bought on most days.

    Parameters
    ----------
    base : Base
    dimension : str
        A mapped one.
    customers : Index
        Whom to look at.

    Returns
    -------
    Series
        By customer; of several with equally many days the one with more revenue. Without who never
        had one.
    """
    wanted = ibis.memtable(
        pd.DataFrame({schema.CUSTOMER: pd.Index(customers).astype("str")}),
        schema={schema.CUSTOMER: "string"},
    )
    rows = base.by(dimension).semi_join(wanted, schema.CUSTOMER)
    counted = rows.filter(rows[GROUP].notnull()).group_by(schema.CUSTOMER, GROUP)
    table = counted.aggregate(
        days=rows[schema.DAY].nunique(), revenue=rows[schema.AMOUNT].sum().cast("float64")
    )
    frame = table.to_pyarrow().to_pandas()
    frame = frame.sort_values(
        [schema.CUSTOMER, "days", "revenue", GROUP], ascending=[True, False, False, True]
    )
    first = frame.drop_duplicates(schema.CUSTOMER)
    return first.set_index(schema.CUSTOMER)[GROUP]
