"""Each concern shows where there is reason for it, with its figure, and stays silent elsewhere."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from kept import kept_folder

from retention_lib.data.base import Base
from retention_lib.data.health import Concern, concerns
from retention_lib.data.read import read_base
from retention_lib.params import Params

TODAY = dt.date(2026, 6, 1)
Row = tuple[str, dt.date, float]


def base_of(
    rows: Iterable[Sequence[object]], more: Mapping[str, str] | None = None, **given: object
) -> Base:
    """A base from (customer, day, amount), and what `more` names: field to column."""
    columns = {"customer": "c", "date": "d", "amount": "a", **(more or {})}
    with kept_folder() as (folder, keep):
        lines = [",".join(map(str, line)) for line in [(*columns.values(),), *rows]]
        (folder / "o.csv").write_text("\n".join(lines))
        params = Params(
            **{"client": "acme", "currency": "NOK", "source": "o.csv", **given}, columns=columns
        )
        return keep(read_base(params, folder, TODAY))


def shop(
    start: dt.date, days: int, a_day: int = 25, skip: frozenset[int] = frozenset()
) -> list[Row]:
    """A healthy shop: so many orders every day, one in five by somebody new, no amount twice."""

    def customer(day: int, n: int) -> str:
        if n % 5 == 0 or not day:
            return f"c{day}-{n}"
        return f"c{day - 1 - (n + 13 * day) % min(90, day)}-{n // 5 * 5}"

    return [
        (customer(day, n), start + dt.timedelta(days=day), 10 + day % 50 + n / 100)
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


def test_days_that_are_yet_to_come_are_left_out_and_told() -> None:
    base = base_of([*YEAR, ("c1", dt.date(2062, 1, 1), 5.0)])
    assert base.as_of == dt.date(2025, 12, 31)
    assert base.left_out.to_dict("records") == [{"cause": "in_future", "rows": 1, "amount": 5.0}]
    found = only(base, "future")
    assert found.key == "as_of"
    assert found.sentence.startswith("One row is dated after today")


def test_days_that_are_yet_to_come_are_let_in_by_name_and_told() -> None:
    last = dt.date(2062, 1, 1)
    base = base_of([*YEAR, ("c1", last, 5.0)], as_of=last)
    assert base.as_of == last
    found = only(base, "future")
    assert found.key == "as_of"
    assert "2062-01-01" in found.sentence
    assert "one row lies after today" in found.sentence


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
    base = base_of([*YEAR, ("free", YEAR[0][1], 0.0), ("c0-0", YEAR[0][1], 0.0)])
    found = only(base, "zero_amounts")
    # a gift beside what was paid for changes nothing
    assert found.key == "free_orders"
    assert found.sentence.startswith("2 rows, ")
    assert found.sentence.endswith(
        "One day of a customer consists of nothing else and is no purchase."
    )
    assert only(base, "no_purchase").sentence.values["n"] == 1


def test_what_is_free_counts_where_the_client_file_says_so() -> None:
    base = base_of([*YEAR, ("free", YEAR[0][1], 0.0)], free_orders=True)
    assert "counts as a purchase, as the client file says" in only(base, "zero_amounts").sentence
    assert "no_purchase" not in kinds(base)


def test_gifts_beside_what_was_paid_for_ask_for_nothing() -> None:
    found = only(base_of([*YEAR, ("c0-0", YEAR[0][1], 0.0)]), "zero_amounts")
    assert found.key is None
    assert "changes no count of purchases" in found.sentence


def test_a_mix_of_currencies_is_told_by_share() -> None:
    codes = ["SEK" if n % 4 == 0 else "NOK" for n in range(len(YEAR))]
    codes[1] = ""
    rows = [(*row, code) for row, code in zip(YEAR, codes, strict=True)]
    found = concerns(base_of(rows, {"currency": "v"}, fx={"SEK": 1.02}), today=TODAY)
    assert "25.0% of the rows are in SEK" in found[0].sentence
    assert found[1].sentence == "One row names no currency; it is taken as NOK."
    assert [c.key for c in found] == ["fx", "columns"]


def test_too_little_history_is_told() -> None:
    short = base_of(shop(dt.date(2025, 1, 1), 150))
    assert "covers 4 months" in only(short, "short_history").sentence
    once = [(f"n{n}", dt.date(2025, 1 + n % 12, 1 + n % 28), 5.0 + n) for n in range(300)]
    found = only(base_of([*once, ("n1", dt.date(2025, 12, 30), 3.0)]), "few_repeat_buyers")
    assert found.sentence.startswith("One customer has bought more than once")


def test_one_day_is_no_history() -> None:
    found = only(base_of([row for row in YEAR if row[1] == YEAR[0][1]]), "short_history")
    assert (found.key, "All orders are of one day, 2025-01-01" in found.sentence) == (
        "columns",
        True,
    )


@pytest.mark.parametrize(
    ("as_of", "told"),
    [
        (None, ["duplicates", "zero_amounts", "no_purchase"]),
        (dt.date(1997, 9, 30), ["duplicates", "zero_amounts", "no_purchase", "short_history"]),
    ],
)
def test_a_public_log_calls_for_no_more_than_is_true(
    as_of: dt.date | None, told: list[str]
) -> None:
    """CDNOW's customers were all won in its first three months: they were new."""
    given = {"client": "cdnow", "currency": "USD", "source": "builtin:cdnow"}
    assert kinds(read_base(Params(**given, as_of=as_of), Path())) == told


