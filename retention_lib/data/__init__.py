"""From a client's rows to purchases: sources, what is left out and why, one row per customer."""

from retention_lib.data.base import Base
from retention_lib.data.purchases import summarise
from retention_lib.data.read import open_base

__all__ = ["Base", "open_base", "summarise"]
