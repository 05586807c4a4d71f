"""What customers say: how high, of whom, since when, and whether it foretells what they do.

One survey of a client, worked out whole: the answers that count (`survey_answers`), the levels of
the reporting period against the one before (`survey_scores`), whom they speak for
(`survey_weights`), groups, months, purchases after (`survey_later`), and the customers to call back
(`survey_lists`). One measure leads: the Net Promoter Score where enough gave one, else
satisfaction, else ease.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.periods import ONE_DAY, Window, months_to
from retention_lib.loyalty import survey_answers, survey_lists
from retention_lib.loyalty.survey_answers import FEWEST, MEASURES, Answers, Measure, Scale
from retention_lib.loyalty.survey_histories import histories, main_group, states_at
from retention_lib.loyalty.survey_later import Later, first_asked, later, window_of
from retention_lib.loyalty.survey_lists import Listed
from retention_lib.loyalty.survey_scores import (
    Groups,
    Level,
    OverTime,
    answered,
    by_group,
    change,
    level_of,
    over_time,
)
from retention_lib.loyalty.survey_weights import Weighting, weigh
from retention_lib.models.forecast import Forecast
from retention_lib.models.segment_values import clv_by_group
from retention_lib.retention.difference import Difference
from retention_lib.retention.segments import name_segments, rfm

Unweighted = Literal["no_customers", "few_known", "too_uneven"]
"""Why the answers aren't weighted: nobody was a customer then, too few of who answered were, or the
weights would leave too few effective answers."""


@dataclass(frozen=True)
class Survey:
    """A survey, worked out.

    Parameters
    ----------
    answers : Answers
    left_out : DataFrame
        Rows left out before, by cause: cause, rows.
    span : Window
        The days whose answers make the levels: the reporting period, or where it has too few all
        days with answers.
    in_period : bool
        Whether it is the period.
    levels, before : mapping of measure to Level
        In the span, and in the period before it; without what is held back.
    changes : mapping of measure to Difference
        From before to the period.
    counted : mapping of measure to int
        Customers with a score in the span.
    asked, answered : int or None
        Customers asked in the span, and who answered; None where the data has answers only.
    unmatched : int
        Customers with an answer in the span and no purchase in the orders.
    time : OverTime or None
        Of the leading measure.
    groups : tuple of Groups
    weighting : Weighting or None
    unweighted : str or None
        Why there is none.
    later : Later or None
    last_window : int or None
        Days of the window after the answer; None where no window is over for enough of them.
    listed : Listed
        Whom to call back, or to ask for more.
    """

    answers: Answers
    left_out: pd.DataFrame
    span: Window
    in_period: bool
    levels: Mapping[Measure, Level]
    before: Mapping[Measure, Level]
    changes: Mapping[Measure, Difference]
    counted: Mapping[Measure, int]
    asked: int | None
    answered: int | None
    unmatched: int
    time: OverTime | None
    groups: tuple[Groups, ...]
    weighting: Weighting | None
    unweighted: Unweighted | None
    later: Later | None
    last_window: int | None
    listed: Listed

    @property
    def lead(self) -> Measure | None:
        """The measure that leads; None where no level can be told."""
        return next((name for name in MEASURES if name in self.levels), None)

    @property
    def scale(self) -> Scale | None:
        """Its scale."""
        return None if self.lead is None else self.answers.scales[self.lead]


def of_base(base: Base, customers: pd.DataFrame, made: Forecast | None = None) -> Survey | None:
    """A client's survey; None where the client gives none.

    Parameters
    ----------
    base : Base
    customers : DataFrame
        One row per customer as of today, indexed by customer: `tier`, `clv` and what lists
        have (`report.customers.customer_table`).
    made : Forecast, optional
        Of the same base: then what is expected of the unhappy has its interval.
    """
    given, asked = base.dataset("survey"), base.params.survey
    if given is None or asked is None:
        return None
    frame = given.frame()
    found = survey(base, frame, customers, given.left_out, asked.csat_scale, asked.ces_scale)
    return found if made is None else _with_interval(found, base, made)


def survey(
    base: Base,
    frame: pd.DataFrame,
    customers: pd.DataFrame,
    left_out: pd.DataFrame | None = None,
    csat_scale: tuple[int, int] = (1, 5),
    ces_scale: tuple[int, int] = (1, 7),
) -> Survey:
    """Work out a survey.

    Parameters
    ----------
    base : Base
    frame : DataFrame
        A row a question: customer, date, nps, csat, ces.
    customers : DataFrame
        As for `of_base`.
    left_out : DataFrame, optional
        Rows that were left out on reading: cause, rows.
    csat_scale, ces_scale : tuple of int
    """
    found = survey_answers.answers(frame, csat_scale, ces_scale)
    months, period = base.params.period_months, base.windows.period
    usable = [name for name in MEASURES if found.usable(name)]
    in_period = any(len(found.latest(name, period)) >= FEWEST for name in usable)
    span = period
    if not in_period and found.rows["answered"].any():
        span = survey_answers.span_of(found.rows[found.rows["answered"]])
    now = {name: found.latest(name, span) for name in usable}
    earlier = months_to(period.start - ONE_DAY, months)
    then = {name: found.latest(name, earlier) if in_period else now[name][:0] for name in usable}
    levels = {name: level for name in usable if (level := level_of(name, now[name]))}
    before = {name: level for name in usable if (level := level_of(name, then[name]))}
    changes = {
        name: moved
        for name in levels
        if name in before and (moved := change(name, then[name], now[name])) is not None
    }
    within = survey_answers.inside(found.rows["date"], span)
    count, asked = answered(found, within)
    lead = next(iter(levels), None)
    everyone = pd.Index(found.rows.loc[within & found.rows["answered"], "customer"].unique())
    when = None if lead is None else _when(base, now[lead])
    weighting, unweighted = (
        (None, None) if lead is None or when is None else _weighted(base, lead, now[lead], when)
    )
    window, after = (None, None) if lead is None else _later(base, found, lead, customers)
    last = None if lead is None else _recent(base, found, lead, months)
    return Survey(
        answers=found,
        left_out=pd.DataFrame(columns=["cause", "rows"]) if left_out is None else left_out,
        span=span,
        in_period=in_period,
        levels=levels,
        before=before,
        changes=changes,
        counted={name: len(now.get(name, ())) for name in MEASURES},
        asked=asked if found.asked_known else None,
        answered=count if found.asked_known else None,
        unmatched=int((~everyone.isin(customers.index)).sum()),
        time=None if lead is None else over_time(lead, found.scored(lead)),
        groups=(
            () if lead is None or when is None else _groups(base, lead, now[lead], customers, when)
        ),
        weighting=weighting,
        unweighted=unweighted,
        later=after,
        last_window=window,
        listed=survey_lists.listed(lead, last, customers),
    )


def _with_interval(found: Survey, base: Base, made: Forecast) -> Survey:
    """With the interval of what is expected of the unhappy of high value."""
    listed = found.listed
    n = len(listed.detractors)
    if not n or not listed.by_clv:
        return found
    means = clv_by_group(base, made, pd.Series("unhappy", index=listed.detractors.index))
    if means.empty:
        return found
    low, high = n * means.loc["unhappy", ["low", "high"]].to_numpy(dtype=float)
    return dataclasses.replace(
        found, listed=dataclasses.replace(listed, low=float(low), high=float(high))
    )


@dataclass(frozen=True)
class _When:
    """What was known when the answers came.

    Parameters
    ----------
    day : date
        By which half of the answers had come.
    state : DataFrame
        Of who answered, by answer, each on the own day of it (`survey_histories.histories`).
    """

    day: dt.date
    state: pd.DataFrame


def _when(base: Base, now: pd.DataFrame) -> _When:
    half = pd.Timestamp(now["date"].sort_values().iloc[len(now) // 2]).date()
    return _When(min(max(half, base.start), base.as_of), histories(base, now, 1))


def _weighted(
    base: Base, lead: Measure, now: pd.DataFrame, when: _When
) -> tuple[Weighting | None, Unweighted | None]:
    """The answers against the customers of the day that half of the answers came by.

    Whoever answers is taken as known on the own day of it, whoever is a customer as on that day;
    of both only those count who had bought within the activity window before.
    """
    window = months_to(when.day, base.params.active_months)
    target = states_at(base, when.day, window.start)
    if len(target) < FEWEST:
        return None, "no_customers"
    state = when.state[when.state["away"] < window.days]
    if len(state) < FEWEST:
        return None, "few_known"
    weighting = weigh(lead, now.loc[state.index, "group"], state, target)
    return weighting, None if weighting is not None else "too_uneven"


def _later(
    base: Base, found: Answers, lead: Measure, customers: pd.DataFrame
) -> tuple[int | None, Later | None]:
    first = first_asked(found.rows, found.scored(lead))
    days = window_of(first, base.as_of)
    if days is None:
        return None, None
    over = first[(pd.Timestamp(base.as_of) - first["date"]).dt.days >= days]
    clv = customers.get("clv")
    return days, later(lead, first, histories(base, over, days), days, base.as_of, clv)


def _groups(
    base: Base, lead: Measure, now: pd.DataFrame, customers: pd.DataFrame, when: _When
) -> tuple[Groups, ...]:
    """By segment, value tier, and the dimensions that the client asks for."""
    groups = {"segment": _segments(base, now, when)}
    if "tier" in customers:
        groups["tier"] = customers["tier"]
    for name in base.params.dimensions:
        groups[name] = main_group(base, name, pd.Index(now["customer"]))
    found = (by_group(lead, now, name, of) for name, of in groups.items())
    return tuple(one for one in found if one is not None)


def _segments(base: Base, now: pd.DataFrame, when: _When) -> pd.Series:
    """The segment of each on the day of the answer, by the cuts of the customers of that time.

    Not today's: who was displeased and has stayed away since would be told of as a segment that is
    displeased.
    """
    customers = base.customers(when.day)
    if customers.empty or when.state.empty:
        return pd.Series(dtype="object")
    cuts, state = rfm(customers, when.day), when.state
    r = 5 - np.searchsorted(cuts.recency_cuts, state["away"], side="left")
    f = 1 + np.searchsorted(cuts.frequency_cuts, state["purchases"], side="left")
    named = name_segments(pd.Series(r, state.index), pd.Series(f, state.index))
    return named.set_axis(now.loc[state.index, "customer"])


def _recent(base: Base, found: Answers, lead: Measure, months: int) -> pd.DataFrame:
    """Each customer's last answer, where it is no older than a period: older ones are no news."""
    return found.latest(lead, months_to(base.as_of, months))
