"""First purchases against later value, and purchases by number, once more: plain SQL on DuckDB.

Written from `docs/method.md` alone, so that it imports nothing from the library.

**Table.** `raw(customer, date, amount)` and, where there is one, `category`; one row per line, all
of them used. A *purchase* is a customer-day whose amounts add up to more than 0.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pandas as pd

_DAYS = """
WITH days AS (
    SELECT customer, "date"::DATE AS day, sum(amount::DECIMAL(24, 4)) AS amount
    FROM raw WHERE "date"::DATE <= CAST($as_of AS DATE) GROUP BY ALL
),
numbered AS (
    SELECT customer, day, amount,
           row_number() OVER (PARTITION BY customer ORDER BY day) AS nth
    FROM days WHERE amount > 0
)
"""

FOLLOWS = (
    _DAYS
    + """,
firsts AS (
    SELECT customer, day AS began, amount AS first FROM numbered
    WHERE nth = 1 AND day <= CAST($as_of AS DATE) - $within AND day >= CAST($since AS DATE)
)
SELECT f.customer, f.first::DOUBLE AS first,
       coalesce(sum(d.amount) FILTER (d.day > f.began AND d.day - f.began <= $within), 0)::DOUBLE
           AS later,
       count(*) FILTER (d.amount > 0 AND d.day > f.began AND d.day - f.began <= $within) > 0
           AS again
FROM firsts f JOIN days d ON d.customer = f.customer
GROUP BY f.customer, f.first ORDER BY f.customer
"""
)

FIFTHS = """
WITH cuts AS (
    SELECT list_transform(
               [0.2::DOUBLE, 0.4, 0.6, 0.8],
               lambda share: every[1 + CAST(floor(share * (len(every) - 1)) AS INTEGER)]) AS q
    FROM (SELECT list(first ORDER BY first) AS every FROM people)
),
told AS (
    SELECT 1 + len(list_filter(q, lambda x: x < first)) AS fifth, * FROM people, cuts
)
"""

MAIN = """
SELECT customer, first(category ORDER BY amount DESC, category) AS category FROM (
    SELECT r.customer, r.category, sum(r.amount::DECIMAL(24, 4)) AS amount
    FROM raw r JOIN (
        SELECT customer, min(day) AS began FROM (
            SELECT customer, "date"::DATE AS day FROM raw GROUP BY ALL
            HAVING sum(amount::DECIMAL(24, 4)) > 0) GROUP BY customer
    ) f ON f.customer = r.customer AND r."date"::DATE = f.began
    WHERE r.category IS NOT NULL GROUP BY r.customer, r.category
    HAVING sum(r.amount::DECIMAL(24, 4)) > 0)
GROUP BY customer
"""

VALUES = (
    _DAYS
    + """,
told AS (
    SELECT customer, nth, amount::DOUBLE AS amount,
           (lead(amount) OVER one - amount)::DOUBLE             AS change,
           (amount - first_value(amount) OVER one)::DOUBLE      AS since,
           count(*) OVER (PARTITION BY customer)                AS made
    FROM numbered WINDOW one AS (PARTITION BY customer ORDER BY day)
)
SELECT nth AS number, count(*) AS customers, avg(amount) AS mean,
       1.96 * stddev_samp(amount) / sqrt(count(*))              AS about,
       count(change) AS n_next, avg(change) AS change,
       avg(amount) FILTER (change IS NOT NULL) AS before,
       avg(since) AS since, stddev_samp(since) / sqrt(count(*)) AS since_error,
       stddev_samp(change) / sqrt(count(change)) AS change_error,
       avg(amount) FILTER (made >= $together) AS same,
       count(*) FILTER (made >= $together) AS n_same
FROM told WHERE nth <= 6 GROUP BY nth ORDER BY nth
"""
)


class Oracle:
    """The figures of one report.

    Parameters
    ----------
    raw : DataFrame
        The table above.
    as_of : date
    """

    def __init__(self, raw: pd.DataFrame, as_of: date) -> None:
        self.con = duckdb.connect()
        self.con.register("raw", raw)
        self.as_of = str(as_of)

    def values(self, together: int) -> list[dict[str, Any]]:
        """A row a purchase by number."""
        return self._rows(VALUES, {"as_of": self.as_of, "together": together})

    def follow(self, within: int, since: date) -> int:
        """Keep who was first seen since a day and watched so long; how many."""
        frame = self.con.execute(
            FOLLOWS, {"as_of": self.as_of, "within": within, "since": str(since)}
        ).df()
        self.con.register("people", frame)
        return len(frame)

    def fifths(self) -> list[dict[str, Any]]:
        """A row a fifth of the first amount: fifth, n, first, later, came, error."""
        return self._rows(
            FIFTHS + "SELECT fifth, count(*) AS n, avg(first) AS first, avg(later) AS later,"
            " count(*) FILTER (again) AS came, stddev_samp(later) / sqrt(count(*)) AS error"
            " FROM told GROUP BY fifth ORDER BY fifth"
        )

    def rank_correlation(self) -> float:
        """Spearman's, of the first amount and what followed; equal values share their mean rank."""
        rank = "avg(place) OVER (PARTITION BY {0})"
        places = (
            "SELECT *, row_number() OVER (ORDER BY first) AS place FROM people",
            "SELECT *, row_number() OVER (ORDER BY later) AS place FROM people",
        )
        query = (
            f"WITH a AS (SELECT customer, {rank.format('first')} AS x FROM ({places[0]})),"
            f" b AS (SELECT customer, {rank.format('later')} AS y FROM ({places[1]}))"
            " SELECT corr(x, y) AS r FROM a JOIN b USING (customer)"
        )
        return float(self._rows(query)[0]["r"])

    def categories(self) -> list[dict[str, Any]]:
        """A row a first category: n, later, and its revenue less that of others of its fifth."""
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE main AS {MAIN}")
        return self._rows(
            FIFTHS + ", known AS (SELECT t.*, category FROM told t JOIN main USING (customer)),"
            " each AS (SELECT category, fifth, count(*) AS n, avg(later) AS mean FROM known"
            "          GROUP BY ALL),"
            " every AS (SELECT fifth, count(*) AS n, avg(later) AS mean,"
            "                  coalesce(var_samp(later), 0) AS spread FROM known GROUP BY fifth),"
            " rest AS (SELECT e.category, e.n, e.mean, a.spread, a.n AS all_n,"
            "                 (a.n * a.mean - e.n * e.mean) / (a.n - e.n) AS others"
            "          FROM each e JOIN every a USING (fifth) WHERE a.n > e.n)"
            " SELECT category, (SELECT count(*) FROM known k WHERE k.category = r.category) AS n,"
            "        (SELECT avg(later) FROM known k WHERE k.category = r.category) AS later,"
            "        sum(n * (all_n - n) / all_n * (mean - others))"
            "            / sum(n * (all_n - n) / all_n) AS difference,"
            "        sqrt(sum(n * (all_n - n) / all_n * spread))"
            "            / sum(n * (all_n - n) / all_n) AS error"
            " FROM rest r GROUP BY category ORDER BY category"
        )

    def _rows(self, query: str, named: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        result = self.con.execute(query, named or {})
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
