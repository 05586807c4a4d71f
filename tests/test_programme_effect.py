"""What joining does: a known effect found under strong selection, and what can't be told isn't."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import made_up_programme as made
import numpy as np
import pandas as pd
import pytest

from retention_lib.data.base import Base
from retention_lib.loyalty import programme_effect as joining
from retention_lib.loyalty.programme import Programme, metrics, programme
from retention_lib.loyalty.programme_effect import effect, joined
from retention_lib.loyalty.programme_members import membership
from retention_lib.loyalty.programme_money import break_even_uplift, gained, money
from retention_lib.loyalty.programme_next import next_test
from retention_lib.loyalty.programme_verdict import HELD_BACK, OWN_CHOICE

Opened = Callable[..., Base]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    def open_(shop: made.Shop, **keys: object) -> Base:
        folder: Path = tmp_path_factory.mktemp("shop")
        return made.base(shop, folder, **keys)  # type: ignore[arg-type]

    return open_


def found_in(base: Base) -> joining.Programmed:
    rows = base.dataset("members")
    assert rows is not None
    return effect(base, membership(base, rows.frame()).members)


@pytest.fixture(scope="module")
def working(opened: Opened) -> Programme:
    keys = {"programme": {"cost_per_year": 20_000.0, "point_value": 0.02}, "margin": 0.4}
    found = programme(opened(made.shop(uplift=0.15, seed=2), **keys))
    assert found is not None
    return found


def test_a_true_effect_is_found_where_the_raw_difference_is_far_off(working: Programme) -> None:
    at = working.effect.revenue
    assert at.relative_low < 0.15 < at.relative_high
    assert at.relative_low > 0
    raw = at.raw / (at.mean - at.raw)
    assert raw > 0.15 + 3 * (at.relative_high - at.relative)
    assert working.effect.kind == "care"
    assert working.effect.reasons == (OWN_CHOICE,)


def test_without_an_effect_none_is_found(opened: Opened) -> None:
    found = found_in(opened(made.shop(customers=2000, uplift=0.0, seed=4), ledger=False))
    at = found.revenue
    assert at.relative_low < 0 < at.relative_high
    assert at.raw / (at.mean - at.raw) > 0.2
    assert found.may_be_called_effect


@pytest.fixture(scope="module")
def misled(opened: Opened) -> Programme:
    """Nothing works, yet all that is known makes it look as if it did."""
    keys = {"programme": {"cost_per_year": 20_000.0}, "margin": 0.4}
    found = programme(opened(made.shop(customers=2000, uplift=0.0, hidden=1.0, seed=5), **keys))
    assert found is not None
    return found


def test_a_hidden_difference_is_caught_by_the_window_held_back(misled: Programme) -> None:
    found = misled.effect
    assert found.revenue.low > 0
    assert found.held_back.low > 0
    assert found.kind == "unfit"
    assert HELD_BACK in found.reasons
    assert not found.may_be_called_effect


def test_an_unfair_comparison_leaves_its_figures_out(misled: Programme) -> None:
    known = metrics(misled)
    for name in ("uplift_revenue", "uplift_revenue_relative", "uplift_repurchase", "roi"):
        assert known[f"programme.{name}"].value is None
        assert known[f"programme.{name}"].note
    assert known["programme.break_even_uplift"].value is not None


@pytest.mark.slow
def test_the_interval_covers_no_effect_as_often_as_it_says(opened: Opened) -> None:
    shops = [made.shop(customers=1500, seed=seed) for seed in range(300, 320)]
    found = [found_in(opened(shop, ledger=False)) for shop in shops]
    hits = [one.revenue.low <= 0 <= one.revenue.high for one in found]
    # 20 of 95 % each: fewer than 16 happen once in four hundred times
    assert sum(hits) >= 16
    assert abs(np.mean([one.revenue.relative for one in found])) < 0.04
    assert sum(HELD_BACK in one.reasons for one in found) <= 4


def test_where_the_shop_enrols_on_a_few_days_the_window_begins_with_the_day(
    opened: Opened,
) -> None:
    shop = made.shop(customers=2000, uplift=0.0, seed=7)
    days = pd.to_datetime(["2024-02-05", "2024-05-06", "2024-08-05"])
    counts = shop.orders[shop.orders["day"] < "2024-01-01"]["customer"].value_counts()
    rng = np.random.default_rng(1)
    # the shop enrols who bought most in the year before
    chosen = counts[rng.random(len(counts)) < (counts / 20).clip(upper=0.8).to_numpy()].index
    members = pd.DataFrame(
        {
            "customer": chosen,
            "joined": days[rng.integers(0, 3, len(chosen))],
            "left": pd.NaT,
            "tier": None,
        }
    )
    found = found_in(opened(made.Shop(shop.orders, members, shop.ledger), ledger=False))
    assert found.grain == "day"
    assert found.compared is not None
    assert {str(day.date()) for day in found.compared.units["day"].unique()} <= {
        str(day.date()) for day in days
    }
    assert found.revenue.low <= 0 <= found.revenue.high
    assert HELD_BACK not in found.reasons
    assert OWN_CHOICE not in found.reasons


def test_every_member_is_either_compared_or_has_a_reason_why_not(working: Programme) -> None:
    at = working.effect
    assert at.compared is not None
    assert at.compared.customers + sum(at.left_out.values()) == len(working.members.members)
    assert all(n >= 0 for n in at.left_out.values())


def test_members_are_as_much_ahead_of_others_before_they_join_as_the_weights_say(
    working: Programme,
) -> None:
    at = working.effect
    assert at.others_before == pytest.approx(at.before, rel=0.02)


def members_frame(**columns: object) -> pd.DataFrame:
    n = 60
    frame = pd.DataFrame(
        {
            "customer": [f"c{i}" for i in range(n)],
            "joined": pd.Timestamp("2024-03-04") + pd.to_timedelta(np.arange(n) % 50, "D"),
            "left": pd.NaT,
            "first": pd.Timestamp("2023-06-01"),
            "known": True,
        }
    )
    return frame.assign(**columns)


def test_who_joins_with_the_first_purchase_has_no_time_before() -> None:
    frame = members_frame()
    found = joined(frame.assign(first=frame["joined"]), made.START, made.END)
    assert found == joining.NO_PAST


def test_a_short_history_is_said_to_be_too_short() -> None:
    frame = members_frame()
    start = pd.Timestamp("2024-04-10").date()
    assert joined(frame, start, made.END) == joining.TOO_SHORT


def test_of_many_members_some_are_drawn_from_stacks_over_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    days = pd.Timestamp("2023-07-03") + pd.to_timedelta(np.arange(6000) % 420, "D")
    frame = pd.DataFrame(
        {
            "customer": [f"c{i}" for i in range(6000)],
            "joined": days,
            "left": pd.NaT,
            "first": pd.Timestamp("2023-01-05"),
            "known": True,
        }
    )
    monkeypatch.setattr(joining, "DRAWN", 500)
    found = joined(frame, made.START, made.END)
    assert not isinstance(found, str)
    assert len(found.treated) == 500
    assert found.treated["stack"].nunique() == joining.STACKS_OF_MANY
    months = found.treated["day"].dt.to_period("M")
    assert months.max().ordinal - months.min().ordinal >= 8
    again = joined(frame, made.START, made.END)
    assert not isinstance(again, str)
    pd.testing.assert_frame_equal(found.treated, again.treated)
    # who isn't drawn is a member none the less, and nobody's comparison
    assert set(found.exposed["customer"]) == set(frame["customer"])


def test_those_compared_with_are_drawn_with_one_chance_whether_they_join_later_or_not(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = opened(made.shop(customers=2000, uplift=0.0, seed=4), ledger=False)
    rows = base.dataset("members")
    assert rows is not None
    members = membership(base, rows.frame()).members
    whole = effect(base, members)
    monkeypatch.setattr(joining, "OTHERS", 700)
    part = effect(base, members)
    later = []
    for found in (whole, part):
        assert found.compared is not None
        others = found.compared.units[~found.compared.units["treated"]]
        later.append(others["customer"].isin(members["customer"]).mean())
    assert later[1] == pytest.approx(later[0], abs=0.06)
    assert whole.compared is not None
    assert part.compared is not None
    assert 0.2 < part.compared.others / whole.compared.others < 0.5
    assert part.revenue.treated == pytest.approx(whole.revenue.treated, rel=0.05)
    apart = abs(part.revenue.value - whole.revenue.value)
    assert apart < 2 * max(part.revenue.error, whole.revenue.error)


def test_few_who_join_at_a_time_are_not_compared() -> None:
    days = pd.date_range("2023-07-01", periods=60, freq="9D")
    assert joined(members_frame(joined=days), made.START, made.END) == joining.FEW_JOINED


def test_where_all_customers_join_nobody_is_left_to_compare_with(opened: Opened) -> None:
    shop = made.shop(customers=400, seed=8)
    first = shop.orders.groupby("customer")["day"].min()
    joined_on = (first + pd.Timedelta(40, "D")).clip(
        lower=pd.Timestamp("2024-03-04"), upper=pd.Timestamp("2024-03-10")
    )
    members = pd.DataFrame(
        {"customer": first.index, "joined": joined_on.to_numpy(), "left": pd.NaT, "tier": None}
    )
    found = found_in(opened(made.Shop(shop.orders, members, shop.ledger), ledger=False))
    assert not found.may_be_called_effect
    assert found.kind in ("none", "unfit")
    assert found.reasons in ((joining.ALL_MEMBERS,), ("nothing",))


# Money -------------------------------------------------------------------------------------------


def test_at_the_break_even_uplift_the_gain_is_the_cost() -> None:
    without, uplift, margin = 80_000.0, 0.083, 0.35
    revenue = without * (1 + uplift)
    # what the programme added, counted without the formula
    gain = margin * (revenue - without)
    assert gained(revenue, margin, uplift) == pytest.approx(gain)
    assert break_even_uplift(gain, revenue, margin) == pytest.approx(uplift)


def test_a_programme_that_costs_more_than_the_margin_never_pays() -> None:
    assert break_even_uplift(50.0, 100.0, 0.5) is None
    found = money(100.0, 0.5, 12, 60.0, None, None, (0.5, 0.4, 0.6), 100)
    assert found.break_even.value is None
    assert "more than the margin" in str(found.break_even.note)
    assert found.net_value.value == pytest.approx(0.5 * 100 * 0.5 / 1.5 - 60)


def test_gain_and_return_follow_from_the_measured_uplift(working: Programme) -> None:
    at, money_ = working.effect.revenue, working.money
    expected = 0.4 * (money_.revenue - money_.revenue / (1 + at.relative))
    assert money_.gain.value == pytest.approx(expected)
    assert money_.net_value.value == pytest.approx(expected - money_.cost)
    assert money_.roi.value == pytest.approx((expected - money_.cost) / money_.cost)
    assert money_.cost == pytest.approx(20_000 + working.money.rewards)
    assert money_.net_value.low is not None
    assert money_.net_value.low < money_.net_value.value  # type: ignore[operator]


def test_a_cost_next_to_nothing_has_no_return() -> None:
    found = money(1e6, 1.0, 3, 100.0, None, None, (0.02, -0.01, 0.05), 500)
    assert found.roi.value is None
    assert found.net_value.value is not None
    assert found.break_even.note


def test_without_a_cost_there_is_nothing_to_break_even_with() -> None:
    found = money(1e6, 0.5, 12, 0.0, None, None, None)
    assert (found.break_even.value, found.roi.value, found.net_value.value) == (None, None, None)


# The next test -----------------------------------------------------------------------------------


def test_the_next_test_shows_its_uplift_four_times_in_five(working: Programme) -> None:
    planned = next_test(working)
    assert planned is not None
    assert planned.uplift == pytest.approx(working.money.break_even.value)
    compared = working.effect.compared
    assert compared is not None
    others = compared.units[~compared.units["treated"]].dropna(subset=["revenue_0", "revenue_-1"])
    pool = others[["revenue_-1", "revenue_0"]].to_numpy(dtype=float)
    rng, half, hits = np.random.default_rng(3), planned.customers // 2, 0
    for _ in range(300):
        a, b = (pool[rng.integers(0, len(pool), half)] for _ in range(2))
        raised = b[:, 1] + planned.uplift * pool[:, 1].mean()
        before = np.concatenate([a[:, 0], b[:, 0]])
        after = np.concatenate([a[:, 1], raised])
        slope = np.cov(before, after)[0, 1] / before.var(ddof=1)
        left = after - slope * before
        x, y = left[:half], left[half:]
        error = np.sqrt((x.var(ddof=1) + y.var(ddof=1)) / half)
        hits += (y.mean() - x.mean()) / error > 1.96
    assert 0.70 <= hits / 300 <= 0.90


def test_without_a_comparison_there_is_no_size_to_plan(working: Programme) -> None:
    none = dataclasses.replace(working, effect=joining.Programmed(None, None, "day", "no_past"))
    assert next_test(none) is None
