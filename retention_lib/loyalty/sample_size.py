"""How large a test has to be: customers in each group, and the smallest effect that shows.

Groups are drawn by lot; each measure's group is held against the control group, which is left
alone. With several measures each comparison is planned at the level divided by their number, where
Holm's procedure begins (Holm 1979): the plan holds for whichever is the first to show.

Normal approximations. Shares are compared on Cohen's effect size h, the difference of 2 asin √p,
whose variance doesn't depend on the share (Cohen 1988, Statistical Power Analysis, ch. 6). Means
are compared in standard deviations; what the same customers did before takes the part of the
variance that it foretells (CUPED: Deng, Xu, Kohavi & Walker 2013, WSDM, 123-132, eq. 3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from retention_lib.loyalty.looks import crossing, limits, mean_needed


class Outcome(Protocol):
    """What a customer of a test is watched for."""

    def effect(self, rise: float) -> float | None:
        """A rise in standard deviations of one customer; None where there can't be one."""

    def rise(self, effect: float) -> float | None:
        """The rise that such an effect is; None where there can't be one."""


@dataclass(frozen=True)
class Share:
    """Whether the customer did something, such as buying again.

    Parameters
    ----------
    rate : float
        Share that does so with nothing done, in [0, 1).
    """

    rate: float

    def effect(self, rise: float) -> float | None:
        """In Cohen's h; the rise is a share, 0.02 for two points."""
        raised = self.rate + rise
        if not (0 <= self.rate < 1 and 0 <= raised <= 1):
            return None
        return 2 * (math.asin(math.sqrt(raised)) - math.asin(math.sqrt(self.rate)))

    def rise(self, effect: float) -> float | None:
        """As a share; None where it would be more than all."""
        angle = math.asin(math.sqrt(self.rate)) + effect / 2
        return None if angle > math.pi / 2 else math.sin(angle) ** 2 - self.rate


@dataclass(frozen=True)
class Mean:
    """An amount for each customer, such as revenue.

    Parameters
    ----------
    sd : float
        Standard deviation between customers, of all in the test: also of those with nothing.
    correlation : float, default 0
        Between a customer's amount in the test and before it, in (−1, 1); 0 without a look before.
    """

    sd: float
    correlation: float = 0.0

    @property
    def _left(self) -> float:
        return self.sd * math.sqrt(1 - self.correlation**2)

    def effect(self, rise: float) -> float | None:
        """The rise is in the amount's unit."""
        return rise / self._left

    def rise(self, effect: float) -> float | None:
        """In the amount's unit."""
        return effect * self._left


@dataclass(frozen=True)
class Design:
    """How a test is made, and how sure it is to be.

    Parameters
    ----------
    groups : int, default 2
        The control group counted.
    control : float, optional
        Share of the customers in the control group; by default all groups are equal.
    level : float, default 0.05
        Of false alarms, two-sided, over all measures and looks.
    power : float, default 0.8
        Probability of seeing an effect that is there.
    looks : int, default 1
        Equally far apart in customers, the last at the end (`looks.limits`).
    """

    groups: int = 2
    control: float | None = None
    level: float = 0.05
    power: float = 0.8
    looks: int = 1

    @property
    def control_share(self) -> float:
        """Of the customers."""
        return 1 / self.groups if self.control is None else self.control

    @property
    def measure_share(self) -> float:
        """Of the customers, in the group of each measure."""
        return (1 - self.control_share) / (self.groups - 1)

    @property
    def level_each(self) -> float:
        """Level of each comparison."""
        return self.level / (self.groups - 1)

    @property
    def limits(self) -> tuple[float, ...]:
        """Of |z| at each look."""
        return limits(self.looks, self.level_each)

    @property
    def information(self) -> float:
        """What a customer of the test adds to 1 / variance of a comparison, in standard units."""
        return 1 / (1 / self.measure_share + 1 / self.control_share)


@dataclass(frozen=True)
class Size:
    """Customers of a test.

    Parameters
    ----------
    measure : int
        In the group of each measure.
    control : int
        In the control group.
    together : int
        In all groups.
    """

    measure: int
    control: int
    together: int


def size(outcome: Outcome, rise: float, design: Design) -> Size | None:
    """Customers with whom a rise shows.

    Parameters
    ----------
    outcome : Outcome
    rise : float
        As the outcome has it: a share, or an amount.
    design : Design

    Returns
    -------
    Size or None
        None where there can't be such a rise, or it is none.

    Examples
    --------
    >>> size(Share(0.10), 0.02, Design())
    Size(measure=3835, control=3835, together=7670)
    """
    effect = outcome.effect(rise)
    if not effect:
        return None
    needed = mean_needed(design.looks, design.level_each, design.power)
    together = needed**2 / (effect**2 * design.information)
    measure = math.ceil(together * design.measure_share)
    control = math.ceil(together * design.control_share)
    return Size(measure, control, (design.groups - 1) * measure + control)


def smallest_rise(outcome: Outcome, customers: int, design: Design) -> float | None:
    """The smallest rise that so many customers show; None where none would.

    Parameters
    ----------
    customers : int
        In all groups together.
    """
    if customers < design.groups:
        return None
    needed = mean_needed(design.looks, design.level_each, design.power)
    return outcome.rise(needed / math.sqrt(customers * design.information))


def power(outcome: Outcome, rise: float, customers: int, design: Design) -> float | None:
    """Probability that so many customers show a rise; None where there can't be such a rise.

    Parameters
    ----------
    rise : float
        As the outcome has it.
    customers : int
        In all groups together.
    """
    effect = outcome.effect(rise)
    if effect is None:
        return None
    return crossing(design.limits, abs(effect) * math.sqrt(customers * design.information))
