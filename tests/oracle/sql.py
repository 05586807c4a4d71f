"""Every order figure of CONTRACT, section 4, once more: plain SQL on DuckDB over raw rows.

It exists to disagree with the library when one of the two is wrong, so that it imports nothing from
it and is written from the contract alone.

**Table.** `raw(customer, date, amount)` and, where orders have ids, `"order"`. One row per line.
Rows without a customer, a day or a finite amount are not used. Amounts are exact decimals to a
millionth: 10.10 + 20.20 − 30.30 is 0 here and no purchase, not 3.6e-15.

**Windows, in plain words.** Going back n months from a day leads to the same day of the month, n
months earlier; where that month is too short, to its last day; and from the last day of a month
always to the last day of the other month. A window of n months that ends on a day starts the day
after the day n months back.

* P, the period: the `period_months` that end on `as_of`. For 1998-06-30 and 12 months it runs from
  1997-07-01 to 1998-06-30; for 2025-02-28, the last of its month, from 2024-03-01; for 2025-01-15
  from 2024-01-16; for 2025-03-30 and 1 month from 2025-03-01.
* S, the customers at the start: with a purchase in the `active_months` that end the day before P
  starts.
* E, the customers at the end: with one in the `active_months` that end on `as_of`.

S is thus exactly the E of a report made the day before P starts.

**Orders.** An order is all used rows of one order id and customer, or, without an id, of one
customer and day. It belongs to the day of its earliest used row.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd

MONTHS_BACK = """
CREATE OR REPLACE TEMP MACRO months_back(day, n) AS (
    CASE WHEN day = last_day(day) THEN last_day((day - to_months(n))::DATE)
         ELSE (day - to_months(n))::DATE
    END
)
"""

USED = """
WITH typed AS (
    SELECT trim(CAST(customer AS VARCHAR))      AS customer,
           {order_id}                           AS order_id,
           TRY_CAST("date" AS DATE)             AS day,
           TRY_CAST(amount AS DECIMAL(24, 6))   AS amount
    FROM raw
),
used AS (
    SELECT customer, order_id, day, amount
    FROM typed
    WHERE customer IS NOT NULL AND customer <> ''
      AND day IS NOT NULL
      AND amount IS NOT NULL
      AND NOT ($returns = 'drop' AND amount < 0)
      AND day <= CAST($as_of AS DATE)
      AND ($start IS NULL OR day >= CAST($start AS DATE))
),
purchases AS (
    SELECT customer, day, sum(amount) AS amount
    FROM used
    GROUP BY customer, day
    HAVING sum(amount) > 0
)
"""

CUSTOMERS = (
    USED
    + """,
spent AS (
    SELECT customer, sum(amount) AS revenue FROM used GROUP BY customer
)
SELECT p.customer,
       min(p.day)                                                 AS first,
       max(p.day)                                                 AS last,
       count(*) - 1                                               AS frequency,
       max(p.day) - min(p.day)                                    AS recency,
       CAST($as_of AS DATE) - min(p.day)                          AS "T",
       CAST(sum(p.amount) - min_by(p.amount, p.day) AS DOUBLE)
           / nullif(count(*) - 1, 0)                              AS monetary_value,
       count(*)                                                   AS purchases,
       CAST(any_value(s.revenue) AS DOUBLE)                       AS revenue,
       CAST(sum(p.amount) AS DOUBLE) / count(*)                   AS amount_mean
FROM purchases p JOIN spent s ON s.customer = p.customer
GROUP BY p.customer
ORDER BY p.customer
"""
)

METRICS = (
    USED
    + """,
