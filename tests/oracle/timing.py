"""When customers buy, once more: plain SQL on DuckDB over raw rows.

Written from `docs/method.md` alone, so that it imports nothing from the library.

**Table.** `raw(customer, time, cents, "order")`, one row per line, all of them used; `order` is
null where the source has none. An *order* is all rows of one `order` and customer, else of one
customer and day; its day and hour are those of its first row, and it counts where its cents add up
to more than 0. A *purchase* is a customer-day whose cents add up to more than 0. Weeks begin on
Mondays.
"""

from __future__ import annotations

from datetime import date

import duckdb
import pandas as pd

_VIEWS = """
CREATE TABLE lines AS
SELECT customer, "time"::TIMESTAMP AS moment, "time"::DATE AS day, cents::BIGINT AS cents,
       coalesce('o' || "order", 'd' || "time"::DATE) AS number
FROM raw;
CREATE TABLE orders AS
SELECT customer, min(moment)::DATE AS day, hour(min(moment)) AS hour
FROM lines GROUP BY customer, number HAVING sum(cents) > 0;
CREATE TABLE purchases AS
SELECT customer, day, row_number() OVER w AS number, lead(day) OVER w AS next
FROM (SELECT customer, day FROM lines GROUP BY customer, day HAVING sum(cents) > 0)
WINDOW w AS (PARTITION BY customer ORDER BY day);
CREATE TABLE days AS
SELECT day, coalesce(o.n, 0) AS orders, coalesce(r.cents, 0) / 100.0 AS revenue,
       isodow(day) AS weekday, date_trunc('week', day)::DATE AS monday
FROM (SELECT unnest(generate_series((SELECT min(day) FROM orders),
                                    CAST($as_of AS DATE), INTERVAL 1 DAY))::DATE AS day)
LEFT JOIN (SELECT day, count(*) AS n FROM orders GROUP BY day) o USING (day)
LEFT JOIN (SELECT day, sum(cents) AS cents FROM lines GROUP BY day) r USING (day);
CREATE TABLE whole AS
SELECT * FROM days QUALIFY count(*) OVER (PARTITION BY monday) = 7;
"""

_USUAL = """
CREATE TABLE usual AS
WITH shares AS (
    SELECT weekday, 7.0 * orders / sum(orders) OVER (PARTITION BY monday) AS share FROM whole
),
factors AS (SELECT weekday, median(share) AS factor FROM shares GROUP BY weekday),
scaled AS (SELECT weekday, factor / (SELECT avg(factor) FROM factors) AS factor FROM factors),
levels AS (
    SELECT day, orders, revenue, factor,
           median(orders / factor) OVER (ORDER BY day ROWS BETWEEN 28 PRECEDING AND 28 FOLLOWING)
               AS level
    FROM days JOIN scaled USING (weekday)
)
SELECT day, orders, revenue, level * factor AS expected FROM levels
"""

_PEAKS = """
CREATE TABLE peak_days AS
WITH scaled AS (
    SELECT *, (orders - expected) / sqrt(greatest(expected, 1.0)) AS z FROM usual
),
spread AS (
    SELECT greatest(1.4826 * median(abs(z - (SELECT median(z) FROM scaled))), 1.0) AS s
    FROM scaled WHERE expected > 0
),
high AS (
    SELECT day, (orders - expected) / s / sqrt(greatest(expected, 1.0)) AS size FROM usual, spread
    WHERE orders >= 1.5 * expected
),
runs AS (
    SELECT day, size, sum(begins) OVER (ORDER BY day) AS peak
    FROM (SELECT day, size,
                 CASE WHEN day - lag(day) OVER (ORDER BY day) <= 3 THEN 0 ELSE 1 END AS begins
          FROM high WHERE size >= 3)
),
spans AS (
    SELECT peak, min(day) AS first, max(day) AS last FROM runs GROUP BY peak HAVING max(size) >= 6
)
SELECT u.*, peak, first, last FROM usual u JOIN spans ON u.day BETWEEN first AND last
"""

PEAKS = """
SELECT first, last, count(*) AS days, sum(orders) AS orders, sum(expected) AS expected,
       sum(revenue) AS revenue,
       (SELECT count(DISTINCT customer) FROM purchases p
        WHERE p.day BETWEEN d.first AND d.last) AS customers,
       (SELECT count(*) FROM purchases p
        WHERE p.day BETWEEN d.first AND d.last AND p.number = 1) AS new
FROM peak_days d GROUP BY first, last ORDER BY first
"""

WEEKDAYS = """
WITH calm AS (
    SELECT * FROM whole
    WHERE monday NOT IN (SELECT date_trunc('week', day)::DATE FROM peak_days)
),
weeks AS (
    SELECT weekday, {value} AS y, sum({value}) OVER (PARTITION BY monday) AS week FROM calm
),
ratios AS (SELECT weekday, sum(y) / sum(week) AS r FROM weeks GROUP BY weekday)
SELECT weekday, count(*) AS weeks, avg(y) AS a_day, 7 * any_value(r) AS index,
       7 * stddev_samp(y - r * week) / sqrt(count(*)) / avg(week) AS error
FROM weeks JOIN ratios USING (weekday) GROUP BY weekday ORDER BY weekday
"""

