"""For whom a measure works: the uplift by what the customers were before the start.

Customers are cut into thirds of what was known before the lot: the value so far, and the days since
the last purchase; who had never bought is a group of its own. Each part has its own control
customers, drawn by the same lot, so that its uplift is an effect. That parts differ is another
question than that one part's interval leaves out 0: Cochran's Q over the parts (1954, Biometrics
10, 101-129) is its test, with Holm's correction for the ways in which customers are cut and the
outcomes. Parts with too few customers in either group are held back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from scipy.stats import chi2

from retention_lib.loyalty.experiment_assignment import LEAST
from retention_lib.loyalty.experiment_uplift import (
    USUAL,
    adjusted,
    mean_difference,
    share_difference,
)
from retention_lib.retention.homogeneity import ENOUGH, LEVEL, holm

Cut = Literal["value", "recency"]
Part = Literal["never", "low", "middle", "high"]

#: In the order in which they are shown.
PARTS: Final[tuple[Part, ...]] = ("high", "middle", "low", "never")
_CUTS: Final[tuple[Cut, ...]] = ("value", "recency")


@dataclass(frozen=True)
class ForWhom:
    """Uplift by part, and whether the parts differ.

    Parameters
    ----------
    table : DataFrame
        A row a part that is large enough: `cut`, `part`, `n`, `n_control`, `bought`,
        `bought_control`, `change`, `low`, `high` (of the share that buys), `revenue_change`,
        `revenue_low`, `revenue_high`.
    tests : DataFrame
        A row a cut and outcome: `cut`, `outcome`, `parts`, `p`, `holm`.
    held_back : int
        Parts with too few customers.
    """

    table: pd.DataFrame
    tests: pd.DataFrame
    held_back: int

    def differs(self, cut: Cut) -> bool:
        """Whether the parts of a cut surely differ, in either outcome."""
        return bool((self.tests.loc[self.tests["cut"] == cut, "holm"] < LEVEL).any())


def for_whom(people: pd.DataFrame, control: str, level: float = USUAL) -> ForWhom:
    """The uplift of all treated groups together, by what the customers were before.

    Parameters
    ----------
    people : DataFrame
        As `experiment_outcomes.outcomes` gives it.
    control : str
    level : float
        Of each interval.
    """
    treated = (people["group"] != control).to_numpy()
    rows, tests, held_back = [], [], 0
    revenue = adjusted(
        people["revenue"].to_numpy(float),
        people["revenue_before"].to_numpy(float),
        treated.astype(np.intp),
    ).values
    bought = people["bought"].to_numpy(float)
    for cut in _CUTS:
        part_of = parts(people, cut).to_numpy()
        own: list[dict[str, Any]] = []
        for part in PARTS:
            inside = part_of == part
            one, other = inside & treated, inside & ~treated
            n, n_control = int(one.sum()), int(other.sum())
            if not n + n_control:
                continue
            if min(n, n_control) < LEAST:
                held_back += 1
                continue
            won, won_control = int(bought[one].sum()), int(bought[other].sum())
            share = share_difference(won, n, won_control, n_control, level)
            spend = mean_difference(revenue[one], revenue[other], level)
            own.append(
                {
                    **{"cut": cut, "part": part, "n": n, "n_control": n_control},
                    **{"bought": won / n, "bought_control": won_control / n_control},
                    **{"change": share.change, "low": share.low, "high": share.high},
                    "revenue_change": spend.change,
                    **{"revenue_low": spend.low, "revenue_high": spend.high},
                    "_share_error": _error(won, n, won_control, n_control),
                    "_error": spend.error,
                }
            )
        rows += own
        for outcome, change, error in (
            ("bought", "change", "_share_error"),
            ("revenue", "revenue_change", "_error"),
        ):
            p = _heterogeneity([(row[change], row[error]) for row in own])
            tests.append({"cut": cut, "outcome": outcome, "parts": len(own), "p": p})
    frame = pd.DataFrame(tests, columns=["cut", "outcome", "parts", "p"])
    columns = [
        *("cut", "part", "n", "n_control", "bought", "bought_control", "change", "low", "high"),
        *("revenue_change", "revenue_low", "revenue_high"),
    ]
    return ForWhom(
        pd.DataFrame(rows, columns=[*columns, "_share_error", "_error"])[columns],
        frame.assign(holm=holm(frame["p"].to_numpy(dtype=float))),
        held_back,
    )


def parts(people: pd.DataFrame, cut: Cut) -> pd.Series:
    """The part that each customer belongs to: `low`, `middle`, `high` thirds, or `never`.

    Customers with equal figures are in one part, so that thirds may be uneven. `high` is the most
    value, or the most recent purchase.
    """
    known = people["since_last"].notna()
    figure = people["value"] if cut == "value" else -people["since_last"]
    result = pd.Series("never", index=people.index, dtype=object)
    if known.any():
        place = figure[known].rank(method="average", pct=True)
        names = np.select([place <= 1 / 3, place <= 2 / 3], ["low", "middle"], "high")
        result[known] = names
    return result


def _error(won: int, n: int, won_control: int, n_control: int) -> float:
    """Of a difference of shares; NaN where the normal approximation doesn't hold."""
    counts = (won, n - won, won_control, n_control - won_control)
    if min(counts) < ENOUGH:
        return math.nan
    one, other = won / n, won_control / n_control
    return math.sqrt(one * (1 - one) / n + other * (1 - other) / n_control)


def _heterogeneity(found: list[tuple[float, float]]) -> float:
    """Cochran's Q: p-value that the parts have one effect; NaN with fewer than two."""
    known = [(d, e) for d, e in found if math.isfinite(d) and math.isfinite(e) and e > 0]
    if len(known) < 2:
        return math.nan
    change, error = np.array(known).T
    weight = 1 / error**2
    middle = (weight * change).sum() / weight.sum()
    return float(chi2.sf((weight * (change - middle) ** 2).sum(), len(known) - 1))
