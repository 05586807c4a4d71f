"""The smallest group that is told of: a percentage of three customers says nothing."""

from __future__ import annotations

from typing import Final

#: Customers (or purchases) of a group, below which it is held back.
SMALLEST: Final = 20
