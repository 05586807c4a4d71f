"""How strong a hidden difference would have to be to make an effect of nothing.

Two measures. Of Altonji, Elder & Taber (2005, J. Political Economy 113, 151-184): the effect over
what making the groups alike in all that was known has taken off the raw difference. Of Cinelli &
Hazlett (2020, J. R. Stat. Soc. B 82, 39-67, eq. 7, 12, 13): the bias by something hidden that is as
strong as one of the known families of covariates, over and above all of them, and the robustness
value: the part of what is left of both treatment and outcome that it would have to explain. Those
of the regression of the outcome on treatment and covariates within stacks, among those compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from retention_lib.loyalty.comparable import FAMILIES, Comparison, family
from retention_lib.loyalty.comparable_balance import Array


@dataclass(frozen=True)
class Hidden:
    """What it takes to explain an effect away.

    Parameters
    ----------
    of_known : float
        The effect in shares of what all that was known took off the raw difference; NaN where
        that is nothing.
    robustness : float
        Of the effect, in [0, 1].
    robustness_sure : float
        Of its interval's limit nearer to 0; 0 where the interval has 0 in it.
    strongest : str
        The family of covariates whose like would bias most.
    bias : float
        By how much it would, at most, in the outcome's unit.
    """

    of_known: float
    robustness: float
    robustness_sure: float
    strongest: str
    bias: float


def hidden(compared: Comparison, outcome: str = "revenue") -> Hidden | None:
    """The measures for a comparison; None where nothing is compared.

    Parameters
    ----------
    compared : Comparison
    outcome : str
    """
    effect = compared.effect(outcome)
    if not effect.known or effect.error == 0:
        return None
    values = compared.units[f"{outcome}_0"].to_numpy(dtype=float)
    names = list(compared.names)
    ys, ds, xs = [], [], []
    for stack in compared.stacks():
        full = np.zeros((len(stack.rows), len(names)))
        full[:, stack.varies] = stack.scaled
        y, d = values[stack.rows], stack.treated.astype(float)
        ys.append(y - y.mean())
        ds.append(d - d.mean())
        xs.append(full - full.mean(axis=0))
    y, d, x = np.concatenate(ys), np.concatenate(ds), np.concatenate(xs)
    df = len(y) - len(names) - len(ys) - 1
    if df < 1:
        return None
    d_left, y_left = _left(d, x), _left(y, np.column_stack([d, x]))
    error = math.sqrt(float(y_left @ y_left) / df / max(float(d_left @ d_left), 1e-300))
    strongest, worst = FAMILIES[0], 0.0
    for name in FAMILIES:
        rest = x[:, [family(one) != name for one in names]]
        if rest.shape[1] == len(names):
            continue
        of_d = _partial(_left(d, rest), d_left)
        of_y = _partial(_left(y, np.column_stack([d, rest])), y_left)
        if of_d >= 1 or of_y >= 1:
            continue
        # a hidden one as strong as the family, over and above it: eq. 13, k = 1
        f_d = of_d / (1 - of_d)
        if f_d >= 1:
            bias = math.inf
        else:
            r_y = min(1.0, of_y / (1 - of_y) * (1 + f_d**2) / max(1 - f_d**2, 1e-12))
            bias = error * math.sqrt(df * r_y * f_d / (1 - f_d))
        if bias > worst:
            strongest, worst = name, bias
    t = abs(effect.value) / effect.error
    sure = 0.0 if not effect.sure else max(t - 1.96, 0.0)
    removed = effect.raw - effect.value
    share = effect.value / removed if abs(removed) > 1e-9 * abs(effect.mean) else math.nan
    return Hidden(share, _robustness(t, df), _robustness(sure, df), strongest, worst)


def _left(y: Array, x: Array) -> Array:
    """What a regression leaves of y."""
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    return np.asarray(y - x @ beta)


def _partial(without: Array, with_it: Array) -> float:
    """Partial R²: how much less is left with it."""
    before = float(without @ without)
    return 1 - float(with_it @ with_it) / before if before > 0 else 0.0


def _robustness(t: float, df: int) -> float:
    f2 = t * t / df
    return 0.5 * (math.sqrt(f2 * f2 + 4 * f2) - f2)
