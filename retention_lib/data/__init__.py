"""From a client's rows to purchases: sources, what is left out and why, one row per customer."""

from retention_lib.data.base import Base, open_base
from retention_lib.data.purchases import summarise

__all__ = ["Base", "open_base", "summarise"]
