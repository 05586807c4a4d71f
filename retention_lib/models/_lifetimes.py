"""lifetimes, imported without its side effects.

Its import switches `FutureWarning` off for the whole process and touches a pandas option that is
going away. Both would reach into the caller's session, so the warning filters are put back.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import lifetimes
    from lifetimes.utils import _check_inputs as check_inputs

__all__ = ["check_inputs", "lifetimes"]
