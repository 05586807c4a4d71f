"""lifetimes, imported without its side effects.

Its import switches `FutureWarning` off for the whole process and touches a pandas option that is
going away. Both would reach into the caller's session, so the warning filters are put back.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import lifetimes
    from lifetimes.generate_data import (
        beta_geometric_nbd_model,
        modified_beta_geometric_nbd_model,
        pareto_nbd_model,
    )
    from lifetimes.utils import ConvergenceError
    from lifetimes.utils import _check_inputs as check_inputs

__all__ = [
    "ConvergenceError",
    "beta_geometric_nbd_model",
    "check_inputs",
    "lifetimes",
    "modified_beta_geometric_nbd_model",
    "pareto_nbd_model",
]
