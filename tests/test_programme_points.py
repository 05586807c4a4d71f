"""Points: matched as a queue would, followed by age to a known end, counted as SQL counts them."""

from __future__ import annotations

import datetime as dt
from collections import deque

import duckdb
import made_up_programme as made
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_lib.data.periods import Window
from retention_lib.loyalty.programme_ledger import Ledger, ledger
from retention_lib.loyalty.programme_points import EXPIRED, OPEN, REDEEMED, first_in_first_out
from retention_lib.loyalty.programme_redemption import Redemption, redemption

END = dt.date(2024, 12, 31)
YEAR = Window(dt.date(2024, 1, 1), END)
FIRST = pd.Timestamp("2024-01-01")


def entries(rows: list[tuple[str, int, float, float, float]]) -> pd.DataFrame:
    names = ["customer", "day", "earned", "redeemed", "expired"]
    frame = pd.DataFrame(rows, columns=names)
    days = FIRST + pd.to_timedelta(frame["day"].astype(int), "D")
    return frame.assign(date=days, cost=0.0).drop(columns="day")


def queue(frame: pd.DataFrame) -> dict[tuple[str, int, int, int], float]:
    """Points by customer, day earned, days of age and outcome, by a queue for each customer."""
    out: dict[tuple[str, int, int, int], float] = {}
    end = (pd.Timestamp(END) - FIRST).days
    for who, part in frame.groupby("customer"):
        waiting: deque[list[float]] = deque()
        owed: deque[list[float]] = deque()
        told = part.assign(day=(part["date"] - FIRST).dt.days).groupby("day")
        for day, rows in told:
            sums = rows[["earned", "redeemed", "expired"]].sum()
            if sums["earned"]:
                waiting.append([day, sums["earned"]])
            for kind, name in ((REDEEMED, "redeemed"), (EXPIRED, "expired")):
                if sums[name]:
                    owed.append([day, sums[name], kind])
            while waiting and owed:
                some = min(waiting[0][1], owed[0][1])
                age = max(int(owed[0][0] - waiting[0][0]), 0)
                key = (str(who), int(waiting[0][0]), age, int(owed[0][2]))
                out[key] = out.get(key, 0.0) + some
                for line in (waiting, owed):
                    line[0][1] -= some
                    if not line[0][1]:
                        line.popleft()
        for day, left in waiting:
            key = (str(who), int(day), end - int(day), OPEN)
            out[key] = out.get(key, 0.0) + left
    return out


amounts = st.integers(0, 5).map(float)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 20), amounts, amounts, amounts),
        max_size=25,
    )
)
def test_points_are_used_as_a_queue_uses_them(
    rows: list[tuple[str, int, float, float, float]],
) -> None:
    frame = entries(rows)
    found = first_in_first_out(frame, END)
    names = sorted(frame["customer"].unique())
    start = np.datetime64("2024-01-01").astype("datetime64[D]").astype(int)
    got: dict[tuple[str, int, int, int], float] = {}
    lots = zip(found.customer, found.earned, found.age, found.outcome, found.amount, strict=True)
    for who, earned, age, outcome, amount in lots:
        key = (names[who], int(earned - start), int(age), int(outcome))
        got[key] = got.get(key, 0.0) + float(amount)
    expected = queue(frame)
    assert got.keys() == expected.keys()
    assert all(got[key] == pytest.approx(expected[key]) for key in got)
    earned, used = frame["earned"].sum(), frame[["redeemed", "expired"]].to_numpy().sum()
    assert found.amount.sum() == pytest.approx(earned)
    matched = found.amount[found.outcome != OPEN].sum()
    assert matched + found.overdrawn == pytest.approx(used)


@pytest.fixture(scope="module")
def shop() -> made.Shop:
    return made.shop(customers=1500, uplift=0.1, seed=4)


def opened(frame: pd.DataFrame, members: list[str] | None = None) -> Ledger:
    table = made.data_set("ledger", frame).table
    who = frame["customer"].unique().tolist() if members is None else members
    return ledger(table, who, YEAR, END)


def test_the_ledger_is_what_sql_adds_up(shop: made.Shop) -> None:
    found, entries_ = opened(shop.ledger), shop.ledger
    con = duckdb.connect()
    con.register("entries", entries_)
    months = con.sql(
        "select date_trunc('month', date) m, sum(earned), sum(redeemed), sum(expired), sum(cost),"
        " sum(sum(earned - redeemed - expired)) over (order by date_trunc('month', date))"
        " from entries group by 1 order by 1"
    ).fetchall()
    names = ["earned", "redeemed", "expired", "cost", "outstanding"]
    assert len(found.months) == len(months)
    for row, expected in zip(found.months[names].to_numpy(), months, strict=True):
        assert row == pytest.approx(expected[1:])
    period = con.sql(
        "select sum(earned), sum(redeemed), sum(expired), sum(cost) from entries"
        " where date between '2024-01-01' and '2024-12-31'"
    ).fetchall()[0]
    assert [found.period[n] for n in names[:4]] == pytest.approx(period)
    ever = con.sql(
        "select sum(redeemed) / sum(earned), avg((r > 0)::int) from (select sum(earned) earned,"
        " sum(redeemed) redeemed, sum(redeemed) r from entries group by customer) where earned > 0"
    ).fetchall()[0]
    assert found.redemption_rate.value == pytest.approx(ever[0])
    assert found.ever_redeemed.value == pytest.approx(ever[1])
    assert found.outstanding == pytest.approx(found.months["outstanding"].iloc[-1])