SAME_WEEKDAY = """
WITH counts AS (
    SELECT customer, isodow(day) AS weekday, count(*) AS k FROM purchases GROUP BY ALL
),
each AS (
    SELECT customer, sum(k) AS n, sum(k * (k - 1)) / (sum(k) * (sum(k) - 1)) AS same
    FROM counts GROUP BY customer HAVING sum(k) >= 4
),
shares AS (
    SELECT weekday, sum(k / n) / (SELECT count(*) FROM each) AS p
    FROM counts JOIN each USING (customer) GROUP BY weekday
)
SELECT count(*), avg(same), stddev_samp(same) / sqrt(count(*)), (SELECT sum(p * p) FROM shares)
FROM each
"""

AFTER = """
WITH events AS (
    SELECT date_trunc('quarter', day) AS quarter, number,
           CASE WHEN number <= 3 THEN number WHEN number <= 5 THEN 4 WHEN number <= 10 THEN 6
                WHEN number <= 20 THEN 11 ELSE 21 END AS class,
           day IN (SELECT day FROM peak_days) AS peak,
           coalesce(next - day <= 90, FALSE)::INT AS back
    FROM purchases WHERE CAST($as_of AS DATE) - day >= 90
),
cells AS (
    SELECT quarter, class, number = 1 AS new,
           count(*) FILTER (peak) AS n, coalesce(sum(back) FILTER (peak), 0) AS back,
           count(*) FILTER (NOT peak) AS others,
           coalesce(sum(back) FILTER (NOT peak), 0) AS other_back
    FROM events GROUP BY ALL
    HAVING count(*) FILTER (peak) > 0 AND count(*) FILTER (NOT peak) > 0
)
SELECT new, sum(n) AS n, sum(back) / sum(n) AS share, sum(others) AS others_n,
       sum(n * other_back / others) / sum(n) AS others
FROM cells GROUP BY new HAVING sum(n) >= 20 ORDER BY new DESC
"""

HOURS = """
SELECT o.weekday, hour, n / of_days AS rate
FROM (SELECT isodow(day) AS weekday, hour, count(*) AS n FROM orders
      WHERE date_trunc('week', day)::DATE
            NOT IN (SELECT date_trunc('week', day)::DATE FROM peak_days)
      GROUP BY ALL) o
JOIN (SELECT weekday, count(*) AS of_days FROM days
      WHERE monday NOT IN (SELECT date_trunc('week', day)::DATE FROM peak_days)
      GROUP BY ALL) d USING (weekday)
ORDER BY o.weekday, hour
"""

SPAN = """
WITH weeks AS (
    SELECT date_trunc('week', day) AS week, count(*) AS whole,
           count(*) FILTER (hour >= $start AND hour < $end) AS part
    FROM orders
    WHERE date_trunc('week', day)::DATE NOT IN (SELECT date_trunc('week', day)::DATE FROM peak_days)
    GROUP BY week
)
SELECT sum(part) / sum(whole) AS share,
       stddev_samp(part - whole * (SELECT sum(part) / sum(whole) FROM weeks))
           * sqrt(count(*)) / sum(whole) AS error,
       count(*) AS weeks
FROM weeks
"""

MONTHS = """
SELECT date_trunc('month', day)::DATE AS month, count(*) AS days, sum(orders) AS orders,
       sum(orders) / count(*) AS orders_a_day, sum(revenue) / count(*) AS revenue_a_day
FROM days GROUP BY ALL HAVING count(*) = day(last_day(any_value(day))) ORDER BY month
"""


class Oracle:
    """The figures of one base.

    Parameters
    ----------
    raw : DataFrame
        The table above.
    as_of : date
    """

    def __init__(self, raw: pd.DataFrame, as_of: date) -> None:
        self.con = duckdb.connect()
        self.con.register("raw", raw)
        self.as_of = {"as_of": str(as_of)}
        for statement in _VIEWS.split(";\n"):
            if statement.strip():
                given = self.as_of if "$as_of" in statement else None
                self.con.execute(statement, given)
        self.con.execute(_USUAL)
        self.con.execute(_PEAKS)

    def peaks(self) -> pd.DataFrame:
        """first, last, days, orders, expected, revenue, customers, new."""
        return self.con.execute(PEAKS).df()

    def weekdays(self, value: str = "orders") -> pd.DataFrame:
        """weekday (1 is Monday), weeks, a_day, index, error."""
        return self.con.execute(WEEKDAYS.format(value=value)).df()

    def same_weekday(self) -> tuple[int, float, float, float]:
        """Customers, share found, its error, share by chance."""
        row = self.con.execute(SAME_WEEKDAY).fetchone()
        assert row is not None
        return row

    def after(self) -> pd.DataFrame:
        """new, n, share, others_n, others; new customers first."""
        return self.con.execute(AFTER, self.as_of).df()

    def hours(self) -> pd.DataFrame:
        """weekday, hour, rate (orders per such hour)."""
        return self.con.execute(HOURS).df()

    def span(self, start: int, end: int) -> tuple[float, float, int]:
        """Share of the orders between two hours, its error, weeks."""
        row = self.con.execute(SPAN, {"start": start, "end": end}).fetchone()
        assert row is not None
        return row

    def months(self) -> pd.DataFrame:
        """month, days, orders, orders_a_day, revenue_a_day of whole months."""
        return self.con.execute(MONTHS).df()
