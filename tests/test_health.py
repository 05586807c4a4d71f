"""Each concern shows where there is reason for it, with its figure, and stays silent elsewhere."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from retention_lib.data.base import Base, read_base
from retention_lib.data.health import Concern, concerns
from retention_lib.params import Params

TODAY = dt.date(2026, 6, 1)
Row = tuple[str, dt.date, float]


def base_of(rows: Iterable[Row], currencies: list[str] | None = None, **given: object) -> Base:
    """A base from (customer, day, amount), a currency a row where given."""
    columns = {"customer": "c", "date": "d", "amount": "a"}
    lines = [[c, d.isoformat(), f"{a}"] for c, d, a in rows]
    if currencies is not None:
        columns["currency"] = "v"
        lines = [[*line, code] for line, code in zip(lines, currencies, strict=True)]
    header = [*columns.values()]
    with tempfile.TemporaryDirectory() as folder:
        text = "\n".join(",".join(line) for line in [header, *lines])
        (Path(folder) / "o.csv").write_text(text)
        params = Params(
            **{"client": "acme", "currency": "NOK", "source": "o.csv", **given}, columns=columns
        )
        return read_base(params, Path(folder))


def shop(
    start: dt.date, days: int, a_day: int = 25, skip: frozenset[int] = frozenset()
) -> list[Row]:
    """A healthy shop: so many orders every day by a few hundred customers, each amount its own."""
    return [
        (f"c{(7 * day + n * 13) % 400}", start + dt.timedelta(days=day), 10 + day % 50 + n / 100)
        for day in range(days)
        if day not in skip
        for n in range(a_day)
    ]


YEAR = shop(dt.date(2025, 1, 1), 365)


def kinds(base: Base, today: dt.date = TODAY) -> list[str]:
    return [concern.kind for concern in concerns(base, today=today)]


def only(base: Base, kind: str) -> Concern:
    (found,) = [c for c in concerns(base, today=TODAY) if c.kind == kind]
    return found


def test_a_healthy_year_calls_for_no_care() -> None:
    assert concerns(base_of(YEAR), today=TODAY) == []


def test_days_that_are_yet_to_come_are_told() -> None:
    base = base_of([*YEAR, ("c1", dt.date(2062, 1, 1), 5.0)])
    found = only(base, "future")
    assert found.key == "as_of"
    assert "2062-01-01" in found.sentence
    assert "1 rows lie after today" in found.sentence


def test_a_placeholder_is_named_with_its_share() -> None:
    base = base_of([*YEAR, *(("(blank)", row[1], 5.0) for row in YEAR[:365])])
    found = only(base, "placeholder")
    assert "(blank)" in found.sentence
    assert found.key == "guest_ids"
    hidden = concerns(base, named=lambda _: "C-X", today=TODAY)[0]
    assert "(blank)" not in hidden.sentence


def test_one_customer_with_a_fifth_of_revenue_is_told() -> None:
    revenue = sum(row[2] for row in YEAR)
    assert "extreme_customer" not in kinds(base_of([*YEAR, ("big", YEAR[9][1], 0.2 * revenue)]))
    found = only(base_of([*YEAR, ("big", YEAR[9][1], 0.3 * revenue)]), "extreme_customer")
    assert "big, has 23.1% of all revenue" in found.sentence


def test_a_last_day_cut_in_the_middle_is_told() -> None:
    cut = YEAR[:-20]  # five orders left of the last day's twenty-five
    found = only(base_of(cut), "half_day")
    assert "2025-12-31, has 5 orders where the same weekday usually has 25" in found.sentence
    assert "half_day" not in kinds(base_of(YEAR[:-10]))
    # whoever set the day knows it
    assert "half_day" not in kinds(base_of(cut, as_of=dt.date(2025, 12, 31)))


def test_a_last_month_that_is_missing_most_of_its_orders_is_told() -> None:
    few = [row for row in YEAR if row[1].month < 12 or row[1].day < 8]
    month = base_of(few, as_of=dt.date(2025, 12, 31))
    assert "175 orders where the three before had 758 each" in only(month, "half_month").sentence
    assert "half_month" not in kinds(base_of(few))  # it isn't over, and drawn as such


def test_a_silence_out_of_the_ordinary_is_told() -> None:
    base = base_of(shop(dt.date(2025, 1, 1), 365, skip=frozenset(range(100, 120))))
    assert "from 2025-04-11 to 2025-04-30, 20 days in a row" in only(base, "gap").sentence


def test_a_shop_that_sells_once_a_week_has_no_gap() -> None:
    weekly = frozenset(day for day in range(365) if day % 7)
    assert "gap" not in kinds(base_of(shop(dt.date(2025, 1, 1), 365, a_day=60, skip=weekly)))


def test_equal_rows_are_told_unless_they_are_dropped() -> None:
    twice = [*YEAR, *YEAR[:500]]
    found = only(base_of(twice), "duplicates")
    assert (found.sentence.values["n"], found.key) == (500, "deduplicate")
    assert "duplicates" not in kinds(base_of(twice, deduplicate="exact"))


@pytest.mark.parametrize(("back", "many"), [(0.05, False), (0.5, True)])
def test_returns_are_told_with_what_was_sold(back: float, many: bool) -> None:
    gone = [(c, day + dt.timedelta(days=0), -amount) for c, day, amount in YEAR]
    gone = gone[: int(back * len(gone))]
    found = only(base_of([*YEAR, *gone]), "returns")
    assert ("more than returns usually are" in found.sentence) is many
    assert found.key == "returns"
    assert "returns" not in kinds(base_of([*YEAR, *gone], returns="drop"))


def test_zero_amounts_and_customers_without_a_purchase_are_told_apart() -> None:
    base = base_of([*YEAR, ("free", YEAR[0][1], 0.0), ("c7", YEAR[0][1], 0.0)])
    assert only(base, "zero_amounts").sentence.values["n"] == 2
    assert only(base, "no_purchase").sentence.values["n"] == 1


def test_a_mix_of_currencies_is_told_by_share() -> None:
    codes = ["SEK" if n % 4 == 0 else "NOK" for n in range(len(YEAR))]
    codes[1] = ""
    found = concerns(base_of(YEAR, codes, fx={"SEK": 1.02}), today=TODAY)
    assert "25.0% of the rows are in SEK" in found[0].sentence
    assert "1 rows name no currency; they are taken as NOK" in found[1].sentence
    assert [c.key for c in found] == ["fx", "columns"]


def test_too_little_history_is_told() -> None:
    short = base_of(shop(dt.date(2025, 1, 1), 150))
    assert "covers 4 months" in only(short, "short_history").sentence
    once = [(f"n{n}", dt.date(2025, 1 + n % 12, 1 + n % 28), 5.0 + n) for n in range(300)]
    found = only(base_of([*once, ("n1", dt.date(2025, 12, 30), 3.0)]), "few_repeat_buyers")
    assert found.sentence.startswith("1 customers have bought more than once")
