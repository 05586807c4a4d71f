"""What `retention power` tells: how large a test has to be, before it starts.

It speaks to the consultant, in English; the arithmetic is `loyalty.sample_size`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

from retention_lib.errors import UsageError
from retention_lib.loyalty.looks import MOST_LOOKS, crossing
from retention_lib.loyalty.sample_size import (
    Design,
    Mean,
    Outcome,
    Share,
    Size,
    power,
    size,
    smallest_rise,
)

#: The curve's rises, in parts of the one asked for.
_CURVE: Final = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
_MOST_GROUPS: Final = 20
#: Looks of somebody who didn't plan any, for the warning.
_OFTEN: Final = 5


@dataclass(frozen=True)
class Asked:
    """What was asked on the command line.

    Parameters
    ----------
    share, control, level, power : str or None
        As typed: 12.8% or 0.128.
    sd, correlation : float or None
        Of an amount for each customer.
    rise : float or None
        Points of a share, or an amount.
    customers : int or None
        At hand, in all groups together.
    groups, looks : int
    """

    share: str | None = None
    sd: float | None = None
    correlation: float = 0.0
    rise: float | None = None
    customers: int | None = None
    groups: int = 2
    control: str | None = None
    level: str = "5%"
    power: str = "80%"
    looks: int = 1


@dataclass(frozen=True)
class Point:
    """A point of the curve: with such a rise, the test's customers, and the power of those at hand.

    Parameters
    ----------
    rise : float
        A share, or an amount.
    size : Size or None
    power : float or None
        None where no customers are at hand.
    """

    rise: float
    size: Size | None
    power: float | None


@dataclass(frozen=True)
class Plan:
    """A test, planned.

    Parameters
    ----------
    outcome : Share or Mean
    design : Design
    rise : float
        The one asked for; else the smallest that the customers at hand show.
    size : Size
        What that takes.
    customers : int or None
        At hand.
    smallest : float or None
        The smallest rise that they show.
    curve : tuple of Point
    """

    outcome: Share | Mean
    design: Design
    rise: float
    size: Size
    customers: int | None
    smallest: float | None
    curve: tuple[Point, ...]


def plan(asked: Asked) -> Plan:
    """Plan a test.

    Raises
    ------
    UsageError
        What was asked can't be planned: the option, what was found, the remedy.
    """
    outcome, design = _outcome(asked), _design(asked)
    customers = asked.customers
    if customers is not None and customers < design.groups:
        raise UsageError(
            f"--customers: {customers} are too few for {design.groups} groups; give as many as "
            "there are in all groups together"
        )
    smallest = None if customers is None else smallest_rise(outcome, customers, design)
    rise = _rise(asked, outcome, smallest)
    needed = size(outcome, rise, design)
    if needed is None:
        raise UsageError(
            f"--rise: {asked.share} and {100 * rise:.4g} points more are more than all; the share "
            "and the rise add up to 100% at most"
        )
    curve = (
        Point(
            part * rise,
            size(outcome, part * rise, design),
            None if customers is None else power(outcome, part * rise, customers, design),
        )
        for part in _CURVE
    )
    possible = tuple(point for point in curve if point.size)
    return Plan(outcome, design, rise, needed, customers, smallest, possible)


def print_plan(made: Plan, console: Console) -> None:
    """Print a plan: sentences and tables, plain columns where there is no terminal."""
    for line in _first(made):
        console.print(line, markup=False)
    console.print()
    console.print(_groups(made))
    console.print()
    if made.customers is not None:
        console.print(_at_hand(made, made.customers), markup=False)
        console.print()
    console.print(_curve(made))
    console.print()
    for line in _looks(made):
        console.print(line, markup=False)


def as_json(made: Plan) -> str:
    """A plan for another program: shares as shares, amounts as amounts."""
    told = asdict(made) | {
        "measure": "share" if isinstance(made.outcome, Share) else "mean",
        "limits": made.design.limits,
    }
    return json.dumps(told, indent=2, ensure_ascii=False)


# What was asked --------------------------------------------------------------------------------


def _outcome(asked: Asked) -> Share | Mean:
    if (asked.share is None) == (asked.sd is None):
        raise UsageError(
            "--share or --sd: give one of them; --share 12.8% is the share that buys again with "
            "nothing done, --sd 450 the standard deviation of an amount between customers"
        )
    if asked.share is not None:
        if asked.correlation:
            raise UsageError("--correlation belongs to an amount; leave it out, or give --sd")
        rate = _part("--share", asked.share)
        if rate >= 1:
            raise UsageError(f"--share: of {asked.share} none are left to be won; give less")
        return Share(rate)
    sd = asked.sd or 0.0
    if not 0 < sd < float("inf"):
        raise UsageError(f"--sd: {sd:g} is no standard deviation; it is above 0")
    if not -1 < asked.correlation < 1:
        raise UsageError(
            f"--correlation: {asked.correlation:g} doesn't lie between -1 and 1; it is that of a "
            "customer's amounts in and before the test"
        )
    return Mean(sd, asked.correlation)


def _design(asked: Asked) -> Design:
    if not 2 <= asked.groups <= _MOST_GROUPS:
        raise UsageError(
            f"--groups: {asked.groups} can't be planned; give 2 to {_MOST_GROUPS}, the control "
            "group counted"
        )
    if not 1 <= asked.looks <= MOST_LOOKS:
        raise UsageError(f"--looks: {asked.looks} can't be planned; give 1 to {MOST_LOOKS}")
    control = None if asked.control is None else _part("--control", asked.control)
    if control is not None and not 0 < control < 1:
        raise UsageError(
            f"--control: a control group of {asked.control} leaves one group empty; give more than "
            "0% and less than 100%"
        )
    level, wanted = _part("--level", asked.level), _part("--power", asked.power)
    if not 0 < level < 0.5:
        raise UsageError(f"--level: {asked.level} isn't above 0% and below 50%; 5% is usual")
    if not level < wanted < 1:
        raise UsageError(
            f"--power: {asked.power} isn't between the level, {asked.level}, and 100%; 80% is usual"
        )
    return Design(asked.groups, control, level, wanted, asked.looks)


def _rise(asked: Asked, outcome: Outcome, smallest: float | None) -> float:
    if asked.rise is not None:
        if not 0 < asked.rise < float("inf"):
            raise UsageError(f"--rise: {asked.rise:g} is no rise; it is above 0")
        return asked.rise / 100 if isinstance(outcome, Share) else asked.rise
    if asked.customers is None:
        raise UsageError(
            "--rise or --customers: give one of them at least; --rise 3 is the rise to be seen (in "
            "points of a share), --customers 2800 how many there are"
        )
    if smallest is None:
        raise UsageError(
            f"--customers: {asked.customers} show no rise at all, whatever the measure does; take "
            "more"
        )
    return smallest


def _part(option: str, text: str) -> float:
    """A share, as typed."""
    number, per_cent = text.strip().removesuffix("%").replace(",", "."), text.strip().endswith("%")
    try:
        value = float(number) / (100 if per_cent else 1)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        more = "" if per_cent else f" ({number}% is meant?)"
        raise UsageError(f"{option}: {text!r} is no share; give it as 12.8% or as 0.128{more}")
    return value


# What is told ----------------------------------------------------------------------------------


def _first(made: Plan) -> Iterator[str]:
    design = made.design
    if isinstance(made.outcome, Share):
        rate = made.outcome.rate
        yield (
            f"From {_per_cent(rate)} with nothing done to {_per_cent(rate + made.rise)}: a rise of "
            f"{_risen(made, made.rise)}."
        )
    else:
        before = made.outcome.correlation**2
        less = (
            f"; what the same customers did before foretells {_per_cent(before)} of the variance"
            if before
            else ""
        )
        yield (
            f"A rise of {_risen(made, made.rise)} a customer, where customers differ by "
            f"{made.outcome.sd:,g} (standard deviation){less}."
        )
    of_all = "" if design.groups == 2 else f", over all {design.groups - 1} measures"
    yield (
        f"To be seen in {_per_cent(design.power)} of tests, with at most "
        f"{_per_cent(design.level)} false alarms{of_all}, it takes, by lot:"
    )


def _at_hand(made: Plan, customers: int) -> str:
    if made.smallest is None:
        return f"{customers:,} customers show no rise at all."
    if made.rise == made.smallest:
        return f"That is the smallest rise that {customers:,} customers show."
    enough = "enough" if customers >= made.size.together else "too few"
    chance = power(made.outcome, made.rise, customers, made.design) or 0.0
    return (
        f"{customers:,} customers are {enough}: they show this rise in {_per_cent(chance)} of "
        f"tests, and the smallest that they show is {_risen(made, made.smallest)}."
    )


def _looks(made: Plan) -> Iterator[str]:
    design = made.design
    often = design.looks if design.looks > 1 else _OFTEN
    usual = Design(level=design.level).limits
    fooled = crossing(usual * often)
    warning = (
        f"Who looks {often} times and stops as soon as p is below {_per_cent(design.level)} is "
        f"fooled by {_per_cent(fooled)} of the tests of a measure that does nothing."
    )
    if design.looks == 1:
        yield f"Look once, at the end. {warning} To look earlier, plan it: --looks."
        return
    yield f"{warning} With these limits it is {_per_cent(design.level)}. Stop at a look only where:"
    for number, limit in enumerate(design.limits, start=1):
        yield (
            f"  {number} of {design.looks}: p below {_p_of(limit):.2g} "
            f"(after {round(made.size.together * number / design.looks):,} customers)"
        )


def _groups(made: Plan) -> Table:
    table = _table("group", "customers")
    for number in range(1, made.design.groups):
        name = "measure" if made.design.groups == 2 else f"measure {number}"
        table.add_row(name, f"{made.size.measure:,}")
    table.add_row("control", f"{made.size.control:,}")
    table.add_row("together", f"{made.size.together:,}")
    return table


def _curve(made: Plan) -> Table:
    hand = () if made.customers is None else (f"power of {made.customers:,}",)
    table = _table("rise", "customers needed", *hand)
    for point in made.curve:
        needed = f"{point.size.together:,}" if point.size else "–"
        chance = () if point.power is None else (_per_cent(point.power),)
        table.add_row(_risen(made, point.rise), needed, *chance)
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _risen(made: Plan, rise: float) -> str:
    if isinstance(made.outcome, Share):
        points = f"{100 * rise:.3g}"
        return f"{points} point{'' if points == '1' else 's'}"
    return f"{rise:,.4g}"


def _per_cent(share: float) -> str:
    return "over 99.9%" if 0.9995 <= share < 1 else f"{100 * share:.3g}%"


def _p_of(limit: float) -> float:
    from scipy.special import ndtr

    return float(2 * ndtr(-limit))
