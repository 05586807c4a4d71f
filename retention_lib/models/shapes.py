"""Predictions in the shape of what they were asked for, as lifetimes' methods give them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from retention_lib.models.histories import Floats


def flattened(*inputs: npt.ArrayLike) -> list[Floats]:
    """The inputs broadcast against each other, each as one column.

    Parameters
    ----------
    *inputs : array_like, of shapes that broadcast

    Returns
    -------
    list of ndarray, each of shape (n,)
    """
    return [c.ravel() for c in np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in inputs))]


def as_given(result: Floats, *inputs: npt.ArrayLike) -> Any:
    """A result for each row of the inputs, in their common shape.

    Parameters
    ----------
    result : ndarray, of n elements
    *inputs : array_like, of shapes that broadcast to n elements

    Returns
    -------
    float, ndarray or Series
        A Series where a Series came in, with the first one's index; a float where only scalars did.

    Examples
    --------
    >>> as_given(np.array([0.5]), 1, 2.0)
    0.5
    >>> as_given(np.array([0.5, 0.25]), pd.Series([1, 2], index=["a", "b"]), 2.0).to_dict()
    {'a': 0.5, 'b': 0.25}
    """
    shaped = result.reshape(np.broadcast_shapes(*(np.shape(v) for v in inputs)))
    index = next((v.index for v in inputs if isinstance(v, pd.Series)), None)
    if index is not None:
        return pd.Series(shaped, index=index)
    return float(shaped) if shaped.ndim == 0 else shaped
