"""What is counted of a client's rows, as tables of the embedded engine."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

import ibis
import ibis.expr.types as ir

from retention_lib.data import purchases, schema


class Tables(Protocol):
    """The tables on which all questions rest; one that isn't asked for isn't opened."""

    @property
    def order_days(self) -> ir.Table:
        """The used rows by customer, day and order (`purchases.order_days`)."""

    @property
    def days(self) -> ir.Table:
        """Customer-days (`purchases.customer_days`)."""

    @property
    def purchases(self) -> ir.Table:
        """Those that are purchases, numbered (`purchases.purchases`)."""


@dataclass(frozen=True)
class Counted:
    """What was counted in this process."""

    order_days: ir.Table
    days: ir.Table

    @property
    def purchases(self) -> ir.Table:
        """The customer-days that are purchases, numbered."""
        return purchases.purchases(self.days)


@dataclass(frozen=True)
class Until:
    """Tables as they were on an earlier day: nothing after it is known."""

    tables: Tables
    day: dt.date

    @property
    def order_days(self) -> ir.Table:
        """The used rows up to the day."""
        return _until(self.tables.order_days, self.day)

    @property
    def days(self) -> ir.Table:
        """The customer-days up to the day."""
        return _until(self.tables.days, self.day)

    @property
    def purchases(self) -> ir.Table:
        """The purchases up to the day; what follows later isn't known yet."""
        made = _until(self.tables.purchases, self.day)
        known = made.following <= ibis.date(self.day)
        return made.mutate(following=ibis.ifelse(known, made.following, ibis.null()))


def _until(table: ir.Table, day: dt.date) -> ir.Table:
    return table.filter(table[schema.DAY] <= ibis.date(day))
