"""Advice on the data sets beside the orders: what calls for it, what doesn't, and its words."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import made_up_campaign
import made_up_experiment
import numpy as np
import pandas as pd
import pytest

from retention_lib.advice import thresholds
from retention_lib.advice.beyond import RULES, Evidence, recommendations
from retention_lib.data.read import read_base
from retention_lib.loyalty.beyond import Beyond
from retention_lib.loyalty.experiment import Trial, experiments
from retention_lib.params import read_client_file
from retention_lib.report.findings import advice as words
from retention_lib.report.findings.advice_words import WORDS
from retention_lib.report.language import Formats
from retention_lib.retention.lists import COLUMNS, ActionList
from retention_lib.sentence import Sentence

EN = Formats("en", "NOK")


def rule(name: str):
    return next(one for one in RULES if one.id == name)


def of_lists(name: str, n: int, stake: float = 0.0, clv: float = 0.0) -> Evidence:
    """Nothing but one list, of so many customers."""
    frame = pd.DataFrame(np.nan, index=[f"k{i}" for i in range(n)], columns=[*COLUMNS])
    frame = frame.assign(value_at_stake=stake, clv=clv)
    one = ActionList(name, name, Sentence("About."), (), frame)
    return Evidence(Beyond(), {name: one})


@cache
def trial(effect: float, cost: float, seed: int = 11) -> Trial:
    """A test of which the effect is known, and that costs so much for each customer treated."""
    with TemporaryDirectory() as folder:
        made = made_up_experiment.shop(customers=4_000, effect=effect, seed=seed)
        file = made_up_experiment.write(Path(folder), made)
        text = file.read_text().replace("cost: 0.5", f"cost: {cost}")
        file.write_text(text)
        client = read_client_file(file)
        (found,) = experiments(read_base(client.params, client.folder))
    return found


def of_test(effect: float, cost: float) -> Evidence:
    return Evidence(Beyond(tests=(trial(effect, cost),)), {})


def broken(effect: float, cost: float) -> Evidence:
    """The same, were its groups not those of a lot."""
    found = trial(effect, cost)
    assert found.split is not None
    sizes = dataclasses.replace(found.split.sizes, p=1e-9)
    split = dataclasses.replace(found.split, sizes=sizes)
    assert dataclasses.replace(found, split=split).is_broken
    return Evidence(Beyond(tests=(dataclasses.replace(found, split=split),)), {})


NOBODY = Evidence(Beyond(), {})
CASES: dict[tuple[str, str], tuple[Evidence, list[Evidence]]] = {
    ("close_loop", ""): (
        of_lists("unhappy", 5, clv=100.0),
        [of_lists("unhappy", thresholds.CALL_FEWEST - 1, clv=100.0), NOBODY],
    ),
    ("close_loop", "plain"): (of_lists("unhappy", 5), [NOBODY]),
    ("referral", ""): (
        of_lists("recommenders", thresholds.FEWEST),
        [of_lists("recommenders", thresholds.FEWEST - 1), NOBODY],
    ),
    ("renewals", ""): (
        of_lists("renewals", 30, stake=10.0),
        [of_lists("renewals", 30, stake=0.0), of_lists("renewals", 5, stake=10.0), NOBODY],
    ),
    ("notices", ""): (of_lists("notices", 5), [of_lists("notices", 1), NOBODY]),
    ("use_points", ""): (
        of_lists("silent_with_points", 30, stake=3.0),
        [of_lists("silent_with_points", 3), NOBODY],
    ),
    ("roll_out", ""): (of_test(0.5, 0.1), [of_test(0.0, 0.1), broken(0.5, 0.1), NOBODY]),
    ("stop", ""): (of_test(0.0, 90.0), [of_test(0.5, 0.1), broken(0.0, 90.0), NOBODY]),
}


def found_by(name: str, evidence: Evidence) -> list:
    return [one for one in recommendations(evidence) if one.rule == name]


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_a_rule_speaks_where_the_evidence_calls_for_it(name: str, variant: str) -> None:
    evidence, others = CASES[name, variant]
    (one,) = found_by(name, evidence)
    assert one.found.variant == variant
    assert all(not found_by(name, other) for other in others)


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_what_a_rule_found_is_told_with_its_figures(name: str, variant: str) -> None:
    (one,) = found_by(name, CASES[name, variant][0])
    parts: Iterator[Sentence | None] = (
        part(one) for part in (words.heading, words.seen, words.measure, words.test)
    )
    told = [EN.tell(part) for part in parts if part is not None]
    assert len(told) >= 3
    assert all(text and "{" not in text and "None" not in text for text in told)
    assert words.whom(one, "Sheet") is None or "{" not in EN.tell(words.whom(one, "Sheet"))


def test_campaigns_that_no_lot_drew_call_for_one_that_does(tmp_path: Path) -> None:
    log, sent = made_up_campaign.orders(2, customers=600)
    log.to_csv(tmp_path / "orders.csv", index=False)
    sent.to_csv(tmp_path / "sent.csv", index=False)
    (tmp_path / "acme.yaml").write_text(
        "client: acme\ncurrency: NOK\nsource: orders.csv\n"
        f"columns: {{customer: customer, date: {log.columns[1]}, amount: {log.columns[2]}}}\n"
        "experiments:\n  mail:\n    title: Mailings\n    source: sent.csv\n    days: 28\n"
        "    columns: {customer: customer, start: start}\n    assigned: chosen\n"
    )
    client = read_client_file(tmp_path / "acme.yaml")
    from retention_lib.loyalty import campaign

    found = campaign.of_base(read_base(client.params, client.folder), "mail")
    (one,) = found_by("draw_lots", Evidence(Beyond(campaigns=(found,)), {}))
    assert "Mailings" in EN.tell(words.heading(one))
    assert "by lot" in EN.tell(words.measure(one))
    assert words.test(one) is None  # it is one itself


def test_every_word_belongs_to_a_rule() -> None:
    own = {one.id for one in RULES}
    written = {key for key in WORDS if key[0] in own}
    assert written == {*CASES, ("draw_lots", ""), ("draw_lots", "unfair")}


def test_most_at_stake_comes_first() -> None:
    lists = {
        **of_lists("renewals", 30, stake=10.0).lists,
        **of_lists("silent_with_points", 30, stake=50.0).lists,
        **of_lists("unhappy", 30).lists,
    }
    told = [one.rule for one in recommendations(Evidence(Beyond(), lists))]
    assert told == ["use_points", "renewals", "close_loop"]
