"""Whether the data starts with its customers, or in the middle of their history."""

from __future__ import annotations

from typing import Final

from retention_lib.data.base import Base
from retention_lib.data.health.beginning import late_start

#: Where the data starts after its customers, those first seen in so many days may be old ones.
EARLY: Final = 90


def starts_late(base: Base) -> bool:
    """Whether the data starts after its customers did (`data.health.beginning`)."""
    return bool(base.fact("late_start", lambda: late_start(base) is not None))
