"""Lengths of the units of time, known in one place and loaded without anything else."""

from __future__ import annotations

from typing import Final

DAYS_PER_UNIT: Final = {"day": 1, "week": 7}
