"""The formulas behind the retention figures, each with its worked example (CONTRACT, section 4).

The functions take counts and sums that are known already; which customers belong to a count is
defined in docs/method.md. A rate without a base is None, because nobody can know it; an impossible
input is a `ValueError` that says what is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

import numpy as np


def retention_rate(kept: float, at_start: float) -> float | None:
    """Share of the customers at the start who are customers at the end, |S ∩ E| / |S|.

    Parameters
    ----------
    kept : number
        Customers at the start who are still customers at the end.
    at_start : number
        Customers at the start.

    Returns
    -------
    float or None
        A share from 0 to 1; None where nobody was there at the start.

    Raises
    ------
    ValueError
        A negative or unknown count, or more kept than there were.

    Examples
    --------
    >>> retention_rate(kept=39_000, at_start=50_000)
    0.78
    """
    return _share("kept", kept, "at_start", at_start)


def retention_rate_textbook(at_end: float, new: float, at_start: float) -> float | None:
    """The textbook's retention rate, (E − N) / S, from three totals.

    It needs no look at single customers, which is why it is taught. Customers who were away at the
    start and came back count as kept, so that it exceeds `retention_rate` by the reactivated, and
    can exceed 1.

    Parameters
    ----------
    at_end : number
        Customers at the end.
    new : number
        Those among them whom the period won.
    at_start : number
        Customers at the start.

    Returns
    -------
    float or None
        A share, 0 or more; None where nobody was there at the start.

    Raises
    ------
    ValueError
        A negative or unknown count, or more new customers than there are at the end.

    Examples
    --------
    50,000 customers at the start, 1,000 won, 40,000 at the end: 39,000 of 50,000 are left.

    >>> retention_rate_textbook(at_end=40_000, new=1_000, at_start=50_000)
    0.78
    """
    _check(at_end=at_end, new=new, at_start=at_start)
    _check_part("new", new, "at_end", at_end)
    return _ratio(at_end - new, at_start)


def retention_rate_variant(at_end: float, new: float, at_start: float) -> float | None:
    """The widely copied variant E / (S − N), which is **not reported**.

    It takes the new customers off the customers at the start, among whom they never were, and
    leaves them among those at the end. It is here to explain a figure that a client brings along.

    Parameters
    ----------
    at_end, new, at_start : number
        As in `retention_rate_textbook`.

    Returns
    -------
    float or None
        A ratio; None where as many or more were won as there were at the start, for the variant
        then has no base.

    Raises
    ------
    ValueError
        A negative or unknown count, or more new customers than there are at the end.

    Examples
    --------
    The example of `retention_rate_textbook` once more; the right answer is 78.0 %.

    >>> round(retention_rate_variant(at_end=40_000, new=1_000, at_start=50_000), 3)
    0.816
    """
    _check(at_end=at_end, new=new, at_start=at_start)
    _check_part("new", new, "at_end", at_end)
    return _ratio(at_end, at_start - new)


def churn_rate(lost: float, at_start: float) -> float | None:
    r"""Share of the customers at the start who are gone at the end, |S \ E| / |S|.

    Parameters
    ----------
    lost : number
        Customers at the start who are no customers at the end.
    at_start : number
        Customers at the start.

    Returns
    -------
    float or None
        1 − `retention_rate`; None where nobody was there at the start.

    Raises
    ------
    ValueError
        A negative or unknown count, or more lost than there were.

    Examples
    --------
    >>> churn_rate(lost=11_000, at_start=50_000)
    0.22
    """
    return _share("lost", lost, "at_start", at_start)


def customers_at_end(at_start: float, lost: float, reactivated: float, new: float) -> float:
    """Customers at the end from the flow: start − lost + reactivated + new.

    Parameters
    ----------
    at_start, lost, reactivated : number
        Customers at the start; of those, lost; earlier customers, away at the start, who are back.
    new : number
        Won in the period and still customers at the end.

    Returns
    -------
    number
        Customers at the end.

    Raises
    ------
    ValueError
        A negative or unknown count, or more lost than there were.

    Examples
    --------
    >>> customers_at_end(at_start=50_000, lost=12_000, reactivated=1_000, new=1_000)
    40000
    """
    _check(at_start=at_start, lost=lost, reactivated=reactivated, new=new)
    _check_part("lost", lost, "at_start", at_start)
    return at_start - lost + reactivated + new


def repurchase_rate(bought_again: float, earlier: float) -> float | None:
    """Share of the earlier customers who bought in the period, |S ∩ B| / |S|.

    Parameters
    ----------
    bought_again : number
        Earlier customers with a purchase in the period.
    earlier : number
        Earlier customers.

    Returns
    -------
    float or None
        A share from 0 to 1; None where there are no earlier customers.

    Raises
    ------
    ValueError
        A negative or unknown count, or more who bought again than there were.

    Examples
    --------
    Of 2,000 earlier customers 900 buy again in two months.

    >>> repurchase_rate(bought_again=900, earlier=2_000)
    0.45
    """
    return _share("bought_again", bought_again, "earlier", earlier)


def repeat_rate(repeat_buyers: float, buyers: float) -> float | None:
    """Share of the buyers with two or more purchases, in whatever span both are counted.

    Parameters
    ----------
    repeat_buyers : number
        Buyers with two or more purchases in the span.
    buyers : number
        Buyers with one or more.

    Returns
    -------
    float or None
        A share from 0 to 1; None where nobody bought.

    Raises
    ------
    ValueError
        A negative or unknown count, or more repeat buyers than buyers.

    Examples
    --------
    >>> repeat_rate(repeat_buyers=300, buyers=1_200)
    0.25
    """
    return _share("repeat_buyers", repeat_buyers, "buyers", buyers)


def average_order_value(revenue: float, orders: float) -> float | None:
    """Revenue of the orders over their number.

    Parameters
    ----------
    revenue : number
        Revenue of the orders with an amount above 0, in the report's currency.
    orders : number
        How many they are.

    Returns
    -------
    float or None
        In the currency of `revenue`; None without an order.

    Raises
    ------
    ValueError
        A negative or unknown number, or revenue without an order.

    Examples
    --------
    >>> average_order_value(revenue=90_000, orders=1_200)
    75.0
    """
    _check(revenue=revenue, orders=orders)
    if revenue > 0 and orders == 0:
        raise ValueError(f"revenue is {revenue:g} with no order; give the orders it comes from.")
    return _ratio(revenue, orders)


def orders_per_customer(orders: float, customers: float) -> float | None:
    """Orders over the customers who placed them.

    Parameters
    ----------
    orders, customers : number
        Orders in the period; customers with a purchase in the period.

    Returns
    -------
    float or None
        Orders per customer; None without a customer.

    Raises
    ------
    ValueError
        A negative or unknown number.

    Examples
    --------
    >>> orders_per_customer(orders=1_200, customers=800)
    1.5
    """
    _check(orders=orders, customers=customers)
    return _ratio(orders, customers)


def revenue_share(part: float, whole: float) -> float | None:
    """Share of the revenue that comes from some of the customers.

    Revenue is net of returns, so that a group's part can be negative, and larger than the whole
    where others returned more than they bought.

    Parameters
    ----------
    part, whole : number
        Revenue of the group; revenue of all; in the same currency.

    Returns
    -------
    float or None
        A share; None where the whole is 0 or less, of which nothing has a share.

    Raises
    ------
    ValueError
        A sum that is not a finite number.

    Examples
    --------
    >>> revenue_share(part=60_000, whole=80_000)
    0.75
    """
    _check_finite(part=part, whole=whole)
    return _ratio(part, whole)


def spend_ratio(
    returning_revenue: float, returning: float, new_revenue: float, new: float
) -> float | None:
    """Revenue per returning customer over revenue per new customer.

    Parameters
    ----------
    returning_revenue, new_revenue : number
        Revenue of the period by group, net of returns, in the same currency.
    returning, new : number
        Customers of each group with a purchase in the period.

    Returns
    -------
    float or None
        A ratio, 2.0 where a returning customer brings twice as much; None where a group is empty or
        the new customers' revenue is 0 or less.

    Raises
    ------
    ValueError
        A negative or unknown count, a sum that is not a finite number.

    Examples
    --------
    >>> spend_ratio(returning_revenue=60_000, returning=400, new_revenue=20_000, new=200)
    1.5
    """
    _check(returning=returning, new=new)
    _check_finite(returning_revenue=returning_revenue, new_revenue=new_revenue)
    if returning == 0 or new == 0:
        return None
    return _ratio(returning_revenue / returning, new_revenue / new)


def top_share(
    values: Iterable[float], share: float = 0.2, total: float | None = None
) -> float | None:
    """Share of the total that the best `share` of the customers bring, their number rounded up.

    Parameters
    ----------
    values : iterable of float
        One amount per customer, in any order; may hold negatives (returns).
    share : float, default 0.2
        Share of the customers that counts as best, above 0 and at most 1.
    total : float, optional
        The whole, where it is not the sum of `values`: a period's revenue also has the returns of
        customers who bought nothing in it.

    Returns
    -------
    float or None
        A share; None without a customer or where the whole is 0 or less.

    Raises
    ------
    ValueError
        A `share` outside (0, 1], or an amount that is not a finite number.

    Examples
    --------
    A fifth of six customers is 1.2, rounded up 2; they bring 80 of 100.

    >>> top_share([5, 50, 5, 30, 5, 5])
    0.8
    """
    if not 0 < share <= 1:
        raise ValueError(f"share is {share!r}; it must be above 0 and at most 1.")
    amounts = np.asarray(values if isinstance(values, np.ndarray) else list(values), dtype=float)
    if not np.isfinite(amounts).all():
        raise ValueError("values has an amount that is not a finite number; leave it out first.")
    if amounts.size == 0:
        return None
    # As a fraction of the decimal that was written: 0.07 * 100 in binary is a little above 7.
    best = math.ceil(Fraction(str(float(share))) * amounts.size)
    whole = math.fsum(amounts) if total is None else total
    _check_finite(total=whole)
    return _ratio(math.fsum(np.sort(amounts)[::-1][:best]), whole)


def _share(part_name: str, part: float, whole_name: str, whole: float) -> float | None:
    _check(**{part_name: part, whole_name: whole})
    _check_part(part_name, part, whole_name, whole)
    return _ratio(part, whole)


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None


def _check(**numbers: float) -> None:
    _check_finite(**numbers)
    for name, number in numbers.items():
        if number < 0:
            raise ValueError(f"{name} is {number:g}; it can't be negative.")


def _check_finite(**numbers: float) -> None:
    for name, number in numbers.items():
        if not math.isfinite(number):
            raise ValueError(f"{name} is {number}; it must be a finite number.")


def _check_part(part_name: str, part: float, whole_name: str, whole: float) -> None:
    if part > whole:
        raise ValueError(
            f"{part_name} is {part:g}, more than {whole_name} with {whole:g}; "
            f"{part_name} counts only customers who are in {whole_name}."
        )
