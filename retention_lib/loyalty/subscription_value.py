"""What today's subscribers are worth, by how often they have renewed.

A subscriber with r renewals made pays again at the next with the model's probability, and so on:
the discounted expected residual lifetime (Fader & Hardie 2010, Marketing Science 29(1), 85-93,
equation 6) is the number of payments still to come, that at the next renewal counted in full; here
it is discounted to today too, by the days until then. What is paid already is not in it. Worth is
payments × today's amount × margin: prices and plans stay as they are.

Its interval has what the parameters may be, at each of them for all subscribers together. Of many
subscribers chance takes off hardly anything more.

Some of those who won't renew next time have said so. Of the others fewer leave then than the model
has it of all: as many as it expects of all less those with notice, shared out by its chances;
apart for those due within 30 days, within 90 and later, where a period is longer than three months.

For comparison the same under last year's churn, kept up by all alike: payments p Σ (p/(1 + d))^k,
p the share that renews. It undervalues those who have renewed often, and overvalues the new.

No subscriber was watched for longer than the longest; what part of the value is expected to be paid
at higher ages rests on the model alone, and is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lib.loyalty.subscription_model import Projection, edge_of
from retention_lib.loyalty.subscription_rows import (
    MONTH_DAYS,
    OPEN,
    Subscribed,
    renewal_days,
    renewals_by,
)
from retention_lib.models.sbg import ShiftedBetaGeometric
from retention_lib.retention.intervals import Z

#: Days ahead up to which renewals are looked at together: notices come shortly before.
WINDOWS: Final = (30, 90)
#: Least share of its chance that is left to who is silent, however many have given notice: some
#: always leave without a word.
_SILENT: Final = 0.05
#: Months of a billing period up to which all renewals are looked at together.
_SHORT: Final = 3
#: Renewals made, told of in the table of ages, in months of a relationship.
_TOLD: Final = (0, 3, 6, 12, 24, 36, 60)


@dataclass(frozen=True)
class Worth:
    """Value of today's subscribers.

    Parameters
    ----------
    subscribers : int
        Without notice given.
    value, low, high : float or None
        In currency; None without amounts.
    constant : float or None
        The same under last year's churn, kept up by all alike.
    in_a_year, in_a_year_low, in_a_year_high : float or None
        Share of today's recurring revenue that will be left in twelve months without new
        subscribers; its interval has chance too.
    beyond : float
        Share of the expected payments at ages that nobody was watched at.
    months, months_low, months_high : float
        Discounted months still to be paid for, of a subscriber in the mean.
    by_age : DataFrame
        months (of relationship), renewals, renews, renews_low, renews_high (share who renew next
        time), left, left_low, left_high (discounted months still to be paid for).
    """

    subscribers: int
    value: float | None
    low: float | None
    high: float | None
    constant: float | None
    in_a_year: float | None
    in_a_year_low: float | None
    in_a_year_high: float | None
    beyond: float
    months: float
    months_low: float
    months_high: float
    by_age: pd.DataFrame


def rate_per_period(yearly: float, period_months: int) -> float:
    """The discount of a billing period."""
    return float((1 + yearly) ** (period_months / 12) - 1)


def today(subscribed: Subscribed) -> pd.DataFrame:
    """Today's subscribers.

    Returns
    -------
    DataFrame
        customer, who, since (first day of the running stay), renewals (made in it), due (the next,
        both in days since 1970), ends (last day, `OPEN` without notice), cents (per billing
        period), plan (of the row that pays most).
    """
    day, months = subscribed.today, subscribed.period_months
    stays = subscribed.stays
    running = stays[(stays["start"] <= day) & (stays["end"] >= day)]
    rows = subscribed.rows
    paying = rows[(rows["start"] <= day) & (rows["end"] >= day)]
    best = paying.sort_values(["who", "cents"], kind="stable").groupby("who").last()
    cents = paying.groupby("who")["cents"].sum()
    since = running["start"].to_numpy(dtype="int64")
    made = renewals_by(since, day, months)
    who = running["who"].to_numpy(dtype="int64")
    return pd.DataFrame(
        {
            "customer": subscribed.customers.to_numpy()[who],
            "who": who,
            "since": since,
            "renewals": made,
            "due": renewal_days(since, made + 1, months),
            "ends": running["end"].to_numpy(dtype="int64"),
            "cents": cents.reindex(who).to_numpy(dtype="int64"),
            "plan": best["plan"].reindex(who).to_numpy(dtype=object),
        }
    )


def with_chances(subscribed: Subscribed, made: Projection) -> pd.DataFrame:
    """Today's subscribers with their chance not to renew next time.

    Returns
    -------
    DataFrame
        As `today`, with notice (whether it is given), window (which renewals are looked at
        together: by `WINDOWS`, or all), p (by the model, of all with as many renewals), p_leave
        (of those without notice; NaN with it). Both NaN without a model.
    """
    here = today(subscribed)
    wait = here["due"].to_numpy() - subscribed.today
    # with short periods all renewals are near, and notices as likely for each
    edges = WINDOWS if subscribed.period_months > _SHORT else ()
    here = here.assign(
        notice=here["ends"].to_numpy() < OPEN, window=np.searchsorted(edges, wait, side="left")
    )
    if made.model is None or here.empty:
        return here.assign(p=np.nan, p_leave=np.nan)
    p = 1 - made.model.renewal_rate(here["renewals"].to_numpy() + 1)
    open_, told = ~here["notice"].to_numpy(), (here["ends"] < here["due"]).to_numpy()
    kinds, window = len(WINDOWS) + 1, here["window"].to_numpy()
    expected = np.bincount(window, weights=p, minlength=kinds)
    silent = np.bincount(window[open_], weights=p[open_], minlength=kinds)
    left = np.maximum(expected - np.bincount(window[told], minlength=kinds), 0.0)
    share = np.clip(left / np.where(silent > 0, silent, 1.0), _SILENT, 1.0)
    return here.assign(p=p, p_leave=np.where(open_, p * share[window], np.nan))


def worth(
    subscribed: Subscribed, made: Projection, discount_rate: float, margin: float
) -> Worth | None:
    """The value of today's subscribers without notice.

    Parameters
    ----------
    discount_rate : float
        Yearly.
    margin : float
        Share of revenue.

    Returns
    -------
    Worth or None
        None without a model, a discount (without which no mean needs to exist) or a subscriber.
    """
    model = made.model
    everybody = with_chances(subscribed, made)
    here = everybody[~everybody["notice"]]
    if model is None or not discount_rate > 0 or here.empty:
        return None
    months = made.period_months
    d = rate_per_period(discount_rate, months)
    wait = (here["due"].to_numpy() - subscribed.today) / (MONTH_DAYS * months)
    # who has not said to leave renews next time more readily than the model has it of all
    likelier = ((1 - here["p_leave"]) / (1 - here["p"])).to_numpy()
    here = here.assign(
        now=likelier * (1 + d) ** -wait, likelier=likelier, money=here["cents"].to_numpy() / 100
    )
    here = here.assign(paid=here["money"] * here["now"])
    by_age = here.groupby("renewals")[["now", "paid"]].sum()
    age = by_age.index.to_numpy(dtype="int64")
    left = _payments(model, age, d)
    edge = np.array([_payments(one, age, d) for one in edge_of(model)])
    n = len(here)
    mean = months * float(by_age["now"] @ left) / n
    means = months * edge @ by_age["now"].to_numpy() / n
    value = low = high = constant = None
    year: tuple[float, float, float] | None = None
    if subscribed.priced:
        values = margin * edge @ by_age["paid"].to_numpy()
        year = _in_a_year(made, here, float(everybody["cents"].sum()) / 100)
        value = margin * float(by_age["paid"] @ left)
        low, high = float(values.min()), float(values.max())
        renews = 1 - made.churn
        if np.isfinite(renews):
            constant = margin * float(by_age["paid"].sum()) * renews * (1 + d) / (1 + d - renews)
    return Worth(
        subscribers=n,
        value=value,
        low=low,
        high=high,
        constant=constant,
        in_a_year=None if year is None else year[0],
        in_a_year_low=None if year is None else year[1],
        in_a_year_high=None if year is None else year[2],
        beyond=1 - float(by_age["now"] @ _watched(made, age, d)) / float(by_age["now"] @ left),
        months=mean,
        months_low=float(means.min()),
        months_high=float(means.max()),
        by_age=_by_age(model, int(age.max()), months, d),
    )


def held_once(
    model: ShiftedBetaGeometric, renewals: NDArray[np.int64], discount_rate: float
) -> NDArray[np.float64]:
    """Payments of a subscriber who would have left next time, and is held this once.

    Who is about to leave is likelier than others to leave later: such a subscriber's own chance
    is spread as Beta(α + 1, β + r), not as Beta(α, β + r). Held, the subscriber pays now and may
    leave at any later renewal.

    Parameters
    ----------
    renewals : ndarray of int
        Made by each.
    discount_rate : float
        A period's, above 0.
    """
    age, which = np.unique(renewals, return_inverse=True)
    leavers = [replace(model, alpha=model.alpha + 1, beta=model.beta + float(r)) for r in age]
    later = np.array([one.residual_lifetime(0, discount_rate) for one in leavers])
    return np.asarray((1 + later / (1 + discount_rate))[which])


def _payments(model: ShiftedBetaGeometric, age: NDArray[np.int64], d: float) -> NDArray[np.float64]:
    return np.array([model.residual_lifetime(int(r), d) for r in age])


def _in_a_year(
    made: Projection, here: pd.DataFrame, all_money: float
) -> tuple[float, float, float] | None:
    """Share of today's revenue that is left after the renewals of twelve months."""
    model, more = made.model, 12 // made.period_months
    assert model is not None
    if not more:
        return None
    paid = here["money"] * here["likelier"]
    by_age = here.assign(paid=paid, square=paid**2).groupby("renewals")[["paid", "square"]].sum()
    age = by_age.index.to_numpy(dtype="int64")
    money, squares = by_age.to_numpy(dtype=float).T

    def kept(one: ShiftedBetaGeometric) -> NDArray[np.float64]:
        return np.asarray(one.survival(age + more) / one.survival(age))

    share = kept(model)
    expected = float(money @ share)
    edge = [float(money @ kept(one)) for one in edge_of(model)]
    chance = Z * float(np.sqrt(squares @ (share * (1 - share))))
    low = expected - float(np.hypot(expected - min(edge), chance))
    high = expected + float(np.hypot(max(edge) - expected, chance))
    return expected / all_money, max(0.0, low / all_money), min(1.0, high / all_money)


