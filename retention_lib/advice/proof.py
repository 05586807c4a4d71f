"""How to prove a measure on this base: two groups by lot, and how large they have to be."""

from __future__ import annotations

import math
from dataclasses import dataclass

from retention_lib.advice import thresholds
from retention_lib.loyalty.sample_size import Design, Share, size
from retention_lib.metrics import Metric
from retention_lib.retention.outcomes import LeftAlone


@dataclass(frozen=True)
class Proof:
    """A test that would show whether a measure works.

    Parameters
    ----------
    each : int
        Customers in each of the two groups.
    uplift : float
        Rise in the share that buys again which so many show (power 80 %, two-sided at 5 %).
    months : int
        How long the groups are watched.
    left_alone : Metric
        Share that buys again within these months with nothing done, of those who met the rule as
        many months ago.
    rounds : int
        How often the list has to be made and lots drawn until the groups are that large: 1 where
        today's list is long enough.
    """

    each: int
    uplift: float
    months: int
    left_alone: Metric
    rounds: int


def proof(customers: int, alone: LeftAlone | None) -> Proof | None:
    """The test for a list: of the smallest rise that it can show, else over several rounds.

    Parameters
    ----------
    customers : int
        On the list today.
    alone : LeftAlone or None
        What such customers do by themselves.

    Returns
    -------
    Proof or None
        None where it isn't known what they do by themselves, or nearly all buy again anyway.
    """
    if alone is None or customers < 2:
        return None
    rate = float(alone.share.value or 0.0)
    sizes = [(uplift, size(Share(rate), uplift, Design())) for uplift in thresholds.UPLIFTS]
    known = [(uplift, found.measure) for uplift, found in sizes if found is not None]
    if not known:
        return None
    at_once = [(uplift, each) for uplift, each in known if 2 * each <= customers]
    uplift, each = at_once[0] if at_once else known[-1]
    rounds = math.ceil(2 * each / customers)
    return Proof(each, uplift, alone.months, alone.share, rounds)
