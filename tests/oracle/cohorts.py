"""Cohort measures and the way to the next purchase once more, in plain SQL over raw rows.

**Table.** `raw(customer, date, amount)` as in `sql.py`. A cohort is the customers by the calendar
month of their first purchase; age n is the n-th month after it. All rows of a customer with a
purchase count, those before the first purchase at age 0.
"""

from __future__ import annotations

import duckdb
import pandas as pd

from oracle.sql import USED, _order_id, _window

VALUES = (
    USED
    + """,
firsts AS (SELECT customer, min(day) AS first_day FROM purchases GROUP BY customer),
months AS (
    SELECT customer, year(first_day) * 12 + month(first_day) - 1 AS cohort FROM firsts
),
sizes AS (SELECT cohort, count(*) AS size FROM months GROUP BY cohort),
spent AS (
    SELECT m.cohort, greatest(year(u.day) * 12 + month(u.day) - 1 - m.cohort, 0) AS age,
           sum(u.amount) AS revenue
    FROM used u JOIN months m USING (customer) GROUP BY ALL
),
bought AS (
    SELECT m.cohort, year(p.day) * 12 + month(p.day) - 1 - m.cohort AS age,
           count(*) AS orders, count(DISTINCT p.customer) AS customers
    FROM purchases p JOIN months m USING (customer) GROUP BY ALL
)
SELECT s.cohort, s.age, z.size,
       s.revenue::DOUBLE / z.size                      AS revenue,
       coalesce(b.orders, 0)::DOUBLE / z.size          AS orders,
       coalesce(b.customers, 0)::DOUBLE / z.size       AS share,
       sum(s.revenue::DOUBLE / z.size) OVER (PARTITION BY s.cohort ORDER BY s.age) AS cumulative
FROM spent s JOIN sizes z USING (cohort) LEFT JOIN bought b USING (cohort, age)
ORDER BY s.cohort, s.age
"""
)

WAITS = (
    USED
    + """,
numbered AS (
    SELECT customer, day,
           row_number() OVER (PARTITION BY customer ORDER BY day) AS number,
           lead(day) OVER (PARTITION BY customer ORDER BY day)    AS following
    FROM purchases
)
SELECT number, following IS NOT NULL AS came,
       coalesce(following, CAST($as_of AS DATE)) - day AS days
FROM numbered
WHERE number <= 3
"""
)


def values(con: duckdb.DuckDBPyConnection, as_of: str) -> pd.DataFrame:
    """cohort (months since year 0), age, size, revenue, orders, share, cumulative."""
    return con.execute(VALUES.format(order_id=_order_id(con)), _window(as_of, None, "net")).df()


def waits(con: duckdb.DuckDBPyConnection, as_of: str) -> pd.DataFrame:
    """One row per purchase: number, came, days to the next or to the end."""
    return con.execute(WAITS.format(order_id=_order_id(con)), _window(as_of, None, "net")).df()
