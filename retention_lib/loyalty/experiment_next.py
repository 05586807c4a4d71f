"""What the test could have seen, and how large the next one has to be.

Planned from what the test learned of its customers, not from the effect that it found: the share of
the control group that buys, how far customers' revenue varies, how much of that the time before
foretells. A "power of the effect observed" would say no more than its p-value (Hoenig & Heisey
2001, Am. Stat. 55, 19-24). Sizes are `loyalty.sample_size`'s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.loyalty.sample_size import Design, Mean, Share, power, size, smallest_rise

#: Rises in the share that buys for which a test is sized.
RISES: Final = (0.01, 0.02, 0.03, 0.05)
#: Rises in revenue per customer, as shares of the control group's.
REVENUE_RISES: Final = (0.05, 0.10, 0.20)
#: Tests that the power curve has, in times of this one.
TIMES: Final = (1, 2, 4)
#: Points of a curve.
_POINTS: Final = 41


@dataclass(frozen=True)
class NextTest:
    """What this test's customers say of the next one.

    Parameters
    ----------
    rate : float
        Share of the control group that buys in the outcome window.
    sd : float
        Of revenue between customers, within the groups.
    correlation : float
        Of revenue in the window and before.
    customers : int
        Of this test, in all groups together.
    design : Design
    smallest_share, smallest_revenue : float or None
        Rises that a test of this size shows in `design.power` of cases.
    sizes : DataFrame
        A row a rise: `outcome` (`bought`, `revenue`), `rise` (in the share that buys; of revenue as
        a share of the control group's), `together`, `each`, `control` (customers; NaN where there
        can't be such a rise).
    curve : DataFrame
        `customers`, `times`, `rise`, `power`.
    """

    rate: float
    sd: float
    correlation: float
    customers: int
    design: Design
    smallest_share: float | None
    smallest_revenue: float | None
    sizes: pd.DataFrame
    curve: pd.DataFrame


def next_test(
    rate: float,
    sd: float,
    correlation: float,
    customers: int,
    groups: int,
    control: float,
    revenue: float = 0.0,
) -> NextTest:
    """Plan the next test like this one.

    Parameters
    ----------
    rate, sd, correlation
        As `NextTest` has them.
    customers, groups : int
        The control group counted.
    control : float
        Share of the customers in the control group.
    revenue : float, default 0
        Per customer of the control group; 0 where it isn't known.
    """
    design = Design(groups=groups, control=control)
    share = Share(rate)
    spend = Mean(sd, float(np.clip(correlation, -0.99, 0.99)))
    smallest = smallest_rise(share, customers, design) if rate < 1 else None
    return NextTest(
        rate=rate,
        sd=sd,
        correlation=correlation,
        customers=customers,
        design=design,
        smallest_share=smallest,
        smallest_revenue=smallest_rise(spend, customers, design) if sd > 0 else None,
        sizes=_sizes(share, spend, revenue, design),
        curve=_curve(share, customers, design, smallest),
    )


def _sizes(share: Share, spend: Mean, revenue: float, design: Design) -> pd.DataFrame:
    wanted = [("bought", rise, size(share, rise, design)) for rise in RISES]
    if spend.sd > 0 and revenue > 0:
        wanted += [("revenue", rise, size(spend, rise * revenue, design)) for rise in REVENUE_RISES]
    rows = [
        (outcome, rise, *((n.together, n.measure, n.control) if n else (math.nan,) * 3))
        for outcome, rise, n in wanted
    ]
    return pd.DataFrame(rows, columns=["outcome", "rise", "together", "each", "control"])


def _curve(share: Share, customers: int, design: Design, smallest: float | None) -> pd.DataFrame:
    """Power by rise, up to a little beyond what this test shows."""
    rows: list[tuple[int, int, float, float]] = []
    if smallest is not None and smallest > 0:
        top = min(1.5 * smallest, 1 - share.rate)
        for times in TIMES:
            for rise in np.linspace(0.0, top, _POINTS):
                chance = power(share, float(rise), times * customers, design)
                if chance is not None:
                    rows.append((times * customers, times, float(rise), chance))
    return pd.DataFrame(rows, columns=["customers", "times", "rise", "power"])
