"""What customers have brought by months after the first purchase, once more in plain SQL.

Written from docs/method.md alone: no running sums, every month of every customer added up anew.

A purchase is a customer-day whose amounts add up to more than 0; month k ends k · 365.25 / 12 days
after the day of the first purchase; only customers whose k months are over by `as_of` count in it.
All amounts from the first purchase's day on count, those of the j-th month after it discounted by
(1 + rate)^(−j/12).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pandas as pd

QUERY = """
WITH days AS (
    SELECT customer, CAST("date" AS DATE) AS day, sum(CAST(amount AS DECIMAL(24, 6))) AS amount
    FROM raw WHERE CAST("date" AS DATE) <= CAST($as_of AS DATE) GROUP BY ALL
),
won AS (SELECT customer, min(day) AS first FROM days WHERE amount > 0 GROUP BY customer),
months AS (SELECT unnest(range(0, $most + 1)) AS month),
each AS (
    SELECT m.month, w.customer,
           coalesce(sum(d.amount::DOUBLE * $margin
                        * pow(1 + $rate, -ceil((d.day - w.first) * 12 / 365.25) / 12)), 0) AS value
    FROM months m CROSS JOIN won w
    LEFT JOIN days d ON d.customer = w.customer AND d.day >= w.first
         AND d.day - w.first <= m.month * 365.25 / 12
    WHERE CAST($as_of AS DATE) - w.first >= m.month * 365.25 / 12
    GROUP BY m.month, w.customer
)
SELECT month, count(*) AS n, avg(value) AS value, stddev_samp(value) / sqrt(count(*)) AS error
FROM each GROUP BY month ORDER BY month
"""


def cumulative(
    rows: pd.DataFrame, *, as_of: str | date, margin: float, rate: float, most: int
) -> pd.DataFrame:
    """month, n, value, error (of the mean) of rows with customer, date, amount."""
    values: dict[str, Any] = {
        "as_of": str(as_of),
        "margin": margin,
        "rate": rate,
        "most": most,
    }
    with duckdb.connect() as con:
        con.register("raw", rows)
        return con.execute(QUERY, values).df()
