"""Birthdays and anniversaries: whose comes next, which are none, and whether they sell."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_lib.data.base import Base
from retention_lib.data.prepared import from_prepared, prepare
from retention_lib.data.read import read_base
from retention_lib.params import Params
from retention_lib.report import timing_parts
from retention_lib.report.findings import peaks as findings
from retention_lib.report.language import Formats
from retention_lib.report.page import Page
from retention_lib.retention.birthday_effect import birthday_ratio, conditional_ratio
from retention_lib.retention.personal_days import (
    anniversaries,
    birthdays,
    coming,
    known_birthdays,
    placeholders,
)

END = dt.date(2024, 12, 31)


def base_of(folder: Path, lines: list[str], as_of: dt.date = END) -> Base:
    """Lines of customer, date, amount, birthday."""
    (folder / "orders.csv").write_text("\n".join(["who;date;amount;born", *lines]) + "\n")
    params = Params(
        client="born",
        currency="EUR",
        source=str(folder / "orders.csv"),
        as_of=as_of,
        columns={"customer": "who", "date": "date", "amount": "amount", "birthday": "born"},
        csv={"decimal": "."},
    )
    return read_base(params, folder)


# --- lists ---------------------------------------------------------------------------------------


def test_who_has_a_birthday_soon_and_how_old_they_turn(tmp_path: Path) -> None:
    lines = [
        "soon;2024-05-01;5.00;1980-01-15",
        "today;2024-05-01;5.00;1980-12-31",
        "tomorrow;2024-05-01;5.00;1990-01-01",
        "later;2024-05-01;5.00;1980-02-15",
        "child;2024-05-01;5.00;2020-01-10",
        "ancient;2024-05-01;5.00;1901-01-12",
        "blank;2024-05-01;5.00;",
    ]
    found = birthdays(base_of(tmp_path, lines), days=45)
    assert found.index.tolist() == ["tomorrow", "child", "ancient", "soon"]
    assert found["birthday"].dt.date.tolist() == [dt.date(2025, 1, d) for d in (1, 10, 12, 15)]
    assert found["turns"].tolist() == [35, pd.NA, pd.NA, 45]


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [(dt.date(2025, 2, 20), dt.date(2025, 2, 28)), (dt.date(2024, 2, 20), dt.date(2024, 2, 29))],
)
def test_a_leap_days_birthday_comes_every_year(
    tmp_path: Path, as_of: dt.date, expected: dt.date
) -> None:
    base = base_of(tmp_path, ["leap;2024-02-01;5.00;1984-02-29"], as_of)
    assert birthdays(base, 30)["birthday"].dt.date.tolist() == [expected]


def test_anniversaries_of_the_first_purchase(tmp_path: Path) -> None:
    lines = [
        "two;2023-01-20;5.00;",
        "two;2024-06-20;5.00;",
        "new;2024-12-30;5.00;",
        "leap;2020-02-29;5.00;",
    ]
    base = base_of(tmp_path, lines)
    found = anniversaries(base, 60)
    assert found.index.tolist() == ["two", "leap"]
    assert found["years"].tolist() == [2, 5]
    assert found["anniversary"].dt.date.tolist() == [dt.date(2025, 1, 20), dt.date(2025, 2, 28)]


@given(
    born=st.dates(dt.date(1920, 1, 1), dt.date(2010, 12, 31)),
    as_of=st.dates(dt.date(2011, 1, 1), dt.date(2050, 1, 1)),
    days=st.integers(1, 366),
)
def test_the_coming_day_is_the_next_such_day(born: dt.date, as_of: dt.date, days: int) -> None:
    found = coming(pd.Series([pd.Timestamp(born)]), as_of, days)[0]
    every = [as_of + dt.timedelta(days=n) for n in range(1, days + 1)]

    def same(day: dt.date) -> bool:
        if (born.month, born.day) == (2, 29) and (day + dt.timedelta(days=1)).day == 1:
            return day.month == 2
        return (day.month, day.day) == (born.month, born.day)

    expected = next((day for day in every if same(day)), None)
    assert (None if pd.isna(found) else found.date()) == expected


@pytest.mark.parametrize("days", [0, 367, -3])
def test_a_year_is_the_most(tmp_path: Path, days: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 366"):
        anniversaries(base_of(tmp_path, ["a;2023-01-20;5.00;"]), days)


def test_without_birthdays_the_list_is_empty_and_the_section_away(tmp_path: Path) -> None:
    base = base_of(tmp_path, ["a;2024-01-20;5.00;1980-01-02"])
    params = base.params.model_copy(
        update={"columns": base.params.columns.model_copy(update={"birthday": None})}
    )
    without = read_base(params, tmp_path)
    assert known_birthdays(without) is None
    assert birthdays(without).empty
    shown = timing_parts.sections(without, Page(Formats("en", "EUR")))
    assert not any("irthday" in str(part) for part in shown[1:])


# --- what is no birthday -------------------------------------------------------------------------


def test_every_birthday_is_counted_once(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    lines = []
    for i in range(400):
        born = dt.date(1950, 1, 1) + dt.timedelta(days=int(rng.integers(0, 18_000)))
        lines.append(f"c{i};2024-05-01;5.00;{born}")
    lines += [f"p{i};2024-05-01;5.00;1900-01-01" for i in range(30)]
    lines += [f"j{i};2024-05-01;5.00;{1950 + i}-01-01" for i in range(40)]
    lines += ["none;2024-05-01;5.00;", "odd;2024-05-01;5.00;unknown"]
    lines += ["two;2024-05-01;5.00;1980-05-05", "two;2024-06-01;5.00;1981-05-05"]
    lines += ["unborn;2024-05-01;5.00;2024-08-01"]
    found = known_birthdays(base_of(tmp_path, lines))
    assert found is not None
    jan = sum(line.endswith("-01-01") and line.startswith("c") for line in lines)
    assert (found.customers, found.missing, found.several) == (474, 2, 1)
    assert (found.impossible, found.placeholder) == (1, 70 + jan)
    counts = findings.birthday_counts(found)
    assert counts["customers"].sum() == found.customers


@given(st.integers(0, 10_000))
def test_ordinary_birthdays_are_no_heap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days = rng.integers(0, 20_000, int(rng.integers(1, 3_000)))
    born = pd.Series(pd.Timestamp("1950-01-02") + pd.to_timedelta(days, unit="D"))
    assert placeholders(born).sum() <= 3


def test_a_year_that_many_share_is_no_age(tmp_path: Path) -> None:
    """Shops that ask for day and month only keep them in one year."""
    lines = [f"c{i};2024-05-01;5.00;2000-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(84)]
    found = birthdays(base_of(tmp_path, lines), 366)
    assert len(found) == 84
    assert found["turns"].isna().all()


def test_a_run_hands_birthdays_and_hours_over(tmp_path: Path) -> None:
    base = base_of(tmp_path, ["a;2024-05-01 10:30:00;5.00;1980-01-15"])
    prepare(base, tmp_path / "run")

    def read() -> Base:
        raise AssertionError("the source was read again")

    handed = from_prepared(base.params, tmp_path / "run", read)
    assert handed is not None
    assert birthdays(handed).equals(birthdays(base))
    assert handed.orders().to_pyarrow()["second"].to_pylist() == [37_800]


# --- do they sell? -------------------------------------------------------------------------------


def shop(folder: Path, lift: float, seed: int = 5, customers: int = 900) -> Base:
    """Customers who buy `lift` times as often within two weeks of their birthday."""
    rng = np.random.default_rng(seed)
    lines = []
    for who in range(customers):
        born = dt.date(1950, 1, 1) + dt.timedelta(days=int(rng.integers(0, 20_000)))
        first = dt.date(2022, 1, 1) + dt.timedelta(days=int(rng.integers(0, 700)))
        lines.append(f"c{who};{first};10.00;{born}")
        n = (END - first).days
        for ahead in rng.integers(1, n, rng.poisson(n * 0.03)):
            day = first + dt.timedelta(days=int(ahead))
            near = min(
                abs((day - dt.date(year, born.month, min(born.day, 28))).days)
                for year in (day.year - 1, day.year, day.year + 1)
            )
            if rng.random() < (lift if near <= 14 else 1.0) / max(lift, 1.0):
                lines.append(f"c{who};{day};10.00;{born}")
    return base_of(folder, lines)


@pytest.mark.parametrize(
    ("lift", "says"), [(1.5, "buy more"), (1.0, "about as often"), (0.5, "buy less")]
)
def test_what_was_put_in_comes_out(tmp_path: Path, lift: float, says: str) -> None:
    base = shop(tmp_path, lift)
    born = known_birthdays(base)
    assert born is not None
    found = birthday_ratio(base, born)
    assert found.low is not None
    assert found.high is not None
    assert found.low < lift < found.high
    assert found.high / found.low < 1.35
    shown = [str(part) for part in timing_parts.sections(base, Page(Formats("en", "EUR")))]
    assert sum(says in part for part in shown) == 1


SQL = """
WITH buys AS (SELECT DISTINCT who, date::DATE AS day, born::DATE AS born FROM lines),
people AS (SELECT who, born, min(day) AS first FROM buys GROUP BY ALL),
watched AS (
    SELECT who, born, unnest(generate_series(first + 29, DATE '2024-12-31', INTERVAL 1 DAY))::DATE
               AS day
    FROM people
),
placed AS (   -- in the leap year 2000, so that every birthday has a place
    SELECT who, day, abs(dayofyear(make_date(2000, month(day), day(day)))
                         - dayofyear(make_date(2000, month(born), day(born)))) AS apart
    FROM watched
),
marked AS (SELECT who, day, apart <= 14 OR apart >= 352 AS near FROM placed)
SELECT m.who, count(b.day) AS of_all, count(b.day) FILTER (near) AS hits,
       count(*) FILTER (near) AS near, count(*) FILTER (NOT near) AS rest
