"""Whether the lot did its work: group sizes, likeness before the start, other tests at once.

**Group sizes** against the planned shares by Pearson's chi-square (sample ratio mismatch). The
alarm is at p < 0.001, so that one sound test in a thousand is suspected; a test whose sizes are off
by more than that has lost or gained customers in a way that the lot can't explain, and its effect
with them (Fabijan et al. 2019, KDD, 2156-2164, "Diagnosing sample ratio mismatch in online
controlled experiments").

**Likeness** of what was known before the start: the difference of each treated group from the
control group in standard deviations, and one test for all of it together. With z̄_g the means of a
group and S the covariance over all customers, Σ_g n_g (z̄_g − z̄)' S⁻¹ (z̄_g − z̄) is chi-square with
(groups − 1) · rank(S) degrees of freedom where a lot drew the groups (Hansen & Bowers 2008,
Statist. Sci. 23, 219-236, section 3.1, for several groups). Amounts and counts enter by the
logarithm of 1 more, or one large customer would decide it. The start day is among what is tested:
groups that began at different times aren't of one lot. Differences of single figures are for
reading; one in twenty leaves its limits by chance, so that only the joint test is an alarm.

**Other tests** of the client that run at the same time do no harm where every group has as many of
their customers; where the shares differ, their effect is taken for this one's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from scipy.stats import chi2

from retention_lib.loyalty.experiment_assignment import Assignment, Plan
from retention_lib.retention.homogeneity import ENOUGH

#: p-value below which a check raises an alarm.
ALARM: Final = 0.001
#: Share of customers in several groups from which an effect isn't told of: they belong to somebody.
MOST_SEVERAL: Final = 0.05
#: Difference in standard deviations up to which groups are commonly taken as alike.
ALIKE: Final = 0.1

Covariate = Literal[
    "start",
    "known",
    "since_last",
    "since_first",
    "bought_before",
    "orders_before",
    "revenue_before",
]
COVARIATES: Final[tuple[Covariate, ...]] = (
    *("start", "known", "since_last", "since_first"),
    *("bought_before", "orders_before", "revenue_before"),
)


@dataclass(frozen=True)
class Sizes:
    """Group sizes against their plan.

    Parameters
    ----------
    table : DataFrame
        A row a group: `group`, `customers`, `expected`.
    p : float or None
        None where there are too few customers, or the plan doesn't fit (`unplanned`).
    unplanned : tuple of str
        Groups of the data that the planned split doesn't name.
    """

    table: pd.DataFrame
    p: float | None
    unplanned: tuple[str, ...] = ()

    @property
    def is_off(self) -> bool:
        """Whether the lot can't have made these sizes."""
        return bool(self.unplanned) or (self.p is not None and self.p < ALARM)


@dataclass(frozen=True)
class Balance:
    """Likeness of the groups before the start.

    Parameters
    ----------
    table : DataFrame
        A row a treated group and figure: `group`, `figure` (of `COVARIATES`), `value`, `control`
        (means), `apart` (in standard deviations), `n`, `n_control`.
    p : float or None
        Of the joint test; None where nothing differs between customers, or they are too few.
    figures : int
        Of the joint test.
    """

    table: pd.DataFrame
    p: float | None
    figures: int

    @property
    def is_off(self) -> bool:
        """Whether the lot can't have made groups so unlike."""
        return self.p is not None and self.p < ALARM

    @property
    def farthest(self) -> pd.Series | None:
        """The row with the largest difference; None without one."""
        known = self.table[self.table["apart"].notna()]
        return None if known.empty else known.iloc[int(known["apart"].abs().to_numpy().argmax())]


@dataclass(frozen=True)
class Overlap:
    """Customers who were in another test at the same time.

    Parameters
    ----------
    other : str
        Its title.
    customers : int
    share : float
        Of this test's customers.
    by_group : mapping
        Share of each group.
    p : float or None
        That the groups have equal shares; None where too few are in both.
    """

    other: str
    customers: int
    share: float
    by_group: Mapping[str, float]
    p: float | None

    @property
    def is_off(self) -> bool:
        """Whether the groups have unequal shares of the other test's customers."""
        return self.p is not None and self.p < ALARM


@dataclass(frozen=True)
class Split:
    """What is known of the lot."""

    sizes: Sizes
    balance: Balance
    overlaps: tuple[Overlap, ...]
    several_share: float

    @property
    def is_broken(self) -> bool:
        """Whether no effect can be told of."""
        return self.sizes.is_off or self.balance.is_off or self.several_share > MOST_SEVERAL

    @property
    def is_doubtful(self) -> bool:
        """Whether an effect is to be read with care: another test may be its cause."""
        return any(one.is_off for one in self.overlaps)


def split(
    made: Assignment, plan: Plan, people: pd.DataFrame, overlaps: tuple[Overlap, ...] = ()
) -> Split:
    """All checks of the lot.

    Parameters
    ----------
    made : Assignment
    plan : Plan
    people : DataFrame
        As `experiment_outcomes.outcomes` gives it.
    overlaps : tuple of Overlap
    """
    everybody = len(made.customers) + len(made.several)
    return Split(
        sizes=sizes(made.counts, plan.split),
        balance=balance(people, plan.control),
        overlaps=overlaps,
        several_share=len(made.several) / everybody if everybody else 0.0,
    )


