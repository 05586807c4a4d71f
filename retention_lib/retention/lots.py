"""Lots for a test: which half of a list gets the measure, the same whenever it is asked.

A list that everybody is written to can't show what writing to it brings. The lot is drawn from a
hash, not from a generator: the same client, list and day give the same halves on any machine, so
that who was in the control group can still be told a quarter later, from the data alone. Another
list or another day draws anew, and nobody is in the control group for good.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import pandas as pd

MEASURE: Final = "measure"
CONTROL: Final = "control"


def draw_lots(customers: pd.Index, seed: str) -> pd.Series:
    """Half of the customers for the measure, half for the control group.

    Parameters
    ----------
    customers : Index
        Ids, each once; their order doesn't matter.
    seed : str
        What the lot is for: client, list, day.

    Returns
    -------
    Series of str
        `MEASURE` or `CONTROL` by customer; of an odd number one more gets the measure.
    """
    start = hashlib.sha256(f"{seed}\0".encode())
    keys = []
    for customer in customers.astype(str):
        own = start.copy()
        own.update(customer.encode("utf-8", "surrogatepass"))
        keys.append(own.digest())
    place = np.empty(len(keys), dtype=np.int64)
    place[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(len(keys))
    groups = np.where(place < -(-len(keys) // 2), MEASURE, CONTROL)
    return pd.Series(groups, index=customers, dtype="str")
