"""What a base can't tell about its customers, in plain words.

A likelihood always has a largest value somewhere, if need be at infinity. Where the data hold no
information on leaving, on returning or on how customers differ, the fit ends at the edge or on a
ridge, and the figures it gives must not be read without a word. Each finding is a sentence; a
serious one says that the forecast itself stands on nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from retention_lib.models.histories import Floats, Histories
from retention_lib.models.names import SIGNS
from retention_lib.sentence import N_, Sentence, together

#: Fewer repeat buyers than this leave the parameters to chance.
FEW_REPEAT_BUYERS = 100
#: Standard error of a log-parameter (a factor e up or down) from which it must not be read.
WEAK = 1.0
#: Share of the repeat buyers who, by the model, have left, below which none has to speak of.
NOBODY = 0.01


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the base can't identify.

    Attributes
    ----------
    kind : str
        `nobody_returned`, `no_time`, `nobody_leaves`, `nobody_left`, `not_converged`, `runaway`,
        `few_repeaters`, `one_cohort`, `weak`; of the spend model `no_mean`, `far_mean`,
        `one_customer`, `same_spend`, `one_repeat`.
    serious : bool
        True where the forecast must not be used, False where it is to be read with care.
    sentence : Sentence
    """

    kind: str
    serious: bool
    sentence: Sentence


def words(findings: tuple[Finding, ...]) -> str | None:
    """The findings' sentences in a row, the serious ones first; None where there are none."""
    ordered = sorted(findings, key=lambda f: not f.serious)
    return together(*(f.sentence for f in ordered)) if ordered else None


def base_findings(histories: Histories) -> tuple[Finding, ...]:
    """What the histories alone show, before any fit.

    Parameters
    ----------
    histories : Histories

    Returns
    -------
    tuple of Finding
    """
    h = histories
    repeaters = int(h.weights[h.frequency > 0].sum())
    customers = int(h.customers)
    found = []
    if h.T.max() <= 0:
        found.append(finding("no_time", NO_TIME, serious=True))
    elif repeaters == 0:
        found.append(finding("nobody_returned", NOBODY_RETURNED, serious=True, n=customers))
    elif repeaters < FEW_REPEAT_BUYERS:
        found.append(
            finding(
                "few_repeaters",
                FEW_REPEATERS,
                repeaters=repeaters,
                n=customers,
                enough=FEW_REPEAT_BUYERS,
            )
        )
    if customers > 1 and h.T.max() > 0 and np.ptp(h.T) == 0:
        found.append(finding("one_cohort", ONE_COHORT))
    return tuple(found)


def fit_findings(
    params: pd.Series,
    histories: Histories,
    log_standard_errors: Floats,
    alive: Floats,
    *,
    converged: bool,
    at_bound: tuple[str, ...],
) -> tuple[Finding, ...]:
    """What a fitted purchase model shows about its own footing.

    Parameters
    ----------
    params : Series
        `r`, `alpha` and the two of the dropout, in the time unit of the histories.
    histories : Histories
    log_standard_errors : ndarray, shape (4,)
        Standard errors of the log-parameters; very large along a flat ridge.
    alive : ndarray, shape (m,)
        P(alive) of each history.
    converged : bool
    at_bound : tuple of str
        Parameters that ran to the edge of the search.

    Returns
    -------
    tuple of Finding
    """
    found = []
    if not converged:
        found.append(finding("not_converged", NOT_CONVERGED, serious=True))
    repeaters = np.where(histories.frequency > 0, histories.weights, 0.0)
    nobody_leaves = bool(repeaters @ (1 - alive) < NOBODY * repeaters.sum())
    if nobody_leaves:
        found.append(finding("nobody_leaves", NOBODY_LEAVES))
    elif repeaters @ alive < NOBODY * repeaters.sum():
        found.append(finding("nobody_left", NOBODY_LEFT))
    few = repeaters.sum() < FEW_REPEAT_BUYERS
    shapes = params.drop(["alpha", "beta"], errors="ignore")
    names = set(at_bound) | set(shapes.index[(shapes > 1e4) | (shapes < 1e-4)])
    weak = set(params.index[~(log_standard_errors < WEAK)]) - names
    if nobody_leaves:
        names, weak = names - {"a", "b", "s", "beta"}, weak - {"a", "b", "s", "beta"}
    if names:
        message = RUNAWAY_FEW if few else RUNAWAY
        found.append(finding("runaway", message, names=listed(names)))
    elif weak:
        message = WEAKLY_KNOWN_FEW if few else WEAKLY_KNOWN
        found.append(finding("weak", message, names=listed(weak)))
    return tuple(found)


def finding(kind: str, message: str, *, serious: bool = False, **values: object) -> Finding:
    """A finding of this kind, its sentence made of message and values."""
    return Finding(kind, serious, Sentence(message, **values))


def listed(names: set[str]) -> str:
    """Parameters in their usual order, for a sentence."""
    return ", ".join(sign for name, sign in SIGNS.items() if name in names)


NO_TIME = N_(
    "Every customer was first seen on the last day, so there is no time in which anybody could "
    "have come back; take a later end date."
)
NOBODY_RETURNED = N_(
    "None of the {n} customers came back, so nothing is known about how often customers buy or "
    "when they leave; the forecast is zero for want of evidence."
)
FEW_REPEATERS = N_(
    "Of {n} customers {repeaters} came back; with fewer than {enough} repeat buyers the parameters "
    "rest on chance."
)
ONE_COHORT = N_(
    "All customers joined on one day, so the effect of a customer's age can't be told from that of "
    "the calendar."
)
NOT_CONVERGED = N_(
    "The fit found no best parameters for this base; look at the data before trusting any forecast."
)
NOBODY_LEAVES = N_(
    "As far as the data show, next to no customer who came back has left since: the model counts "
    "them as alive, and churn can't be forecast from this base."
)
NOBODY_LEFT = N_(
    "By the model next to none of the customers who ever came back is still a customer. Look "
    "whether the end date is right and the last months are in the data."
)
RUNAWAY = N_(
    "The likelihood has no peak in these parameters: {names}. Customers differ too little in this "
    "respect for the model to measure it. Forecasts hold, the parameters are not to be read."
)
RUNAWAY_FEW = N_(
    "The likelihood has no peak in these parameters: {names}. Customers differ too little in this "
    "respect, or are too few, for the model to measure it. The parameters are not to be read, and "
    "the forecasts are rough."
)
WEAKLY_KNOWN = N_(
    "The base hardly determines these parameters: {names}. Many values fit equally well. Forecasts "
    "hold, the parameters are not to be read."
)
WEAKLY_KNOWN_FEW = N_(
    "The base hardly determines these parameters: {names}. Many values fit equally well. The "
    "parameters are not to be read, and the forecasts are rough."
)
