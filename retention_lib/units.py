"""Lengths of the units of time, known in one place and loaded without anything else."""

from __future__ import annotations

from typing import Final

DAYS_PER_UNIT: Final = {"day": 1, "week": 7}

#: Mean length of a month, where none is named: customers are won on any day.
DAYS_PER_MONTH: Final = 365.25 / 12