def _watched(made: Projection, age: NDArray[np.int64], d: float) -> NDArray[np.float64]:
    """Discounted payments up to the age that was watched."""
    model, curve = made.model, made.curve
    assert model is not None
    last = int(curve.loc[curve["watched"], "period"].max())
    t = np.arange(1, last + 1)
    share = model.survival(t) / (1 + d) ** (t - 1.0)
    sums = np.r_[np.cumsum(share[::-1])[::-1], 0.0]  # from each age on
    at = np.minimum(age, last)
    return np.asarray(sums[at] * (1 + d) ** at / model.survival(at))


def _by_age(model: ShiftedBetaGeometric, oldest: int, months: int, d: float) -> pd.DataFrame:
    """What is to be expected of subscribers of some ages, up to the oldest there is."""
    told = sorted({-(-m // months) for m in _TOLD if -(-m // months) <= oldest})
    edge = edge_of(model)
    rows = []
    for r in told:
        renews = np.array([float(one.renewal_rate(r + 1)) for one in edge])
        left = months * np.array([one.residual_lifetime(r, d) for one in edge])
        rows.append(
            {
                "renewals": r,
                "months": r * months,
                "renews": float(model.renewal_rate(r + 1)),
                "renews_low": float(renews.min()),
                "renews_high": float(renews.max()),
                "left": months * model.residual_lifetime(r, d),
                "left_low": float(left.min()),
                "left_high": float(left.max()),
            }
        )
    return pd.DataFrame(rows)