def sizes(counts: pd.Series, planned: Mapping[str, float]) -> Sizes:
    """Group sizes against planned shares; equal ones where none are planned.

    Parameters
    ----------
    counts : Series
        Customers by group.
    planned : mapping
        Shares that add up to 1; a group planned and not in the data counts as empty.

    Examples
    --------
    >>> found = sizes(pd.Series({"none": 1_000, "mail": 1_200}), {})
    >>> found.is_off, round(found.p, 6)
    (True, 2e-05)
    """
    groups = [*counts.index, *(name for name in planned if name not in counts.index)]
    observed = counts.reindex(groups, fill_value=0).to_numpy(dtype=float)
    unplanned = tuple(name for name in counts.index if planned and name not in planned)
    shares = [planned.get(name, 0.0) if planned else 1 / len(groups) for name in groups]
    expected = observed.sum() * np.asarray(shares, dtype=float)
    table = pd.DataFrame(
        {"group": groups, "customers": observed.astype("int64"), "expected": expected}
    )
    if unplanned or len(groups) < 2 or expected.min() < ENOUGH:
        return Sizes(table, None, unplanned)
    statistic = float(((observed - expected) ** 2 / expected).sum())
    return Sizes(table, float(chi2.sf(statistic, len(groups) - 1)))


def balance(people: pd.DataFrame, control: str) -> Balance:
    """How far the groups are apart in what was known before the start.

    Parameters
    ----------
    people : DataFrame
        As `experiment_outcomes.outcomes` gives it.
    control : str
    """
    known = people["since_first"].notna()
    values = pd.DataFrame(
        {
            "start": (people["start"] - people["start"].min()).dt.days.astype(float),
            "known": known.astype(float),
            **{name: people[name].astype(float) for name in COVARIATES[2:]},
        }
    )
    groups = people["group"].to_numpy()
    rows = []
    for group in sorted(set(groups) - {control}):
        for name in COVARIATES:
            one, other = values[name][groups == group], values[name][groups == control]
            rows.append({"group": group, "figure": name, **_apart(one.dropna(), other.dropna())})
    p, figures = _joint(values, groups)
    columns = ["group", "figure", "value", "control", "apart", "n", "n_control"]
    return Balance(pd.DataFrame(rows, columns=columns), p, figures)


def _apart(one: pd.Series, other: pd.Series) -> dict[str, float]:
    """Standardised difference of two means, by the root of the mean of the two variances."""
    found = {"value": one.mean(), "control": other.mean(), "n": len(one), "n_control": len(other)}
    if min(len(one), len(other)) < 2:
        return found | {"apart": np.nan}
    deviation = np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2)
    return found | {"apart": (found["value"] - found["control"]) / deviation if deviation else 0.0}


def _joint(values: pd.DataFrame, groups: np.ndarray) -> tuple[float | None, int]:
    """p-value of the joint test and the number of figures that enter it."""
    table = values.copy()
    for name in ("since_last", "since_first"):  # a customer without a purchase is like the mean
        table[name] = table[name].fillna(table[name].mean())
    for name in ("orders_before", "revenue_before"):
        table[name] = np.sign(table[name]) * np.log1p(table[name].abs())
    z = table.fillna(0.0).to_numpy(dtype=float)
    deviation = z.std(axis=0, ddof=1) if len(z) > 1 else np.zeros(z.shape[1])
    z = (z[:, deviation > 1e-12] - z[:, deviation > 1e-12].mean(axis=0)) / deviation[
        deviation > 1e-12
    ]
    names, codes = np.unique(groups, return_inverse=True)
    counts = np.bincount(codes)
    if z.shape[1] == 0 or len(names) < 2 or counts.min() < 5 * z.shape[1]:
        return None, z.shape[1]
    inverse = np.linalg.pinv(np.atleast_2d(np.cov(z, rowvar=False)), rcond=1e-8, hermitian=True)
    rank = int(np.linalg.matrix_rank(inverse, tol=1e-8, hermitian=True))
    means = np.stack([np.bincount(codes, weights=column) / counts for column in z.T], axis=1)
    statistic = float((counts * np.einsum("gi,ij,gj->g", means, inverse, means)).sum())
    return float(chi2.sf(statistic, (len(names) - 1) * rank)), rank


def overlap(
    customers: pd.DataFrame, days: int, other: pd.DataFrame, other_days: int, title: str
) -> Overlap | None:
    """Customers who were in another test while this one watched them.

    Parameters
    ----------
    customers, other : DataFrame
        `customer`, `group`, `start` of this test and of the other.
    days, other_days : int
        Their outcome windows.
    title : str
        Of the other.

    Returns
    -------
    Overlap or None
        None where nobody is in both at once.
    """
    both = customers.merge(other[["customer", "start"]], on="customer", suffixes=("", "_other"))
    begins, ends = both["start"], both["start"] + pd.Timedelta(days=days - 1)
    other_ends = both["start_other"] + pd.Timedelta(days=other_days - 1)
    both = both[(both["start_other"] <= ends) & (other_ends >= begins)]
    ids = both["customer"].unique()
    if not len(ids):
        return None
    inside = customers["customer"].isin(ids)
    found = inside.groupby(customers["group"]).agg(["sum", "size"])
    return Overlap(
        other=title,
        customers=len(ids),
        share=len(ids) / len(customers),
        by_group={str(group): float(x) for group, x in (found["sum"] / found["size"]).items()},
        p=_equal(found["sum"].to_numpy(dtype=float), found["size"].to_numpy(dtype=float)),
    )


def _equal(inside: np.ndarray, n: np.ndarray) -> float | None:
    if inside.sum() == n.sum():
        return None
    from retention_lib.retention.homogeneity import equal_rates

    return equal_rates(inside, n)