edges AS (      -- each window is the days after its edge
    SELECT eve_of_p,
           months_back(eve_of_p, $period_months)             AS eve_of_prior,
           months_back(eve_of_p, $active_months)             AS eve_of_start_window,
           months_back(CAST($as_of AS DATE), $active_months) AS eve_of_end_window
    FROM (SELECT months_back(CAST($as_of AS DATE), $period_months) AS eve_of_p)
),
numbered AS (
    SELECT customer, day, row_number() OVER (PARTITION BY customer ORDER BY day) AS nth
    FROM purchases
),
people AS (
    SELECT customer,
           min(day)                                                        AS first_day,
           min(day) FILTER (nth = 2)                                       AS second_day,
           count(*)                                                        AS purchases,
           count(*) FILTER (day > eve_of_p)                                AS purchases_in_p,
           count(*) FILTER (day > eve_of_start_window AND day <= eve_of_p) > 0 AS in_s,
           count(*) FILTER (day > eve_of_end_window) > 0                   AS in_e,
           count(*) FILTER (day > eve_of_p) > 0                            AS in_b,
           min(day) > eve_of_p                                             AS in_n
    FROM numbered, edges
    GROUP BY customer, eve_of_p
),
spent_in_p AS (
    SELECT customer, sum(amount) AS revenue
    FROM used, edges
    WHERE day > eve_of_p
    GROUP BY customer
),
spent_before AS (
    SELECT customer, sum(amount) AS revenue
    FROM used, edges
    WHERE day > eve_of_prior AND day <= eve_of_p
    GROUP BY customer
),
by_fate AS (    -- who neither is nor was a customer can have returns, which are in the rest
    SELECT count(*) FILTER (in_s AND in_e)                                       AS kept,
           count(*) FILTER (in_e AND in_n)                                       AS newly,
           count(*) FILTER (in_e AND NOT in_n AND NOT in_s)                      AS back,
           coalesce(sum(s.revenue) FILTER (in_s AND in_e), 0)                    AS of_kept,
           coalesce(sum(s.revenue) FILTER (in_e AND in_n), 0)                    AS of_newly,
           coalesce(sum(s.revenue) FILTER (in_e AND NOT in_n AND NOT in_s), 0)   AS of_back,
           coalesce(sum(b.revenue) FILTER (in_s AND NOT in_e), 0)                AS lost_before
    FROM people p LEFT JOIN spent_in_p s ON s.customer = p.customer
                  LEFT JOIN spent_before b ON b.customer = p.customer
),
not_at_end AS (
    SELECT coalesce(sum(s.revenue), 0) AS of_gone
    FROM spent_in_p s LEFT JOIN people p ON p.customer = s.customer
    WHERE NOT coalesce(p.in_e, false)
),
buyers AS (
    SELECT p.customer, p.in_n, s.revenue,
           row_number() OVER (ORDER BY s.revenue DESC, p.customer) AS place,
           count(*) OVER ()                                        AS of_all
    FROM people p JOIN spent_in_p s ON s.customer = p.customer
    WHERE p.in_b
),
orders_in_p AS (
    SELECT customer, order_id, sum(amount) AS amount
    FROM used
    GROUP BY customer, coalesce('id ' || order_id, 'day ' || CAST(day AS VARCHAR)), order_id
    HAVING sum(amount) > 0 AND min(day) > (SELECT eve_of_p FROM edges)
),
c AS (
    SELECT count(*)                                                     AS total,
           count(*) FILTER (in_b)                                       AS b,
           count(*) FILTER (in_n)                                       AS n,
           count(*) FILTER (in_b AND NOT in_n)                          AS b_not_n,
           count(*) FILTER (in_s)                                       AS s,
           count(*) FILTER (in_e)                                       AS e,
           count(*) FILTER (in_e AND NOT in_n AND NOT in_s)             AS reactivated,
           count(*) FILTER (in_s AND NOT in_e)                          AS lost,
           count(*) FILTER (in_s AND in_e)                              AS s_and_e,
           count(*) FILTER (in_e AND NOT in_n)                          AS e_not_n,
           count(*) FILTER (in_s AND in_b)                              AS s_and_b,
           count(*) FILTER (purchases_in_p >= 2)                        AS twice_in_p,
           count(*) FILTER (purchases >= 2)                             AS twice_ever,
           count(*) FILTER (first_day <= CAST($as_of AS DATE) - 90)     AS seen_90d,
           count(*) FILTER (first_day <= CAST($as_of AS DATE) - 90
                            AND second_day - first_day <= 90)           AS again_90d,
           median(second_day - first_day) FILTER (second_day IS NOT NULL) AS days_to_second
    FROM people
),
money AS (
    SELECT (SELECT coalesce(sum(revenue), 0) FROM spent_in_p)           AS net,
           coalesce(sum(revenue) FILTER (NOT in_n), 0)                  AS of_returning,
           coalesce(sum(revenue) FILTER (in_n), 0)                      AS of_new,
           sum(revenue) FILTER (place <= (of_all + 4) // 5)             AS of_best_fifth
    FROM buyers
),
o AS (
    SELECT count(*) AS orders, coalesce(sum(amount), 0) AS revenue FROM orders_in_p
)
SELECT total                                        AS "customers.total",
       b                                            AS "customers.active",
       n                                            AS "customers.new",
       b_not_n                                      AS "customers.returning",
       s                                            AS "customers.at_start",
       e                                            AS "customers.at_end",
       reactivated                                  AS "customers.reactivated",
       lost                                         AS "customers.lost",
       s_and_e::DOUBLE / nullif(s, 0)               AS "retention.rate",
       e_not_n::DOUBLE / nullif(s, 0)               AS "retention.rate_formula",
       s_and_b::DOUBLE / nullif(s, 0)               AS "retention.repurchase_rate",
       1 - s_and_e::DOUBLE / nullif(s, 0)           AS "churn.rate",
       twice_in_p::DOUBLE / nullif(b, 0)            AS "retention.repeat_rate",
       twice_ever::DOUBLE / nullif(total, 0)        AS "retention.ever_repeat_rate",
       again_90d::DOUBLE / nullif(seen_90d, 0)      AS "retention.repeat_90d",
       days_to_second                               AS "journey.days_to_second",
       net::DOUBLE                                  AS "revenue.net",
       orders                                       AS "orders.count",
       revenue::DOUBLE / nullif(orders, 0)          AS "orders.aov",
       orders::DOUBLE / nullif(b, 0)                AS "orders.per_customer",
       CASE WHEN net > 0 THEN of_returning::DOUBLE / net::DOUBLE END
                                                    AS "revenue.returning_share",
       CASE WHEN net > 0 THEN of_best_fifth::DOUBLE / net::DOUBLE END
                                                    AS "revenue.top20_share",
       CASE WHEN b_not_n > 0 AND n > 0 AND of_new > 0
            THEN (of_returning::DOUBLE / b_not_n) / (of_new::DOUBLE / n) END
                                                    AS "spend.returning_vs_new",
       kept                                         AS "customers.kept",
       newly                                        AS "customers.new_at_end",
       of_kept::DOUBLE                              AS "revenue.kept",
       of_back::DOUBLE                              AS "revenue.reactivated",
       of_newly::DOUBLE                             AS "revenue.new",
       of_gone::DOUBLE                              AS "revenue.not_at_end",
       lost_before::DOUBLE                          AS "revenue.lost_before",
       of_kept::DOUBLE / nullif(kept, 0)            AS "spend.kept",
       of_back::DOUBLE / nullif(back, 0)            AS "spend.reactivated",
       of_newly::DOUBLE / nullif(newly, 0)          AS "spend.new"
FROM c, money, o, by_fate, not_at_end
"""
)


def metrics(
    con_or_frame: duckdb.DuckDBPyConnection | pd.DataFrame,
    *,
    as_of: str | date,
    period_months: int = 12,
    active_months: int = 12,
    returns: str = "net",
    start: str | date | None = None,
) -> dict[str, float | None]:
    """The figures by id; None where one has no base.

    Parameters
    ----------
    con_or_frame : DuckDB connection or DataFrame
        A connection with a table `raw`, or the rows themselves, with the columns named above.
    as_of, start : date or ISO text
        Last and first day of the window, both in it; no `start` takes the data from its first day.
    period_months, active_months : int
        As in the client file.
    returns : str
        `net` or `drop`.
    """
    con = _connection(con_or_frame)
    con.execute(MONTHS_BACK)
    result = con.execute(
        METRICS.format(order_id=_order_id(con)),
        {
            **_window(as_of, start, returns),
            "period_months": period_months,
            "active_months": active_months,
        },
    )
    ids = [column[0] for column in result.description]
    row = result.fetchone()
    assert row is not None
    return {i: _plain(value) for i, value in zip(ids, row, strict=True)}


def customers(
    con_or_frame: duckdb.DuckDBPyConnection | pd.DataFrame,
    *,
    as_of: str | date,
    returns: str = "net",
    start: str | date | None = None,
) -> pd.DataFrame:
    """One row per customer with a purchase, by customer; times in days, `first` and `last` days.

    Columns: first, last, frequency, recency, T, monetary_value (NaN without a repeat purchase),
    purchases, revenue (all used rows), amount_mean (mean over all purchases).
    """
    con = _connection(con_or_frame)
    result = con.execute(CUSTOMERS.format(order_id=_order_id(con)), _window(as_of, start, returns))
    frame = result.df().set_index("customer")
    return frame.astype({"recency": float, "T": float, "monetary_value": float})


def _connection(
    con_or_frame: duckdb.DuckDBPyConnection | pd.DataFrame,
) -> duckdb.DuckDBPyConnection:
    if isinstance(con_or_frame, duckdb.DuckDBPyConnection):
        return con_or_frame
    con = duckdb.connect()
    con.register("raw", con_or_frame)
    return con


def _order_id(con: duckdb.DuckDBPyConnection) -> str:
    """The SQL for a row's order id: the column where `raw` has one."""
    names = [column[0] for column in con.execute("SELECT * FROM raw LIMIT 0").description]
    return 'CAST("order" AS VARCHAR)' if "order" in names else "CAST(NULL AS VARCHAR)"


def _window(as_of: str | date, start: str | date | None, returns: str) -> dict[str, Any]:
    assert returns in ("net", "drop"), f"returns is {returns!r}; it is `net` or `drop`."
    return {
        "as_of": str(as_of),
        "start": None if start is None else str(start),
        "returns": returns,
    }


def _plain(value: Any) -> float | None:
    return float(value) if isinstance(value, Decimal) else value
