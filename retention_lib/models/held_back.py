"""The months held back of a base: which they are, what was bought in them, which model knew it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ibis
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.periods import ONE_DAY, Window, shift_months
from retention_lib.models.choose import choose
from retention_lib.models.holdout import Holdout, validate
from retention_lib.sentence import N_, Sentence
from retention_lib.units import DAYS_PER_UNIT

#: The window held back is a third of the history, at most this many months.
LONGEST_HOLDOUT = 12


def holdout_window(base: Base) -> Window | None:
    """The months held back to test the model; None where the history is shorter than three months.

    A third of the history, at most `LONGEST_HOLDOUT` months, or as many as the client file says.
    """
    months = 0
    while shift_months(base.as_of, -(months + 1)) + ONE_DAY >= base.start:
        months += 1
    held_back = base.params.holdout_months or min(months // 3, LONGEST_HOLDOUT)
    if not 0 < held_back < months:
        return None
    return Window(shift_months(base.as_of, -held_back) + ONE_DAY, base.as_of)


def tested(base: Base) -> tuple[str, Sentence, Holdout | None]:
    """Name of the model, why it was taken, and its test on the months held back.

    The test is None where the history is too short for one.
    """
    params = base.params
    window = holdout_window(base)
    if window is None:
        name = "bgnbd" if params.model == "auto" else params.model
        return name, Sentence(TOO_SHORT), None
    split = window.start - ONE_DAY
    calibration = base.customers(split)
    if calibration.empty:
        name = "bgnbd" if params.model == "auto" else params.model
        return name, Sentence(NOBODY_YET), None
    before = Window(split - dt.timedelta(days=window.days - 1), split)
    after, ago = _bought_in(base, window), _bought_in(base, before)
    given: dict[str, Any] = {
        "horizon": window.days / DAYS_PER_UNIT[params.time_unit],
        "months": _months(window),
        "repeat_purchases": _repeat_purchases_by_day(base, split),
        "revenue": after["amount"],
        "previous_revenue": ago["amount"],
    }
    actual, previous = after["purchases"], ago["purchases"]
    if params.model != "auto":
        holdout = validate(calibration, actual, previous, model_name=params.model, **given)
        return params.model, Sentence(NAMED), holdout
    chosen, reason, holdouts = choose(calibration, actual, previous, **given)
    return chosen, reason, holdouts[chosen]


def _months(window: Window) -> int:
    months = 0
    while shift_months(window.end, -months) >= window.start:
        months += 1
    return months


def _bought_in(base: Base, window: Window) -> pd.DataFrame:
    """`purchases` and their `amount` in a window, by customer."""
    days = base.days
    inside = days.filter(
        days[schema.BOUGHT]
        & days[schema.DAY].between(ibis.date(window.start), ibis.date(window.end))
    )
    bought = inside.group_by(schema.CUSTOMER).aggregate(
        purchases=inside.count(), amount=inside[schema.AMOUNT].sum().cast("float64")
    )
    return bought.execute().set_index(schema.CUSTOMER)


def _repeat_purchases_by_day(base: Base, split: dt.date) -> pd.Series:
    """Repeat purchases by day, of the customers who had bought by the split."""
    bought = base.purchases()
    first = bought.filter((bought.number == 0) & (bought[schema.DAY] <= ibis.date(split)))
    known = bought.semi_join(first, schema.CUSTOMER).filter(bought.number > 0)
    by_day = known.group_by(schema.DAY).aggregate(purchases=known.count()).execute()
    return pd.Series(
        by_day["purchases"].to_numpy(), index=pd.DatetimeIndex(by_day[schema.DAY])
    ).sort_index()


TOO_SHORT = N_("The history is too short to try the models on months held back.")
NOBODY_YET = N_("Nobody had bought before the months held back.")
NAMED = N_("The client file names it.")
