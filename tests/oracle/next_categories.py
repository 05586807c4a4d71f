"""Which category customers take up next, once more: plain SQL on DuckDB over raw rows.

Written from `docs/method.md` alone, so that it imports nothing from the library. Where the library
packs a customer's categories into the bits of a number, here each is a row.

**Table.** `raw(customer, date, amount, category)`, one row per line; category null where a line has
none. A *purchase* is a customer-day whose amounts add up to more than 0; a category is bought on it
where the category's own lines add up to more than 0.
"""

from __future__ import annotations

import math
from datetime import date

import duckdb
import pandas as pd

from oracle.sql import MONTHS_BACK

_STEPS = """
CREATE OR REPLACE TEMP TABLE lines AS
    SELECT customer, "date"::DATE AS day, amount::DECIMAL(24, 4) AS amount, category FROM raw
    WHERE "date"::DATE <= CAST($as_of AS DATE);
CREATE OR REPLACE TEMP TABLE purchases AS
    SELECT customer, day, row_number() OVER (PARTITION BY customer ORDER BY day) AS nth
    FROM (SELECT customer, day FROM lines GROUP BY customer, day HAVING sum(amount) > 0);
CREATE OR REPLACE TEMP TABLE bought AS
    SELECT customer, day, nth, category
    FROM (SELECT customer, day, category FROM lines WHERE category IS NOT NULL
          GROUP BY customer, day, category HAVING sum(amount) > 0)
    JOIN purchases USING (customer, day);
CREATE OR REPLACE TEMP TABLE large AS       -- the fifteen largest of at least twenty customers
    SELECT category FROM bought GROUP BY category HAVING count(DISTINCT customer) >= 20
    ORDER BY count(DISTINCT customer) DESC, category LIMIT 15;
CREATE OR REPLACE TEMP TABLE known AS       -- all others together are one more category
    SELECT DISTINCT customer, day, nth,
           CASE WHEN category IN (SELECT category FROM large) THEN category END AS category
    FROM bought;
"""

#: Customers at risk in each window, and what each had and took up.
_WINDOWS = """
CREATE OR REPLACE TEMP TABLE openings AS
    SELECT k, CAST($as_of AS DATE) - 90 * k AS opens
    FROM (SELECT CAST(k AS INTEGER) AS k FROM generate_series(1, 4) AS s(k))
    WHERE CAST($as_of AS DATE) - 90 * k - (SELECT min(day) FROM lines) + 1 >= 90;
CREATE OR REPLACE TEMP TABLE people AS
    SELECT customer, k, opens, often, quiet,
           (SELECT count(DISTINCT coalesce(w.category, '')) FROM known w
            WHERE w.customer = p.customer AND w.day <= p.opens) AS breadth
    FROM (
        SELECT customer, k, opens,
               len(list_filter([2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64], lambda x: x <=
                   count(*) FILTER (day > months_back(opens, $active_months)))) AS often,
               len(list_filter([30, 90], lambda x: opens - max(day) > x)) AS quiet
        FROM purchases JOIN openings ON day <= opens
        GROUP BY customer, k, opens
        HAVING count(*) FILTER (day > months_back(opens, $active_months)) > 0
    ) p;
CREATE OR REPLACE TEMP TABLE had AS
    SELECT DISTINCT p.customer, p.k, w.category FROM people p JOIN known w
    ON w.customer = p.customer AND w.day <= p.opens WHERE w.category IS NOT NULL;
CREATE OR REPLACE TEMP TABLE came AS
    SELECT DISTINCT p.customer, p.k, w.category FROM people p JOIN known w
    ON w.customer = p.customer AND w.day > p.opens AND w.day <= p.opens + 90
    WHERE w.category IS NOT NULL;
CREATE OR REPLACE TEMP TABLE spells AS
    SELECT customer, k, k || ' ' || often || ' ' || quiet || ' ' || breadth AS stratum
    FROM people WHERE breadth > 0;
"""

#: The same for the first purchase and the second.
_SECOND = """
CREATE OR REPLACE TEMP TABLE had AS
    SELECT customer, 0 AS k, category FROM known WHERE nth = 1 AND category IS NOT NULL;
CREATE OR REPLACE TEMP TABLE came AS
    SELECT customer, 0 AS k, category FROM known WHERE nth = 2 AND category IS NOT NULL;
CREATE OR REPLACE TEMP TABLE spells AS
    SELECT customer, 0 AS k, CAST(count(*) AS VARCHAR) AS stratum FROM known w
    WHERE nth = 1 AND EXISTS (SELECT 1 FROM known v WHERE v.customer = w.customer AND v.nth = 2)
    GROUP BY customer;
"""

