"""Who is late, once more: plain SQL on DuckDB over raw rows.

Written from `docs/method.md` alone; it imports nothing from the library.

**Table.** `raw(customer, date, amount)`, one row per line, all of them used. A *purchase* is a
customer-day whose amounts add up to more than 0.
"""

from __future__ import annotations

from datetime import date

import duckdb
import pandas as pd

_PEOPLE = """
WITH lines AS (
    SELECT customer, "date"::DATE AS day, amount::DECIMAL(24, 4) AS amount
    FROM raw WHERE "date"::DATE <= CAST($as_of AS DATE)
),
purchases AS (
    SELECT customer, day FROM lines GROUP BY customer, day HAVING sum(amount) > 0
),
people AS (
    SELECT customer, count(*) AS purchases,
           date_diff('day', min(day), max(day))                    AS span,
           date_diff('day', max(day), CAST($as_of AS DATE))        AS away
    FROM purchases GROUP BY customer
)
"""

PLAIN = (
    _PEOPLE
    + """
SELECT count(*) FILTER (purchases >= 3 AND away * (purchases - 1) <= 2 * span) AS on_time,
       count(*) FILTER (purchases >= 3 AND away * (purchases - 1) > 2 * span)  AS overdue,
       count(*) FILTER (purchases < 3)                                         AS no_interval
FROM people
"""
)

RHYTHM = (
    _PEOPLE
    + """,
waits AS (      -- r, alpha: alpha in days
    SELECT purchases, away,
           ($alpha + span) * (pow(2.0, 1 / ($r + purchases - 1)) - 1)  AS due,
           ($alpha + span) * (pow(10.0, 1 / ($r + purchases - 1)) - 1) AS late
    FROM people WHERE purchases >= 2
)
SELECT count(*) FILTER (away < due)                     AS not_due,
       count(*) FILTER (away >= due AND away < late)    AS window_open,
       count(*) FILTER (away >= late)                   AS late
FROM waits
"""
)

SECOND = """
WITH lines AS (
    SELECT customer, "date"::DATE AS day, amount::DECIMAL(24, 4) AS amount
    FROM raw WHERE "date"::DATE <= CAST($as_of AS DATE)
),
purchases AS (
    SELECT customer, day, row_number() OVER (PARTITION BY customer ORDER BY day) AS nth
    FROM lines GROUP BY customer, day HAVING sum(amount) > 0
),
two AS (
    SELECT min(day) FILTER (nth = 1) AS first, min(day) FILTER (nth = 2) AS second
    FROM purchases GROUP BY customer
)
SELECT ceil(quantile_cont(date_diff('day', first, second), 0.75))
FROM two
WHERE date_diff('day', first, second) <= $watched
  AND date_diff('day', first, CAST($as_of AS DATE)) >= $watched
"""


def plain(raw: pd.DataFrame, as_of: date) -> dict[str, int]:
    """Customers by the plain rule: on_time, overdue (away > 2 mean intervals), no_interval."""
    return _row(raw, PLAIN, {"as_of": str(as_of)})


def states(raw: pd.DataFrame, as_of: date, r: float, alpha_days: float) -> dict[str, int]:
    """Customers with two purchases or more: not_due, window_open, late."""
    return _row(raw, RHYTHM, {"as_of": str(as_of), "r": r, "alpha": alpha_days})


def second_days(raw: pd.DataFrame, as_of: date, watched: int) -> int:
    """Days within which three in four of the second purchases are made."""
    return int(next(iter(_row(raw, SECOND, {"as_of": str(as_of), "watched": watched}).values())))


def _row(raw: pd.DataFrame, query: str, values: dict[str, object]) -> dict[str, int]:
    con = duckdb.connect()
    con.register("raw", raw)
    result = con.execute(query, values)
    names = [column[0] for column in result.description]
    row = result.fetchone()
    assert row is not None
    return dict(zip(names, row, strict=True))
