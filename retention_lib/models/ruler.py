"""What a customer summary is measured in, and whether a model may score it.

A summary carries its ruler (`time_unit`), its grain (what purchases are collapsed to) and its end
(`as_of`) in `attrs`. A model fitted in one ruler gives figures several times off in another, and
nothing in the figures shows it; so what doesn't fit is refused, and so is what doesn't say.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final, Literal

import pandas as pd

from retention_lib.errors import DataError
from retention_lib.units import DAYS_PER_UNIT

#: Purchases of one day are one purchase, whatever the ruler.
GRAIN: Final = "day"
#: Days of a year in which a yearly rate of discount is given.
DAYS_PER_YEAR: Final = 365.25


@dataclass(frozen=True, slots=True)
class Ruler:
    """What a summary, or a model, is measured in.

    Attributes
    ----------
    time_unit : str
        `day` or `week`: the unit of `recency`, `T` and the parameters of time.
    grain : str
        `day`.
    as_of : date
        The last day that is known.
    """

    time_unit: Literal["day", "week"]
    grain: str
    as_of: dt.date

    @property
    def year(self) -> float:
        """A year in the unit of time."""
        return DAYS_PER_YEAR / DAYS_PER_UNIT[self.time_unit]


def ruler_of(customers: pd.DataFrame) -> Ruler:
    """What a customer summary is measured in.

    Parameters
    ----------
    customers : DataFrame
        With `attrs` as `Base.customers` gives them.

    Returns
    -------
    Ruler

    Raises
    ------
    DataError
        A summary that doesn't say, or says something that no summary has.
    """
    said = {name: customers.attrs.get(name) for name in ("time_unit", "grain", "as_of")}
    missing = [name for name, value in said.items() if value is None]
    if missing:
        raise DataError(
            f"The customer summary doesn't say its {_listed(missing)} (a merge or a reading from "
            "disk loses attrs); take it from Base.customers, or set customers.attrs."
        )
    return as_ruler(said["time_unit"], said["grain"], said["as_of"], "The customer summary")


def as_ruler(time_unit: Any, grain: Any, as_of: Any, what: str) -> Ruler:
    """A ruler from what somebody says, checked.

    Parameters
    ----------
    time_unit, grain, as_of
        As they stand in `attrs` or in a file.
    what : str
        The place, with which the refusal begins.

    Raises
    ------
    DataError
        A unit of time, a grain or a day that isn't one.
    """
    if time_unit not in DAYS_PER_UNIT:
        raise DataError(f"{what} has time_unit {time_unit!r}; known are day and week.")
    if grain != GRAIN:
        raise DataError(
            f"{what} has purchases collapsed per {grain}, and the models take purchases per day; "
            "make the summary anew from the purchases. The unit of time is another matter."
        )
    try:
        day: pd.Timestamp | None = pd.Timestamp(as_of)
    except (ValueError, TypeError):
        day = None
    if not isinstance(day, pd.Timestamp):
        raise DataError(f"{what} ends on {as_of!r}, which is no date.")
    return Ruler(time_unit, GRAIN, day.date())


def check_scoring(
    customers: pd.DataFrame,
    model: Any,
    *,
    time_unit: str | None = None,
    as_of: Any = None,
) -> Ruler:
    """Refuse to score a summary with a model that doesn't fit it.

    A summary may end later than the model's: that is how a forecast is scored when time has passed.
    One that ends earlier may not, for the model has seen its future.

    Parameters
    ----------
    customers : DataFrame
        With `attrs`.
    model : PurchaseFitter
        What it says of its `time_unit`, `grain` and `as_of` is compared; what it doesn't say isn't.
    time_unit : str, optional
        The unit that the caller takes the summary to be in.
    as_of : date, optional
        The day from which the caller counts ahead.

    Returns
    -------
    Ruler
        The summary's.

    Raises
    ------
    DataError
        A summary that doesn't say what it is measured in, or is measured in something else than
        the model or the caller takes it for; one that ends before the model's last day.
    """
    ruler = ruler_of(customers)
    if model.time_unit not in (None, ruler.time_unit):
        raise DataError(
            f"The purchase model was fitted in {model.time_unit}s and the customers are given in "
            f"{ruler.time_unit}s; make the summary in the model's unit, or fit anew."
        )
    if time_unit not in (None, ruler.time_unit):
        fitted = "" if model.time_unit is None else f"the model is fitted in {model.time_unit}s, "
        raise DataError(
            f"The customers are taken to be given in {time_unit}s; {fitted}the summary in "
            f"{ruler.time_unit}s. Name the summary's unit, or make it anew."
        )
    grain = getattr(model, "grain", None)
    if grain not in (None, ruler.grain):
        raise DataError(
            f"The purchase model was fitted on purchases per {grain} and the customers' are per "
            f"{ruler.grain}; fit anew."
        )
    end = None if model.as_of is None else pd.Timestamp(model.as_of).date()
    if end is not None and ruler.as_of < end:
        raise DataError(
            f"The customers are summarised as of {ruler.as_of} and the purchase model knows of "
            f"purchases up to {end}; fit one on what was known by {ruler.as_of}."
        )
    if as_of is not None and pd.Timestamp(as_of).date() != ruler.as_of:
        raise DataError(
            f"Values are asked for from {pd.Timestamp(as_of).date()} on and the customers are "
            f"summarised as of {ruler.as_of}; make the summary as of the same day."
        )
    return ruler


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