_AT_RISK = """
SELECT s.stratum,
       count(*) FILTER (a.customer IS NOT NULL)                                    AS n,
       count(*) FILTER (a.customer IS NOT NULL AND t.customer IS NOT NULL)         AS took,
       count(*)                                                                    AS all_n,
       count(*) FILTER (t.customer IS NOT NULL)                                    AS all_took
FROM spells s
LEFT JOIN (SELECT * FROM had WHERE category = $have) a USING (customer, k)
LEFT JOIN (SELECT * FROM came WHERE category = $take) t USING (customer, k)
WHERE NOT EXISTS (SELECT 1 FROM had h WHERE h.customer = s.customer AND h.k = s.k
                  AND h.category = $take)
GROUP BY s.stratum
"""

_SHARES = """
SELECT count(*),
       count(*) FILTER (EXISTS (SELECT 1 FROM known v JOIN known w
           ON v.customer = w.customer AND v.category IS NOT DISTINCT FROM w.category
           WHERE v.customer = s.customer AND v.nth = 1 AND w.nth = 2)),
       count(*) FILTER (EXISTS (SELECT 1 FROM known w
           WHERE w.customer = s.customer AND w.nth = 2 AND NOT EXISTS (
               SELECT 1 FROM known v WHERE v.customer = s.customer AND v.nth = 1
               AND v.category IS NOT DISTINCT FROM w.category)))
FROM spells s
"""

_AGAIN = """
SELECT count(*), count(*) FILTER (c.customer IS NOT NULL)
FROM spells s JOIN had h ON h.customer = s.customer AND h.category = $have
LEFT JOIN came c ON c.customer = s.customer AND c.category = $have
"""

_OPEN = """
WITH active AS (
    SELECT DISTINCT customer FROM purchases
    WHERE day > months_back(CAST($as_of AS DATE), $active_months)
)
SELECT customer FROM active a
WHERE EXISTS (SELECT 1 FROM known w WHERE w.customer = a.customer AND w.category = $have)
  AND NOT EXISTS (SELECT 1 FROM known w WHERE w.customer = a.customer AND w.category = $take)
ORDER BY customer
"""


class Oracle:
    """The counts of one report.

    Parameters
    ----------
    raw : DataFrame
        The table above.
    as_of : date
    active_months : int
    """

    def __init__(self, raw: pd.DataFrame, as_of: date, active_months: int) -> None:
        self.con = duckdb.connect()
        self.con.execute(MONTHS_BACK)
        self.con.register("raw", raw)
        self.when = {"as_of": str(as_of)}
        self.months = {"active_months": active_months}
        self._run(_STEPS)

    def windows(self) -> Oracle:
        """From here on of active customers in windows of 90 days."""
        self._run(_WINDOWS)
        return self

    def second(self) -> Oracle:
        """From here on of the first purchase and the second."""
        self._run(_SECOND)
        return self

    def categories(self) -> list[str]:
        """Those that stand by themselves."""
        return [name for (name,) in self.con.execute("SELECT category FROM large").fetchall()]

    def pair(self, have: str, take: str) -> dict[str, float]:
        """n at risk, took, the ratio of shares by strata (Mantel-Haenszel) and its interval."""
        rows = self.con.execute(_AT_RISK, {"have": have, "take": take}).fetchall()
        ours = theirs = spread = 0.0
        for _, n, took, all_n, all_took in rows:
            rest, rest_took = all_n - n, all_took - took
            ours += took * rest / all_n
            theirs += rest_took * n / all_n
            spread += (all_took * n * rest - took * rest_took * all_n) / all_n**2
        found = {"n": sum(row[1] for row in rows), "took": sum(row[2] for row in rows)}
        if ours and theirs:
            error = 1.959963984540054 * math.sqrt(spread / (ours * theirs))
            lift = ours / theirs
            found |= {"lift": lift, "low": lift / math.exp(error), "high": lift * math.exp(error)}
        return found

    def shares(self) -> tuple[int, int, int]:
        """Second purchases; of them with a category of the first, with a new one."""
        row = self.con.execute(_SHARES).fetchone()
        assert row is not None
        return row

    def again(self, have: str) -> tuple[int, int]:
        """Customers who started with a category, and who bought it again the second time."""
        row = self.con.execute(_AGAIN, {"have": have}).fetchone()
        assert row is not None
        return row

    def open_to(self, have: str, take: str) -> list[str]:
        """Active customers who have the one and not the other."""
        rows = self.con.execute(_OPEN, {**self.when, **self.months, "have": have, "take": take})
        return [customer for (customer,) in rows.fetchall()]

    def _run(self, script: str) -> None:
        for statement in script.split(";\n"):
            if statement.strip():
                named = {**self.when, **self.months}
                given = {key: value for key, value in named.items() if f"${key}" in statement}
                self.con.execute(statement, given)