FROM marked m LEFT JOIN buys b ON b.who = m.who AND b.day = m.day
GROUP BY m.who
"""


def test_the_ratio_is_that_of_days_counted_in_sql(tmp_path: Path) -> None:
    base = shop(tmp_path, 1.3, customers=300)
    born = known_birthdays(base)
    assert born is not None
    assert len(born.known) == 300
    lines = pd.read_csv(tmp_path / "orders.csv", sep=";")
    with duckdb.connect() as con:
        con.register("lines", lines)
        frame = con.execute(SQL).df()
    found = birthday_ratio(base, born)
    kept = frame[(frame["of_all"] > 0) & (frame["near"] > 0) & (frame["rest"] > 0)]
    assert found.n == len(kept)
    assert found.value is not None
    # the ratio is where as many are expected around birthdays as there are
    odds = found.value * kept["near"] / kept["rest"]
    assert (kept["of_all"] * odds / (1 + odds)).sum() == pytest.approx(kept["hits"].sum())


def test_alike_customers_have_the_plain_ratio_of_rates() -> None:
    hits, of_all = np.array([4.0, 2.0, 3.0]), np.array([10.0, 12.0, 8.0])
    log_ratio, error = conditional_ratio(hits, of_all, np.full(3, 29.0), np.full(3, 336.0))
    assert math.exp(log_ratio) == pytest.approx((9 / 29) / (21 / 336))
    assert error > 0


def test_a_few_purchases_tell_nothing(tmp_path: Path) -> None:
    base = base_of(tmp_path, ["a;2024-01-20;5.00;1980-03-02", "a;2024-03-02;5.00;1980-03-02"])
    born = known_birthdays(base)
    assert born is not None
    assert birthday_ratio(base, born).value is None
    shown = [str(part) for part in timing_parts.sections(base, Page(Formats("en", "EUR")))]
    assert any("can't be told yet" in part for part in shown)
