"""Movement between value tiers, and the change of a rate between two days, once more in SQL.

Nothing here comes from the library: the tiers are ranks of a value, the matrix is a join, and the
error of a change is the sum over customers of what each adds to it.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pandas as pd

from oracle.sql import MONTHS_BACK, USED

TIERED = """
CREATE OR REPLACE TEMP TABLE {name} AS
SELECT customer, value,
       CASE {cases} END AS tier
FROM (
    SELECT customer, value,
           row_number() OVER (ORDER BY value DESC, customer) AS place,
           count(*) OVER () AS of_all
    FROM {source}
)
"""


def tier_matrix(
    then: pd.DataFrame, now: pd.DataFrame, shares: Mapping[str, float]
) -> dict[tuple[str, str], int]:
    """Customers by tier then and tier now.

    Parameters
    ----------
    then, now : DataFrame
        `customer` (text) and `value`, one row each.
    shares : mapping
        Tier → share of customers, best first.

    Returns
    -------
    dict
        (tier then, or `new`; tier now, or `gone`) → customers; pairs of nobody are left out.
    """
    con = duckdb.connect()
    for name, frame in (("then_raw", then), ("now_raw", now)):
        con.register(name, frame)
    cases, upto = [], 0.0
    for tier, share in list(shares.items())[:-1]:
        upto += share
        cases.append(f"WHEN place <= round_even(of_all * {upto!r}, 0) THEN '{tier}'")
    cases.append(f"ELSE '{list(shares)[-1]}'")
    for name in ("then", "now"):
        con.execute(
            TIERED.format(name=f"tiered_{name}", cases=" ".join(cases), source=f"{name}_raw")
        )
    rows = con.execute(
        """
        SELECT coalesce(a.tier, 'new'), coalesce(b.tier, 'gone'), count(*)
        FROM tiered_then a FULL JOIN tiered_now b USING (customer)
        GROUP BY ALL
        """
    ).fetchall()
    return {(was, is_now): n for was, is_now, n in rows}


CHANGE = """
CREATE OR REPLACE TEMP TABLE people_{i} AS
{used},
edges AS (
    SELECT eve_of_p,
           months_back(eve_of_p, $active_months)             AS eve_of_start_window,
           months_back(CAST($as_of AS DATE), $active_months) AS eve_of_end_window
    FROM (SELECT months_back(CAST($as_of AS DATE), $period_months) AS eve_of_p)
)
SELECT customer,
       count(*) FILTER (day > eve_of_start_window AND day <= eve_of_p) > 0 AS s,
       count(*) FILTER (day > eve_of_end_window) > 0                       AS e
FROM purchases, edges
GROUP BY customer
"""


def retention_change(
    rows: pd.DataFrame, *, then: str, now: str, period_months: int, active_months: int
) -> tuple[float, float]:
    """The change of the retention rate between two days, and its standard error."""
    con = duckdb.connect()
    con.execute(MONTHS_BACK)
    con.register("raw", rows)
    for i, day in enumerate((then, now)):
        con.execute(
            CHANGE.format(i=i, used=USED.format(order_id="NULL")),
            {
                "as_of": day,
                "start": None,
                "returns": "net",
                "period_months": period_months,
                "active_months": active_months,
            },
        )
    found = con.execute(
        """
        WITH both_days AS (
            SELECT customer,
                   coalesce(a.s, false)::INT AS s1, (coalesce(a.s, false) AND a.e)::INT AS k1,
                   coalesce(b.s, false)::INT AS s2, (coalesce(b.s, false) AND b.e)::INT AS k2
            FROM people_0 a FULL JOIN people_1 b USING (customer)
        ),
        rates AS (
            SELECT sum(k1) / sum(s1) AS r1, sum(k2) / sum(s2) AS r2,
                   sum(s1) AS n1, sum(s2) AS n2, count(*) FILTER (s1 + s2 > 0) AS n
            FROM both_days
        )
        SELECT any_value(r2 - r1),
               sqrt(any_value(n / (n - 1))
                    * sum(power((k2 - r2 * s2) / n2 - (k1 - r1 * s1) / n1, 2)))
        FROM both_days, rates
        """
    ).fetchone()
    assert found is not None
    return float(found[0]), float(found[1])
