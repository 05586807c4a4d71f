"""Amounts in the report's currency (the client file's `fx`)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import ibis
import ibis.expr.types as ir

from retention_lib.data import schema
from retention_lib.data.text import money_product
from retention_lib.errors import DataError
from retention_lib.params import Params

#: A rate: twelve decimals, so that a million of a small currency is exact to the cent; and no wider
#: than that the product with an amount has 38 digits, the most that every engine has.
RATE: Final = "decimal(19, 12)"
SMALLEST_RATE: Final = 1e-8
LARGEST_RATE: Final = 9_999_999


def in_report_currency(rows: ir.Table, fx: Mapping[str, float], currency: str) -> ir.Table:
    """Amounts in the report's currency; an amount without a known rate is null.

    An amount without a currency is in the report's already, as a time without zone is local.

    Parameters
    ----------
    rows : ibis Table
        Canonical rows; without a `currency` column they are in the report's currency already.
    fx : mapping
        One unit of a foreign currency in the report's.
    currency : str
        The report's currency.
    """
    if schema.CURRENCY not in rows.columns:
        return rows
    code = rows[schema.CURRENCY].upper()
    rate = ibis.cases(
        (code.isnull() | (code == currency), _rate(1)),
        *[(code == foreign.upper(), _rate(value)) for foreign, value in fx.items()],
        else_=ibis.null().cast(RATE),
    )
    return rows.mutate(amount=money_product(rows[schema.AMOUNT], rate))


def _rate(value: float) -> ir.DecimalValue:
    # the decimal as it was written, not the float nearest to it
    return ibis.literal(Decimal(str(value)), type=RATE)


def check_sizes(params: Params) -> None:
    """Every rate of the client file can be calculated with.

    Raises
    ------
    DataError
        A rate that no pair of currencies has.
    """
    for code, rate in params.fx.items():
        if not SMALLEST_RATE <= rate <= LARGEST_RATE:
            raise DataError(
                f"fx: one {code} is given as {rate:g} {params.currency}; allowed is a rate from "
                f"{SMALLEST_RATE:g} to {LARGEST_RATE:,.0f}"
            )


def check_currencies(tallied: ir.Table, params: Params) -> None:
    """Every currency of the data has a rate.

    Parameters
    ----------
    tallied : ibis Table
        `purchases.tally`.
    params : Params

    Raises
    ------
    DataError
        One sentence that names each currency without one.
    """
    if schema.CURRENCY not in tallied.columns:
        return
    code = tallied[schema.CURRENCY].upper()
    known = [params.currency, *(c.upper() for c in params.fx)]
    unknown = tallied.filter(code.notnull() & ~code.isin(known))
    found = unknown.group_by(code=code).aggregate(rows=unknown.rows.sum()).execute()
    if found.empty:
        return
    named = ", ".join(
        f"{row.code} ({row.rows:,} rows)"
        for row in found.sort_values(["rows", "code"], ascending=[False, True]).itertuples()
    )
    raise DataError(
        f"fx: the data has amounts in {named} without a rate; "
        f"give one unit of each in {params.currency} under fx"
    )
