"""A base by one dimension once more: plain SQL on DuckDB over raw rows.

Written from `docs/method.md` alone, so that it imports nothing from the library.

**Table.** `raw(customer, date, amount, "group")`, one row per line, all of them used; `group` is
null where a line has none. Amounts are exact decimals to a ten-thousandth.

A *purchase* is a customer-day whose amounts add up to more than 0. A *purchase in a group* is a
purchase on which the group's own lines add up to more than 0. P, the period, and the windows before
it and up to its end are those of `oracle.sql`.
"""

from __future__ import annotations

from datetime import date

import duckdb
import pandas as pd

from oracle.sql import MONTHS_BACK

_STEPS = """
WITH edges AS (
    SELECT eve_of_p,
           months_back(eve_of_p, $active_months)             AS eve_of_start_window,
           months_back(CAST($as_of AS DATE), $active_months) AS eve_of_end_window
    FROM (SELECT months_back(CAST($as_of AS DATE), $period_months) AS eve_of_p)
),
lines AS (
    SELECT customer, "date"::DATE AS day, amount::DECIMAL(24, 4) AS amount, "group" AS grp
    FROM raw
    WHERE "date"::DATE <= CAST($as_of AS DATE)
),
purchases AS (
    SELECT customer, day FROM lines GROUP BY customer, day HAVING sum(amount) > 0
),
people AS (     -- those with any purchase: how often before the period, and whether at its end
    SELECT customer,
           count(*) FILTER (day > eve_of_start_window AND day <= eve_of_p) AS often,
           count(*) FILTER (day > eve_of_end_window) > 0                   AS stayed
    FROM purchases, edges
    GROUP BY customer
),
group_days AS (
    SELECT customer, day, grp FROM lines
    GROUP BY customer, day, grp HAVING sum(amount) > 0
),
group_purchases AS (
    SELECT g.customer, g.day, g.grp FROM group_days g
    WHERE EXISTS (SELECT 1 FROM purchases p WHERE p.customer = g.customer AND p.day = g.day)
),
starters AS (   -- who bought in a group in the window before the period
    SELECT DISTINCT customer, grp FROM group_purchases, edges
    WHERE day > eve_of_start_window AND day <= eve_of_p
),
back AS (       -- who bought in a group in the window up to the end
    SELECT DISTINCT customer, grp FROM group_purchases, edges WHERE day > eve_of_end_window
),
in_period AS (
    SELECT customer, grp FROM group_purchases, edges WHERE day > eve_of_p
)
"""

GROUPS = (
    _STEPS
    + """
SELECT grp AS "group",
       (SELECT count(DISTINCT customer) FROM in_period i WHERE i.grp IS NOT DISTINCT FROM g.grp)
                                                                        AS customers,
       (SELECT count(*) FROM in_period i WHERE i.grp IS NOT DISTINCT FROM g.grp) AS purchases,
       (SELECT coalesce(sum(amount), 0)::DOUBLE FROM lines l, edges
        WHERE l.day > eve_of_p AND l.grp IS NOT DISTINCT FROM g.grp)    AS revenue,
       (SELECT count(*) FROM lines l, edges
        WHERE l.day > eve_of_p AND l.grp IS NOT DISTINCT FROM g.grp)    AS lines_in_period,
       (SELECT count(*) FROM starters s WHERE s.grp IS NOT DISTINCT FROM g.grp) AS n,
       (SELECT count(*) FROM starters s JOIN people p ON p.customer = s.customer AND p.stayed
        WHERE s.grp IS NOT DISTINCT FROM g.grp)                         AS kept,
       (SELECT count(*) FROM starters s
        JOIN back b ON b.customer = s.customer AND b.grp IS NOT DISTINCT FROM s.grp
        WHERE s.grp IS NOT DISTINCT FROM g.grp)                         AS returned
FROM (SELECT DISTINCT grp FROM lines) g
"""
)

TOGETHER = (
    _STEPS
    + """
SELECT (SELECT count(DISTINCT customer) FROM in_period WHERE list_contains($groups, grp)),
       (SELECT count(DISTINCT customer) FROM starters WHERE list_contains($groups, grp))
"""
)

STRATA = (
    _STEPS
    + """
SELECT often,
       count(*) FILTER (NOT inside AND NOT stayed) AS rest_left,
       count(*) FILTER (NOT inside AND stayed)     AS rest_stayed,
       count(*) FILTER (inside AND NOT stayed)     AS group_left,
       count(*) FILTER (inside AND stayed)         AS group_stayed
FROM (SELECT often, stayed,
             customer IN (SELECT customer FROM starters WHERE grp = $group) AS inside
      FROM people WHERE often > 0)
GROUP BY often
ORDER BY often
"""
)


class Oracle:
    """The counts of one report.

    Parameters
    ----------
    raw : DataFrame
        The table above.
    as_of : date
    period_months, active_months : int
    """

    def __init__(
        self, raw: pd.DataFrame, as_of: date, period_months: int, active_months: int
    ) -> None:
        self.con = duckdb.connect()
        self.con.execute(MONTHS_BACK)
        self.con.register("raw", raw)
        self.windows = {
            "as_of": str(as_of),
            "period_months": period_months,
            "active_months": active_months,
        }

    def groups(self) -> dict[str | None, dict[str, float]]:
        """By group: customers, purchases, revenue, lines_in_period, n, kept, returned."""
        result = self.con.execute(GROUPS, self.windows)
        names = [column[0] for column in result.description]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        return {row.pop("group"): row for row in rows}

    def together(self, groups: list[str]) -> tuple[int, int]:
        """Customers of several groups in the period and at the start, each counted once."""
        row = self.con.execute(TOGETHER, {**self.windows, "groups": groups}).fetchone()
        assert row is not None
        return row

    def strata(self, group: str) -> pd.DataFrame:
        """The customers at the start by how often they bought: in the group and not, left or not.

        Columns: often, rest_left, rest_stayed, group_left, group_stayed.
        """
        return self.con.execute(STRATA, {**self.windows, "group": group}).df()
