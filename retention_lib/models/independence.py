"""Whether spend is independent of frequency; if not, who is valued wrongly and by how much.

The Gamma-Gamma model takes the two as independent: before it looks at a customer's own purchases it
expects the same mean spend of every class of frequency. Where that does not hold the error is the
larger the fewer purchases it has seen, for it follows a customer with many of them closely.

One-time buyers are not judged. They have no repeat purchase to judge by, and the amount of their
first misleads: those of them who come back are not like those who don't.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import spearmanr
from scipy.stats import t as student

from retention_lib.metrics import Metric
from retention_lib.models.histories import Floats
from retention_lib.sentence import N_, Sentence, about

if TYPE_CHECKING:
    from retention_lib.models.spend import GammaGammaFitter

#: Classes of repeat purchases, from and to; the last is open.
CLASSES: Final = ((1, 1), (2, 2), (3, 3), (4, 6), (7, None))
#: Fewest customers whose mean is told.
FEWEST: Final = 20
#: Share of a class's value below which an error isn't worth a sentence.
SMALL: Final = 0.05


@dataclass(frozen=True, slots=True)
class SpendCheck:
    """Spend per purchase by class of frequency, beside what the spend model counts on.

    Attributes
    ----------
    classes : DataFrame
        One row per class with repeat buyers: `least`, `most` (repeat purchases; `most` is NaN in
        the open class); `n`; `mean` spend per purchase with its 95 % interval `low`, `high`;
        `expected`, what the model counts on; `gap` = mean / expected − 1 with `gap_low`,
        `gap_high`, by how much the class's value is too low (too high, where negative);
        `clv_share`, the class's share of the value (NaN where the value wasn't given); `named`,
        whether a sentence tells of it. Figures of fewer than 20 customers are NaN.
    total_gap : float or None
        By how much the value of all customers is too low because of the named classes; None where
        none is named, or where the value wasn't given.
    sentences : tuple of Sentence
        The named classes, the largest error first, and what they add up to; one sentence where
        none stands out.
    """

    classes: pd.DataFrame
    total_gap: float | None
    sentences: tuple[Sentence, ...]


def independence(
    frequency: npt.ArrayLike, monetary_value: npt.ArrayLike
) -> tuple[float | None, float | None, int]:
    """Rank correlation of how much is spent with how often, among repeat buyers.

    The Gamma-Gamma model takes the two as independent. A correlation above zero means that frequent
    buyers' value is understated, below zero that it is overstated.

    Parameters
    ----------
    frequency, monetary_value : array_like, shape (n,)
        Rows without a repeat purchase or an amount are left out.

    Returns
    -------
    spearman, p_value : float or None
        None where there are fewer than three repeat buyers, or no variation.
    n : int
        Repeat buyers that the figure rests on.
    """
    x = np.asarray(frequency, dtype=float)
    m = np.asarray(monetary_value, dtype=float)
    kept = (x > 0) & np.isfinite(m)
    n = int(kept.sum())
    if n < 3 or np.ptp(x[kept]) == 0 or np.ptp(m[kept]) == 0:
        return None, None, n
    result = spearmanr(x[kept], m[kept])
    return float(result.statistic), float(result.pvalue), n


def spend_check(
    customers: pd.DataFrame, model: GammaGammaFitter, clv: pd.Series | None = None
) -> SpendCheck:
    """Compare each class of frequency with what the spend model counts on.

    A class is named where its gap is 5 % or more and differs from 0 at a level of 5 % over all
    classes (Student's t, Bonferroni).

    Parameters
    ----------
    customers : DataFrame
        One row per customer with `frequency` and `monetary_value`.
    model : GammaGammaFitter
        Fitted.
    clv : Series, optional
        Each customer's value, in the same order.

    Returns
    -------
    SpendCheck
    """
    x = customers["frequency"].to_numpy(dtype=float)
    amount = customers["monetary_value"].to_numpy(dtype=float)
    buyers = (x > 0) & np.isfinite(amount) & (amount > 0)
    expected = np.full(len(x), np.nan)
    expected[buyers] = model.conditional_expected_average_profit(x[buyers], amount[buyers])
    value = np.full(len(x), np.nan) if clv is None else np.asarray(clv, dtype=float)
    rows = []
    for least, most in CLASSES:
        inside = buyers & (x >= least) & (x <= (np.inf if most is None else most))
        n = int(inside.sum())
        if n:
            figures = _figures(amount[inside], expected[inside])
            share = _share(value[inside], value)
            rows.append((least, most, n, *figures, share))
    classes = pd.DataFrame(rows, columns=["least", "most", "n", *_FIGURES, "clv_share"])
    classes = classes.astype({"most": float})
    judged = classes["gap"].notna()
    level = 0.05 / max(int(judged.sum()), 1)
    beyond = classes["gap"].abs() > _quantile(level, classes["n"].to_numpy()) * classes["error"]
    named = judged & beyond & (classes["gap"].abs() >= SMALL)
    classes = classes.drop(columns="error").assign(named=named)
    total = None
    if named.any() and classes["clv_share"].notna().all():
        total = float((classes["clv_share"] * classes["gap"])[named].sum())
    return SpendCheck(classes, total, _sentences(classes, total))


_FIGURES: Final = ("mean", "low", "high", "expected", "gap", "gap_low", "gap_high", "error")


def _figures(amount: Floats, expected: Floats) -> tuple[float, ...]:
    """`_FIGURES` of a class; none where it is small."""
    n = len(amount)
    if n < FEWEST:
        return (np.nan,) * len(_FIGURES)
    wide = float(_quantile(0.05, np.array([n]))[0])
    mean, error = _mean_and_error(amount)
    counted_on = float(expected.mean())
    # The customers' own amounts are in both, so that the difference is surer than the mean.
    difference, error_of_it = _mean_and_error(amount - expected)
    gap, gap_error = difference / counted_on, error_of_it / counted_on
    return (
        mean,
        max(mean - wide * error, 0.0),
        mean + wide * error,
        counted_on,
        gap,
        max(gap - wide * gap_error, -1.0),
        gap + wide * gap_error,
        gap_error,
    )


def _share(some: Floats, all_: Floats) -> float:
    total = float(all_.sum())
    return float(some.sum()) / total if total > 0 else np.nan


def _mean_and_error(values: Floats) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def _quantile(level: float, n: npt.NDArray[np.integer]) -> Floats:
    return np.asarray(student.isf(level / 2, np.maximum(n - 1, 1)), dtype=float)


def _sentences(classes: pd.DataFrame, total: float | None) -> tuple[Sentence, ...]:
    if not classes["gap"].notna().any():
        return (Sentence(TOO_FEW, fewest=FEWEST),)
    named = classes[classes["named"]]
    if named.empty:
        return (Sentence(EVEN, small=Metric(SMALL, "share")),)
    by_size = named.loc[named["gap"].abs().sort_values(ascending=False).index]
    told = [_of_class(row) for row in by_size.to_dict("records")]
    if total is not None:
        message = TOTAL_LOW if total > 0 else TOTAL_HIGH
        told.append(Sentence(message, gap=about(Metric(abs(total), "share"), 1)))
    return tuple(told)


def _of_class(row: Mapping[Hashable, Any]) -> Sentence:
    low = row["gap"] > 0
    values = {
        "n": int(row["n"]),
        "mean": about(Metric(row["mean"], "currency")),
        "expected": about(Metric(row["expected"], "currency")),
        "gap": about(Metric(abs(row["gap"]), "share"), 2),
    }
    least, most = int(row["least"]), row["most"]
    if not np.isfinite(most):
        return Sentence(OPEN_LOW if low else OPEN_HIGH, least=least, **values)
    if most > least:
        return Sentence(RANGE_LOW if low else RANGE_HIGH, least=least, most=int(most), **values)
    if least == 1:
        return Sentence(ONCE_LOW if low else ONCE_HIGH, **values)
    return Sentence(EXACT_LOW if low else EXACT_HIGH, least=least, **values)


EVEN = N_(
    "The spend model counts on what each class of frequency spent: no class's value is off by "
    "{small} or more, chance apart."
)
TOO_FEW = N_(
    "No class of frequency has the {fewest} customers that it takes to compare its spend with what "
    "the spend model counts on."
)
ONCE_LOW = N_(
    "The {n} customers with one repeat purchase spent {mean} on it where the model counts on "
    "{expected}: their value is about {gap} too low."
)
ONCE_HIGH = N_(
    "The {n} customers with one repeat purchase spent {mean} on it where the model counts on "
    "{expected}: their value should be about {gap} lower."
)
EXACT_LOW = N_(
    "The {n} customers with {least} repeat purchases spent {mean} on each where the model counts "
    "on {expected}: their value is about {gap} too low."
)
EXACT_HIGH = N_(
    "The {n} customers with {least} repeat purchases spent {mean} on each where the model counts "
    "on {expected}: their value should be about {gap} lower."
)
RANGE_LOW = N_(
    "The {n} customers with {least} to {most} repeat purchases spent {mean} on each where the "
    "model counts on {expected}: their value is about {gap} too low."
)
RANGE_HIGH = N_(
    "The {n} customers with {least} to {most} repeat purchases spent {mean} on each where the "
    "model counts on {expected}: their value should be about {gap} lower."
)
OPEN_LOW = N_(
    "The {n} customers with {least} or more repeat purchases spent {mean} on each where the model "
    "counts on {expected}: their value is about {gap} too low."
)
OPEN_HIGH = N_(
    "The {n} customers with {least} or more repeat purchases spent {mean} on each where the model "
    "counts on {expected}: their value should be about {gap} lower."
)
TOTAL_LOW = N_("Together that makes the value of all customers about {gap} too low.")
TOTAL_HIGH = N_("Together that makes the value of all customers about {gap} too high.")
