"""Advice follows from evidence: each rule speaks where figures call for it, and else is silent."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from retention_lib.advice import beyond, kept, thresholds
from retention_lib.advice.evidence import Evidence
from retention_lib.advice.found import Found, Recommendation
from retention_lib.advice.proof import proof
from retention_lib.advice.rules import RULES, Rule, recommendations
from retention_lib.metrics import Metric
from retention_lib.models.economics import Economics, Programme
from retention_lib.report.findings import advice as words
from retention_lib.report.findings.advice_words import WORDS
from retention_lib.report.language import Formats
from retention_lib.retention.breakdown import Breakdown
from retention_lib.retention.first_order import FirstOrder
from retention_lib.retention.hindsight import Hindsight
from retention_lib.retention.lists import COLUMNS, ActionList
from retention_lib.retention.outcomes import LeftAlone
from retention_lib.retention.season import Season
from retention_lib.retention.timing import Timing
from retention_lib.retention.what_next import WhatNext
from retention_lib.sentence import Sentence

EN = Formats("en", "USD")


def a_list(name: str, n: int, stake: float = 10.0, clv: float = 30.0) -> ActionList:
    """A list of n customers, the same with each."""
    frame = pd.DataFrame(0.0, index=[f"c{i}" for i in range(n)], columns=list(COLUMNS))
    frame = frame.assign(value_at_stake=stake, clv=clv)
    title = name.replace("_", " ").capitalize()
    return ActionList(name, title, Sentence("Whom it holds."), (), frame)


def uneven(n: int, rich: int) -> ActionList:
    """A win-back list on which `rich` customers hold most of what is at stake."""
    one = a_list("win_back", n)
    stakes = np.where(np.arange(n) < rich, 1000.0, 1.0)
    return dataclasses.replace(one, everyone=one.everyone.assign(value_at_stake=stakes))


def steps(first: float, second: float, n: int = 1000) -> pd.DataFrame:
    frame = pd.DataFrame({"number": [1, 2], "share_90": [first, second], "n_90": n})
    half = 1.96 * np.sqrt(frame["share_90"] * (1 - frame["share_90"]) / n)
    return frame.assign(low_90=frame["share_90"] - half, high_90=frame["share_90"] + half)


def rate(value: float, previous: float | None) -> dict[str, Metric]:
    return {
        "retention.rate": Metric(value, "share", value - 0.02, value + 0.02, 2000, previous),
    }


def by(dimension: str, stands_out: int, gap: float = 0.10, differ: bool = True) -> Breakdown:
    rows = pd.DataFrame(
        {
            "kind": "group",
            "group": ["North", "South"],
            "n": [400, 600],
            "rate": [0.5 - gap, 0.5],
            "low": [0.47 - gap, 0.47],
            "high": [0.53 - gap, 0.53],
            "reference": [0.5, 0.5],
            "stands_out": [stands_out, 0],
        }
    )
    return Breakdown(dimension, rows, Metric(0.47, "share"), overlapping=False, differ=differ)


def known(*lists: ActionList, **more: Any) -> Evidence:
    metrics = {"clv.total": Metric(10_000.0, "currency")} | more.pop("metrics", {})
    return Evidence(metrics, lists={one.id: one for one in lists}, **more)


def only(kind: type, **fields: Any) -> Any:
    """One of the results of other chapters, of which a rule looks at these fields alone."""
    return kind(**{**dict.fromkeys(f.name for f in dataclasses.fields(kind)), **fields})


def hindsight(window: float, late: float, n: int = 400) -> Hindsight:
    shares = pd.Series([window, late])
    half = 1.96 * np.sqrt(shares * (1 - shares) / n)
    states = pd.DataFrame({"rule": "rhythm", "state": ["window", "late"], "n": n, "share": shares})
    states = states.assign(low=shares - half, high=shares + half)
    return Hindsight(3, states, pd.DataFrame())


def next_up(share: float, above: int = 1) -> WhatNext:
    pair = {
        "category": "Tea", "next_category": "Cups", "n": 500, "share": share,
        "low": share - 0.02, "high": share + 0.02, "lift": 1.8, "lift_low": 1.4,
        "lift_high": 2.3, "above": above, "customers": 90,
    }  # fmt: skip
    return only(WhatNext, pairs=pd.DataFrame([pair]))


def begun(stands_out: int) -> FirstOrder:
    row = {
        "category": "Tea", "n": 300, "later": 80.0, "low": 70.0, "high": 90.0,
        "difference": 20.0, "difference_low": 9.0, "difference_high": 31.0,
        "stands_out": stands_out,
    }  # fmt: skip
    return only(FirstOrder, days=365, categories=pd.DataFrame([row]))


def week(index: float, stands_out: int = 1) -> Timing:
    frame = pd.DataFrame({"weekday": range(7), "index": 1.0, "stands_out": 0, "weeks": 50})
    frame = frame.assign(low=0.97, high=1.03, as_good=False)
    frame.loc[5, ["index", "low", "high"]] = [index, index - 0.03, index + 0.03]
    frame.loc[5, "stands_out"], frame.loc[5, "as_good"] = stands_out, True
    return only(Timing, weekdays=frame)


def year(index: float) -> Timing:
    row = {"month": 12, "index": index, "low": index - 0.05, "high": index + 0.05}
    factors = pd.DataFrame([{**row, "years_above": 3, "years": 3, "stands_out": 1}])
    found = Season(pd.DataFrame(), factors, p=0.001, alike=0.9, years=3)
    return only(Timing, season=found, as_of=dt.date(2025, 6, 30))


def peaks(differs: int, kind: str = "new") -> Timing:
    row = {"kind": kind, "n": 300, "share": 0.2, "low": 0.16, "high": 0.24, "others": 0.3}
    row |= {"difference": -0.1, "difference_low": -0.15, "difference_high": -0.05}
    return only(Timing, after_peaks=pd.DataFrame([{**row, "others_n": 900, "differs": differs}]))


def costs(value: float, half: float) -> dict[str, Metric]:
    return {
        "economics.clv_to_cac": Metric(value, "ratio", value - half, value + half, 900),
        "economics.clv_new": Metric(100.0 * value, "currency"),
    }


def plan(worth_it: int) -> Evidence:
    found = Programme(
        each=10.0, total=10_000.0, points=None, points_low=None, points_high=None,
        worth_it=worth_it, worth_it_cost=10.0 * worth_it, worth_it_at_stake=40.0 * worth_it,
    )  # fmt: skip
    return known(
        metrics={"customers.at_end": Metric(1_000, "count")},
        economics=only(Economics, programme=found),
    )


def greeted(value: float, half: float) -> dict[str, Metric]:
    return {"timing.birthday_ratio": Metric(value, "ratio", value - half, value + half, 800)}


def rule(name: str) -> Rule:
    return next(one for one in RULES if one.id == name)


#: Rule → evidence on which it speaks, and evidence that lacks one thing.
CASES: dict[str, tuple[Evidence, list[Evidence]]] = {
    "win_back": (
        known(
            a_list("win_back", 100),
            metrics={"slipping.at_stake": Metric(1000.0, "currency", 800.0, 1300.0)},
        ),
        [
            known(a_list("win_back", thresholds.FEWEST - 1, stake=100.0)),
            known(a_list("win_back", 100, stake=1.0)),
            known(),
        ],
    ),
    "call": (
        known(uneven(200, 20)),
        [
            known(a_list("win_back", 200)),
            known(uneven(30, 20)),
            # hardly anything of the value to come is at stake
            known(uneven(200, 20), metrics={"clv.total": Metric(1e8, "currency")}),
            known(),
        ],
    ),
    "second_order": (
        known(a_list("second_order", 50), steps=steps(0.2, 0.4)),
        [
            known(a_list("second_order", 50), steps=steps(0.4, 0.2)),
            known(a_list("second_order", 50), steps=steps(0.30, 0.32)),
            known(a_list("second_order", 50), steps=steps(0.2, 0.4, n=19)),
            known(a_list("second_order", 50)),
            known(a_list("second_order", 5), steps=steps(0.2, 0.4)),
        ],
    ),
    "thank_best": (
        known(a_list("thank_best", 50), metrics={"revenue.top20_share": Metric(0.6, "share")}),
        [
            known(a_list("thank_best", 50), metrics={"revenue.top20_share": Metric(0.4, "share")}),
            known(a_list("thank_best", 5), metrics={"revenue.top20_share": Metric(0.6, "share")}),
            known(metrics={"revenue.top20_share": Metric(0.6, "share")}),
        ],
    ),
    "ask_why": (
        known(a_list("win_back", 50), metrics=rate(0.40, 0.50)),
        [
            known(metrics=rate(0.49, 0.50)),
            known(metrics=rate(0.60, 0.50)),
            known(metrics=rate(0.40, None)),
            known(),
        ],
    ),
    "local": (
        known(breakdowns=(by("market", -1),)),
        [
            known(breakdowns=(by("market", 0),)),
            known(breakdowns=(by("market", 1),)),
            known(breakdowns=(by("market", -1, gap=0.01),)),
            known(breakdowns=(by("market", -1, differ=False),)),
            known(breakdowns=(by("category", -1),)),
            known(),
        ],
    ),
    "remind": (
        known(a_list("remind_now", 50), hindsight=hindsight(0.5, 0.2)),
        [
            known(a_list("remind_now", 50), hindsight=hindsight(0.2, 0.5)),
            known(a_list("remind_now", 50), hindsight=hindsight(0.42, 0.40)),
            known(a_list("remind_now", 50), hindsight=hindsight(0.5, 0.2, n=19)),
            known(a_list("remind_now", 50)),
            known(a_list("remind_now", 50, stake=0.5), hindsight=hindsight(0.5, 0.2)),
            known(a_list("remind_now", 5), hindsight=hindsight(0.5, 0.2)),
        ],
    ),
    "cross_sell": (
        known(a_list("cross_sell", 90), what_next=next_up(0.10)),
        [
            known(a_list("cross_sell", 90), what_next=next_up(0.10, above=0)),
            known(a_list("cross_sell", 90), what_next=next_up(0.01)),
            known(a_list("cross_sell", 9), what_next=next_up(0.10)),
            known(a_list("cross_sell", 90)),
        ],
    ),
    "first_category": (
        known(first_order=begun(1)),
        [known(first_order=begun(0)), known(first_order=begun(-1)), known()],
    ),
    "season": (known(timing=year(1.6)), [known(timing=year(1.12)), known()]),
    "weekday": (
        known(timing=week(1.3)),
        [known(timing=week(1.3, 0)), known(timing=week(1.08)), known()],
    ),
    "after_peaks": (
        known(timing=peaks(-1)),
        [known(timing=peaks(0)), known(timing=peaks(1)), known()],
    ),
    "birthday": (
        known(a_list("birthdays", 40), metrics=greeted(1.3, 0.1)),
        [
            known(a_list("birthdays", 40), metrics=greeted(1.05, 0.1)),
            known(a_list("birthdays", 4), metrics=greeted(1.3, 0.1)),
            known(metrics=greeted(1.3, 0.1)),
            known(a_list("birthdays", 40)),
        ],
    ),
    "acquisition": (
        known(metrics=costs(0.6, 0.2)),
        [known(metrics=costs(0.9, 0.2)), known(metrics=costs(3.1, 0.4)), known()],
    ),
    "programme": (plan(300), [plan(700), plan(5), known()]),
}

#: Other ways of telling the same rule's finding.
VARIANTS = {
    "win_back": known(a_list("win_back", 100)),
    "acquisition": known(metrics=costs(4.0, 0.5)),
    "after_peaks": known(timing=peaks(-1, "returning")),
    "local": known(breakdowns=(by("channel", -1),)),
}


def test_every_rule_is_tried() -> None:
    assert set(CASES) == {one.id for one in RULES}


@pytest.mark.parametrize("name", CASES)
def test_a_rule_speaks_where_the_evidence_calls_for_it(name: str) -> None:
    assert rule(name).find(CASES[name][0]) is not None


@pytest.mark.parametrize(
    ("name", "evidence"), [(name, one) for name, (_, others) in CASES.items() for one in others]
)
def test_a_rule_is_silent_without_its_evidence(name: str, evidence: Evidence) -> None:
    assert rule(name).find(evidence) is None


def test_every_word_belongs_to_a_rule_and_is_told() -> None:
    tried = [*((name, one) for name, (one, _) in CASES.items()), *VARIANTS.items()]
    told = {(name, recommendations(one, (rule(name),))[0].found.variant) for name, one in tried}
    others = {one.id for one in beyond.RULES}  # tests/test_advice_beyond.py
    assert told == {key for key in WORDS if key[0] not in others}


@pytest.mark.parametrize(
    ("name", "evidence"),
    [*((name, one) for name, (one, _) in CASES.items()), *VARIANTS.items()],
)
def test_what_a_rule_found_is_told_with_its_figures(name: str, evidence: Evidence) -> None:
    (one,) = recommendations(evidence, (rule(name),))
    told = [EN.tell(part(one)) for part in (words.heading, words.seen, words.measure, words.test)]
    assert all(text and "{" not in text and "None" not in text for text in told)
    assert words.short(one)
    assert EN.tell(words.when(one)).startswith("Within")


def test_nothing_is_advised_without_evidence() -> None:
    assert recommendations(known()) == ()
    assert words.headline(()) == "The figures call for no measure now"


def test_most_at_stake_comes_first_and_no_more_than_a_client_can_act_on() -> None:
    def fixed(name: str, at_stake: float | None) -> Rule:
        return Rule(name, "", lambda _: Found({}, at_stake=at_stake), (3, 6))

    rules = tuple(fixed(f"r{n}", stake) for n, stake in enumerate([None, 5.0, 50.0, None, 7.0]))
    assert [one.rule for one in recommendations(known(), rules)] == ["r2", "r4", "r1", "r0", "r3"]
    many = tuple(fixed(f"r{n}", float(n)) for n in range(20))
    assert len(recommendations(known(), many)) == thresholds.MOST


def test_the_heading_counts_the_measures_and_names_what_is_at_stake() -> None:
    one = Recommendation("win_back", Found({}, at_stake=1234.0), (3, 6), None)
    other = Recommendation("season", Found({}), (3, 6), None)
    assert words.headline((other,)) == "The figures call for one measure"
    assert words.headline((other, other)) == "The figures call for 2 measures"
    assert "2 measures; with the first about $1,230" in EN.tell(words.headline((one, other)))


def test_what_is_at_stake_is_told_with_its_interval_where_it_is_known() -> None:
    (sure,) = recommendations(CASES["win_back"][0], (rule("win_back"),))
    assert "$1,000 ($800 to $1,300)" in EN.tell(words.seen(sure))
    other = {"slipping.at_stake": Metric(7.0, "currency", 5.0, 9.0)}  # of other customers
    (plain,) = recommendations(known(a_list("win_back", 100), metrics=other), (rule("win_back"),))
    assert "$1,000, as much as" in EN.tell(words.seen(plain))


def test_a_local_difference_is_told_in_customers() -> None:
    (one,) = recommendations(known(breakdowns=(by("market", -1, gap=0.10),)), (rule("local"),))
    assert one.found.values["more"] == 40  # a tenth of 400
    assert "market North" in words.heading(one)
    (other,) = recommendations(known(breakdowns=(by("channel", -1),)), (rule("local"),))
    assert "channel North" in words.heading(other)


class TestProof:
    alone = LeftAlone(3, Metric(0.10, "share", 0.08, 0.12, 800))

    def test_a_long_list_shows_a_small_rise_at_once(self) -> None:
        made = proof(10_000, self.alone)
        assert made is not None
        assert (made.uplift, made.rounds) == (0.02, 1)
        assert made.each == 3_835  # tests/test_sample_size.py

    def test_a_shorter_list_shows_a_larger_one(self) -> None:
        made = proof(2_000, self.alone)
        assert made is not None
        assert (made.uplift, made.rounds) == (0.05, 1)

    def test_a_short_list_takes_several_rounds(self) -> None:
        made = proof(100, self.alone)
        assert made is not None
        assert made.uplift == thresholds.UPLIFTS[-1]
        assert made.rounds == -(-2 * made.each // 100) > 1

    def test_without_a_yardstick_there_is_no_size(self) -> None:
        assert proof(1_000, None) is None
        all_of_them = LeftAlone(3, Metric(0.99, "share", 0.97, 1.0, 800))
        assert proof(1_000, all_of_them) is None

    @pytest.mark.parametrize("customers", [100, 2_000, 10_000])
    def test_a_size_shows_the_rise_it_promises(self, customers: int) -> None:
        """Drawn by lot many times, four tests of five find a rise of that size."""
        made = proof(customers, self.alone)
        assert made is not None
        rng = np.random.default_rng(7)
        base, n = 0.10, made.each
        without = rng.binomial(n, base, 4000) / n
        with_it = rng.binomial(n, base + made.uplift, 4000) / n
        mean = (without + with_it) / 2
        z = (with_it - without) / np.sqrt(2 * mean * (1 - mean) / n)
        assert 0.77 < float((np.abs(z) > 1.96).mean()) < 0.83


def test_advice_comes_back_as_it_was_left(tmp_path: Path) -> None:
    evidence = known(
        a_list("win_back", 300),
        metrics=rate(0.40, 0.50),
        alone={"win_back": TestProof.alone},
        breakdowns=(by("market", -1),),
    )
    advice = recommendations(evidence)
    assert len(advice) == 3
    assert any(one.proof is not None for one in advice)
    kept.save(advice, tmp_path)
    assert kept.load(tmp_path) == advice
    assert kept.load(tmp_path / "nowhere") is None


def test_whom_it_is_for_is_told_with_sheet_stake_and_worth() -> None:
    found = Found({}, list="win_back", customers=40, at_stake=1234.0, point=56.0)
    one = Recommendation("win_back", found, (3, 6), None)
    told = EN.tell(words.whom(one, "Win back") or "")
    assert "40 customers" in told
    assert "$1,230" in told
    assert "sheet Win back" in told
    assert words.whom(Recommendation("x", Found({}), (3, 6), None), None) is None
