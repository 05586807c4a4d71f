"""What the amounts can't tell about spend, in plain words.

The findings of the purchase models are in `identification`; these are the spend model's.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from retention_lib.metrics import Metric
from retention_lib.models.histories import Floats
from retention_lib.models.identification import FEW_REPEAT_BUYERS, Finding, finding, listed
from retention_lib.sentence import N_, about

#: The spend model's mean is not used where it is this many times as much, or as little, as seen.
FAR = 2.0
#: Share of one repeat buyer in the sum of all repeat buyers' means from which it is told.
ONE_CUSTOMER = 0.25


def spend_findings(
    params: pd.Series,
    frequency: Floats,
    weights: Floats,
    observed_mean: float,
    bounded_mean: float,
    largest_share: float,
    *,
    converged: bool,
    at_bound: tuple[str, ...],
) -> tuple[Finding, ...]:
    """What a fitted Gamma-Gamma model shows about its own footing.

    Parameters
    ----------
    params : Series
        `p`, `q`, `v`.
    frequency, weights : ndarray, shape (m,)
        Repeat purchases and the customers behind each row.
    observed_mean : float
        Mean over repeat buyers of their mean amount.
    bounded_mean : float
        The same with the largest hundredth cut down; stands for the model's mean where needed.
    largest_share : float
        Share of one customer, the one with the largest mean, in the sum of those means.
    converged : bool
    at_bound : tuple of str

    Returns
    -------
    tuple of Finding
    """
    p, q, v = (float(params[name]) for name in ("p", "q", "v"))
    buyers = int(weights.sum())
    found = []
    if not converged:
        found.append(finding("not_converged", SPEND_NOT_CONVERGED, serious=True))
    mean = p * v / (q - 1) if q > 1 else np.inf
    # Upwards nothing observed is out of reach; downwards a few extreme customers are no yardstick.
    usable = q > 1 and bounded_mean / FAR <= mean <= FAR * observed_mean
    bound = about(Metric(bounded_mean, "currency"))
    if q <= 1:
        found.append(finding("no_mean", NO_MEAN, q=about(Metric(q, "number")), bound=bound))
    elif not usable:
        found.append(
            finding(
                "far_mean",
                FAR_MEAN,
                mean=about(Metric(mean, "currency")),
                seen=about(Metric(observed_mean, "currency")),
                bound=bound,
            )
        )
    if largest_share > ONE_CUSTOMER and buyers >= FEW_REPEAT_BUYERS:
        used = mean if usable else bounded_mean
        found.append(
            finding(
                "one_customer",
                ONE_LARGE,
                share=Metric(largest_share, "share"),
                seen=about(Metric(observed_mean, "currency")),
                used=about(Metric(used, "currency")),
            )
        )
    names = (set(at_bound) & {"p", "q"}) | {n for n in ("p", "q") if params[n] > 1e4}
    if names:
        found.append(finding("same_spend", SAME_SPEND, names=listed(names)))
    if weights[frequency > 1].sum() == 0:
        found.append(finding("one_repeat", ONE_REPEAT))
    if buyers < FEW_REPEAT_BUYERS:
        found.append(
            finding("few_repeaters", FEW_SPENDERS, repeaters=buyers, enough=FEW_REPEAT_BUYERS)
        )
    return tuple(found)


SPEND_NOT_CONVERGED = N_(
    "The spend fit found no best parameters for this base; look at the amounts before trusting any "
    "value."
)
NO_MEAN = N_(
    "The spend model gives q = {q}; at 1 or below, mean spend over customers has no finite value. "
    "Each customer's own average is used instead, drawn towards {bound}, the average of the repeat "
    "buyers with the largest hundredth cut to the next largest."
)
FAR_MEAN = N_(
    "The spend model puts mean spend at {mean} where repeat buyers spent {seen} on average: a few "
    "extreme customers decide it. Each customer's own average is used instead, drawn towards "
    "{bound}, the average of the repeat buyers with the largest hundredth cut to the next largest."
)
ONE_LARGE = N_(
    "One repeat buyer's average makes up {share} of the sum of all repeat buyers' averages, whose "
    "mean is {seen} with it. Look whether this is one person. Customers of whom little is known "
    "are counted on for {used} per purchase."
)
SAME_SPEND = N_(
    "Amounts differ too little, within customers or between them, for the spend model to measure "
    "it: {names} can't be read as figures. Mean spend holds."
)
ONE_REPEAT = N_(
    "No customer has more than one repeat purchase, so how much a customer's spend varies rests on "
    "the model's shape alone."
)
FEW_SPENDERS = N_(
    "The spend model rests on {repeaters} repeat buyers; with fewer than {enough} its parameters "
    "rest on chance."
)