def test_a_month_without_an_entry_has_its_balance_all_the_same() -> None:
    found = opened(entries([("a", 0, 10, 0, 0), ("a", 100, 0, 4, 0)]))
    months = found.months.set_index("month")
    assert months.loc["2024-02-01", "earned"] == 0
    assert months.loc["2024-02-01", "outstanding"] == 10
    assert months["outstanding"].iloc[-1] == 6
    assert len(months) == 12


def test_a_balance_below_zero_is_told() -> None:
    found = opened(entries([("a", 0, 10, 0, 0), ("a", 9, 0, 25, 0), ("b", 3, 5, 0, 0)]), ["a"])
    assert found.outstanding == -10
    assert (found.below_zero, found.missing, found.not_members) == (1, 15, 1)


def test_uses_written_as_negative_figures_are_read_as_uses() -> None:
    found = opened(entries([("a", 0, 10, 0, 0), ("a", 9, 0, -4, 0)]))
    assert found.turned == ("redeemed",)
    assert found.outstanding == 6


def process(n: int, months: int, seed: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    earned = np.floor(rng.gamma(1.0, 20.0, (n, months)) * (rng.random((n, months)) < 0.6))
    chance = rng.beta(2, 14, (n, 1))
    return (earned, *made.used_oldest_first(earned, chance, rng))


def simulated(n: int, seed: int, months: int = 24) -> pd.DataFrame:
    """A ledger of a programme that runs on: its points of the last year aren't finished."""
    earned, redeemed, expired, _ = process(n, months, seed)
    who, month = np.nonzero(earned + redeemed + expired)
    first = pd.Period("2024-12", "M") - months + 1
    begun = pd.PeriodIndex.from_ordinals(first.ordinal + month, freq="M")
    names = np.char.add("c", np.char.zfill(who.astype(str), 4))
    zero = np.zeros(len(who))
    got = pd.DataFrame({"customer": names, "date": begun.to_timestamp()})
    used = got.assign(date=begun.to_timestamp(how="end").normalize())
    got = got.assign(earned=earned[who, month], redeemed=zero, expired=zero, cost=zero)
    used = used.assign(
        earned=zero, redeemed=redeemed[who, month], expired=expired[who, month], cost=zero
    )
    return pd.concat([got, used], ignore_index=True)


@pytest.fixture(scope="module")
def truth() -> float:
    """Share redeemed in the end, of points that have all had their time."""
    earned, _, _, redeemed_of = process(20_000, 40, 0)
    return float(redeemed_of[:, :26].sum() / earned[:, :26].sum())


def followed(frame: pd.DataFrame) -> Redemption | None:
    return redemption(first_in_first_out(frame, END), END)


def test_young_points_are_not_read_as_lost(truth: float) -> None:
    frame = simulated(1500, 1)
    found = followed(frame)
    assert found is not None
    end = found.redeemed_in_the_end
    assert end.low is not None
    assert end.high is not None
    assert end.low < truth < end.high
    assert end.high - end.low < 0.06
    so_far = frame["redeemed"].sum() / frame["earned"].sum()
    assert so_far < truth - 0.10
    assert found.breakage.value == pytest.approx(1 - end.value)
    assert not found.cohorts["complete"].iloc[-1]
    assert found.cohorts["complete"].iloc[0]


def test_where_all_points_have_ended_it_is_the_plain_share() -> None:
    frame = simulated(300, 2)
    last = frame["date"] < "2023-12-01"
    # nothing more is earned; a year on all has ended
    frame = frame[(frame["earned"] == 0) | last]
    points = first_in_first_out(frame, END)
    ended = points.outcome != OPEN
    assert ended.all()
    found = redemption(points, END)
    assert found is not None
    plain = points.amount[points.outcome == REDEEMED].sum() / points.amount.sum()
    assert found.redeemed_in_the_end.value == pytest.approx(plain, abs=1e-9)
    assert found.undecided == pytest.approx(0.0)
    assert found.cohorts["complete"].all()


def test_open_points_are_worth_what_points_of_their_age_turn_out_to_be() -> None:
    found = followed(simulated(3000, 7, 24))
    assert found is not None
    assert found.open_redeemed.value is not None
    # another draw of the same process: its points of two years, then and when all have ended
    earned, _, expired, so_far = process(20_000, 24, 9)
    longer = process(20_000, 40, 9)
    in_the_end = longer[3][:, :24].sum() / longer[0][:, :24].sum()
    used = so_far.sum() / earned.sum()
    still_open = 1 - used - expired.sum() / earned.sum()
    assert found.open_redeemed.value == pytest.approx((in_the_end - used) / still_open, abs=0.05)


@pytest.mark.slow
def test_the_interval_covers_the_share_redeemed_in_the_end(truth: float) -> None:
    hits = 0
    for seed in range(100):
        found = followed(simulated(200, seed))
        assert found is not None
        end = found.redeemed_in_the_end
        assert end.low is not None
        assert end.high is not None
        hits += end.low <= truth <= end.high
    assert 0.88 <= hits / 100 <= 0.995


def test_points_that_never_end_have_no_known_breakage() -> None:
    rows = [(f"c{n}", n % 60, 10.0, 0.0, 0.0) for n in range(60)]
    rows += [(f"c{n}", 200, 0.0, 2.0, 0.0) for n in range(60)]
    found = followed(entries(rows))
    assert found is not None
    assert found.breakage.value is None
    assert "still open" in str(found.breakage.note)
    assert found.undecided == pytest.approx(0.8)


def test_too_few_customers_are_not_followed() -> None:
    assert followed(entries([("a", 0, 10, 0, 0), ("b", 3, 0, 4, 0)])) is None