# --- a log that starts after its customers did ---------------------------------------------------


def bought(dice: random.Random, born: Iterable[float], stays: float) -> Iterator[Row]:
    """What customers buy: each at a pace of its own from its first day, until it leaves."""
    for n, first in enumerate(born):
        day, pace = first, dice.gammavariate(0.6, 1 / 30)
        while day < 720:
            if day >= 0:
                yield (f"c{n}", dt.date(2024, 1, 1) + dt.timedelta(days=int(day)), 10 + n % 90)
            if dice.random() > stays:
                break
            day += dice.expovariate(max(pace, 1e-4))


def told_of_a_late_start(born: Iterable[float], seed: int, stays: float = 0.85) -> bool:
    return "late_start" in kinds(base_of(bought(random.Random(seed), born, stays)))


SEEDS = range(2)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("stays", [0.7, 0.9])
def test_a_new_shop_isnt_taken_for_an_old_one(seed: int, stays: float) -> None:
    steady = (720 * n / 1_500 for n in range(1_500))
    assert not told_of_a_late_start(steady, seed, stays)
    growing = (720 * (n / 1_500) ** 0.5 for n in range(1_500))
    assert not told_of_a_late_start(growing, seed, stays)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rush", [300, 900])
def test_a_shop_that_opens_with_a_rush_isnt_taken_for_an_old_one(seed: int, rush: int) -> None:
    opening = [30 * n / rush for n in range(rush)]
    assert not told_of_a_late_start([*opening, *(720 * n / 1_500 for n in range(1_500))], seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_customers_of_one_campaign_arent_taken_for_old_ones(seed: int) -> None:
    assert not told_of_a_late_start([90 * n / 900 for n in range(900)], seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_old_shops_customers_are_no_new_ones(seed: int) -> None:
    # of five years only the last two are in the log
    born = [-1_100 + 1_820 * n / 3_000 for n in range(3_000)]
    assert told_of_a_late_start(born, seed, stays=0.97)


def test_the_same_customers_all_along_are_told_with_their_figures() -> None:
    panel = [
        (f"p{n}", dt.date(2025, 1, 1) + dt.timedelta(days=7 * week + n % 7), 10 + n)
        for n in range(140)
        for week in range(52)
    ]
    found = only(base_of(panel), "late_start")
    assert "100.0% of the customers are first seen in the first 30 days, later 0" in found.sentence
    assert "(140 then, 140 later)" in found.sentence
    assert found.key == "source"
    assert only(base_of(panel, start=dt.date(2025, 2, 1)), "late_start").key == "start"


# --- what exports do to amounts, days and ids ----------------------------------------------------


def with_lines(amount: Callable[[float, int], object]) -> list[tuple[object, ...]]:
    """The healthy year with an order id and three lines an order: customer, day, amount, …"""
    return [
        (customer, day, amount(paid, line), f"o{n}", f"product {line}")
        for n, (customer, day, paid) in enumerate(YEAR)
        for line in range(3)
    ]


LINES = {"order": "o", "product": "p"}


def test_an_orders_total_on_each_of_its_rows_is_told() -> None:
    found = only(base_of(with_lines(lambda paid, _: paid), LINES), "repeated_totals")
    assert "100.0% have one amount on all of them" in found.sentence
    assert found.sentence.values["n"] >= 500
    assert "counted 3.0 times on average" in found.sentence
    assert found.key == "columns, deduplicate"
    assert concerns(base_of(with_lines(lambda paid, line: paid + line), LINES), today=TODAY) == []


def test_without_the_product_such_rows_are_copies_and_told_as_such() -> None:
    rows = [row[:4] for row in with_lines(lambda paid, _: paid)]
    found = only(base_of(rows, {"order": "o"}), "duplicates")
    assert "If the amount is the order's, standing on each of its rows, drop the copies" in (
        found.sentence
    )
    once = base_of(rows, {"order": "o"}, deduplicate="exact")
    assert concerns(once, today=TODAY) == []
    assert once.days.amount.sum().execute() == base_of(YEAR).days.amount.sum().execute()


def test_amounts_in_hundredths_are_asked_about() -> None:
    in_oere = [(c, day, round(1_000 * paid)) for c, day, paid in YEAR]
    found = only(base_of(in_oere), "minor_units")
    assert "no amount has decimals: are they øre?" in found.sentence
    # in kroner with their øre, in a currency without, or of a size that orders have
    assert "minor_units" not in kinds(base_of([(c, d, f"{a}.50") for c, d, a in in_oere]))
    assert "minor_units" not in kinds(base_of(in_oere, currency="HUF"))
    assert "minor_units" not in kinds(base_of([(c, d, a // 10) for c, d, a in in_oere]))


def test_months_in_the_place_of_days_are_told() -> None:
    firsts = [(c, day.replace(day=1), a) for c, day, a in YEAR]
    found = only(base_of(firsts), "months_for_days")
    assert "the first of a month" in found.sentence
    lasts = [(c, day - dt.timedelta(days=1), a) for c, day, a in firsts]
    assert "the last of a month" in only(base_of(lasts), "months_for_days").sentence


def test_customers_of_whom_nobody_returns_are_asked_about() -> None:
    found = only(base_of((f"o{n}", day, a) for n, (_, day, a) in enumerate(YEAR)), "nobody_twice")
    assert "None of the 9,125 customers has bought twice" in found.sentence
    assert found.key == "columns"


def test_addresses_of_the_clients_own_are_counted_and_not_shown() -> None:
    day = YEAR[0][1]
    own = [("kari@nordlys.no", day, 100.0), ("ola@post.nordlys.no", day, 50.0)]
    others = [("per@nordlysfan.no", day, 5.0), ("kari@gmail.com", day, 5.0)]
    base = base_of([*YEAR, *own, *others], client="nordlys", title="Nordlys AS")
    found = [c for c in concerns(base, today=TODAY) if c.kind == "internal"]
    assert [c.sentence.values["domain"] for c in found] == ["nordlys.no", "post.nordlys.no"]
    assert "One customer has an address at nordlys.no" in found[0].sentence
    assert "spent 100.00" in found[0].sentence
    assert not any("kari" in c.sentence for c in found)
    assert "internal" not in kinds(base_of([*YEAR, *own, *others], client="acme"))


def test_damaged_ids_are_told_with_an_example() -> None:
    day = YEAR[0][1]
    rows = [*YEAR, ("0071", day, 1), ("71", day, 1), ("Anna", day, 1), ("anna", day, 1)]
    base = base_of([*rows, ("1.23457E+12", day, 1)])
    assert 'such as "71" and "0071"' in only(base, "ids_zeros").sentence
    assert "upper and lower case only" in only(base, "ids_case").sentence
    assert "shortened by a spreadsheet" in only(base, "ids_shortened").sentence
    hidden = [c for c in concerns(base, lambda _: "C-X", TODAY) if c.kind.startswith("ids_")]
    assert len(hidden) == 3
    assert not any("71" in c.sentence or "nna" in c.sentence for c in hidden)


# --- rows that are left out ----------------------------------------------------------------------


def test_many_rows_that_cant_be_read_come_first() -> None:
    bad = [(c, "31/31/2025", a) for c, _, a in YEAR[:800]]
    first = concerns(base_of([*YEAR, *bad]), today=TODAY)[0]
    assert (first.kind, first.key) == ("unreadable", "csv")
    assert "800 rows, 8.1%" in first.sentence
    assert "unreadable" not in kinds(base_of([*YEAR, *bad[:300]]))


def test_what_nobody_in_particular_bought_is_told_with_its_revenue() -> None:
    nobodys = [("", day, 2 * a) for _, day, a in YEAR[::5]]
    found = only(base_of([*YEAR, *nobodys]), "anonymous")
    theirs, others = (sum(float(row[2]) for row in rows) for rows in (nobodys, YEAR))
    share = f"{theirs / (theirs + others):.1%}"
    assert f"1,825 rows, 16.7% with {share} of the revenue, name no customer" in found.sentence
    assert found.key is None
    guests = [("guest", *row[1:]) for row in nobodys]
    assert only(base_of([*YEAR, *guests], guest_ids=["guest"]), "anonymous").key == "guest_ids"


def test_a_line_of_totals_is_no_revenue() -> None:
    total = ("Sum", "", round(sum(row[2] for row in YEAR), 2))
    base = base_of([*YEAR, total])
    assert "is likely a line of totals" in only(base, "totals_line").sentence
    assert "totals_line" not in kinds(base_of([*YEAR, ("Sum", "", 0.8 * total[2])]))
