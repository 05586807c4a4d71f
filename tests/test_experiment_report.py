"""What a reader is told of a test: effect and no effect, doubts, and why nothing can be told."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kept import base_of
from made_up_experiment import DAYS, END, START, Shop, shop, write

from retention_lib.data.read import read_base
from retention_lib.loyalty.experiment import Trial, experiment_of, experiments
from retention_lib.loyalty.experiment_assignment import Plan, assignment
from retention_lib.loyalty.experiment_split import overlap
from retention_lib.params import read_client_file
from retention_lib.report import experiment_parts
from retention_lib.report.findings import experiment as findings
from retention_lib.report.findings import experiment_checks as checks
from retention_lib.report.findings import experiment_next as ahead
from retention_lib.report.language import Formats
from retention_lib.report.page import Page
from retention_lib.report.voice import page_of

SPLIT = {"none": 0.3, "mail": 0.7}
ARMS = {"none": 0.3, "mail": 0.35, "$m^2$ {x}": 0.35}
PLAN = Plan("mail", "Summer mail", "none", DAYS, SPLIT, 0.5, 0.4)


def trial(made: Shop, plan: Plan = PLAN, as_of: dt.date = END, overlaps: tuple = ()) -> Trial:
    days = made.orders.assign(date=made.orders["date"].dt.date)
    base = base_of(days.itertuples(index=False), as_of=as_of)
    return experiment_of(base, plan, assignment(made.groups, plan, base.start, as_of), overlaps)


def groups_of(made: Shop, groups: pd.DataFrame) -> Shop:
    return Shop(made.orders, groups, made.bought, made.orders_more, made.revenue)


def told(found: Trial, language: str = "en") -> str:
    """All that the report has of a test, as a reader sees it."""
    page = Page(Formats(language, "EUR"))
    shown = experiment_parts.of_test(found, page)
    return "\n".join(
        one.data["text/plain"] for one in shown if one.metadata["retention"]["kind"] != "metrics"
    )


def with_more(made: Shop, rows: pd.DataFrame) -> Shop:
    """The shop with these rows of a day and an amount for each customer."""
    orders = pd.concat([made.orders, rows[["customer", "date", "amount"]]])
    return Shop(orders, made.groups, 0, 0, 0)


def without(made: Shop, group: str) -> Shop:
    """The shop with nothing bought in a group since the start."""
    who = made.groups.loc[made.groups["group"] == group, "customer"]
    gone = made.orders["customer"].isin(who) & (made.orders["date"] >= pd.Timestamp(START))
    return Shop(made.orders[~gone], made.groups, 0, 0, 0)


CASES = {
    "usual": lambda: trial(shop(4_000)),
    "buyers only": lambda: trial(shop()),  # more buyers, while revenue can be chance
    "two groups": lambda: trial(
        shop(4_000, arms=("mail", "$m^2$ {x}")),
        Plan("arms", "A {b} & <i>", "none", DAYS, ARMS, 0.0, 1.0),
    ),
    "harm": lambda: trial(
        groups_of(
            made := shop(4_000, effect=0.3),
            made.groups.assign(
                group=made.groups["group"].map({"none": "mail", "mail": "none"}),
            ),
        ),
        Plan("mail", "Summer mail", "none", DAYS, {"none": 0.7, "mail": 0.3}, 0.5, 0.4),
    ),
    "runs": lambda: trial(shop(4_000, rolling=60), as_of=START + dt.timedelta(days=120)),
    "runs, begun at once": lambda: trial(shop(2_000), as_of=START + dt.timedelta(days=40)),
    "has just begun": lambda: trial(shop(2_000), as_of=START),
    "no effect": lambda: trial(shop(4_000, effect=0.0)),
    "customers lost": lambda: trial(
        groups_of(
            made := shop(6_000),
            made.groups[(made.groups["group"] == "none") | (made.groups["customer"].str[-1] > "2")],
        )
    ),
    "ids unknown": lambda: trial(
        groups_of(made := shop(2_000), made.groups.assign(customer="x" + made.groups["customer"]))
    ),
    "nobody left alone bought": lambda: trial(without(shop(3_000), "none")),
    "nobody treated bought": lambda: trial(without(shop(3_000), "mail")),
    "everybody bought": lambda: trial(
        with_more(
            made := shop(1_000),
            made.groups.assign(date=made.groups["start"] + pd.Timedelta(days=1), amount=20.0),
        )
    ),
    "more returned than bought": lambda: trial(
        with_more(
            made := shop(1_000),
            made.groups.assign(date=made.groups["start"] + pd.Timedelta(days=1), amount=-200.0),
        )
    ),
    "one day": lambda: trial(shop(3_000), Plan("mail", "Summer mail", "none", 1, SPLIT, 0.5, 0.4)),
    "a planned group is missing": lambda: trial(
        shop(2_000),
        Plan("mail", "Summer mail", "none", DAYS, {"none": 0.3, "mail": 0.5, "sms": 0.2}),
    ),
    "few": lambda: trial(groups_of(made := shop(2_000), made.groups[:100])),
    "five": lambda: trial(groups_of(made := shop(2_000), made.groups[:5])),
    "nobody": lambda: trial(groups_of(made := shop(2_000), made.groups[:0])),
    "no control": lambda: trial(shop(2_000), Plan("mail", "Summer mail", "kontroll")),
    "all treated": lambda: trial(
        groups_of(made := shop(2_000), made.groups[made.groups["group"] == "mail"])
    ),
    "all left alone": lambda: trial(
        groups_of(made := shop(2_000), made.groups[made.groups["group"] == "none"])
    ),
    "unplanned": lambda: trial(shop(2_000, arms=("mail", "sms"))),
    "data begins with the test": lambda: trial(
        Shop(
            (made := shop(3_000)).orders[made.orders["date"] >= pd.Timestamp(START)],
            *(made.groups, 0, 0, 0),
        )
    ),
}


@pytest.fixture(scope="module")
def of_case():
    made: dict[str, Trial] = {}

    def case(name: str) -> Trial:
        if name not in made:
            made[name] = CASES[name]()
        return made[name]

    return case


@pytest.mark.parametrize("name", CASES)
def test_every_case_is_told_in_plain_words(name: str, of_case) -> None:
    text = told(of_case(name))
    assert not re.search(r"\bnan\b|\binf\b|\bNone$|\bnull\b", text)
    assert "{test}" not in text
    assert "Summer mail" in text or "A {b} & <i>" in text
    for language in ("nb", "da", "sv"):
        assert told(of_case(name), language)


@pytest.mark.parametrize("name", CASES)
def test_every_sentence_can_be_told_in_another_language(name: str, of_case) -> None:
    """A sentence's message has all its values, in every form."""
    found = of_case(name)
    for sentence in (findings.heading(found), checks.heading(found), *checks.kept_out(found)):
        assert Formats("nb", "NOK").tell(sentence)


def test_the_heading_has_what_is_sure(of_case) -> None:
    found = of_case("buyers only")
    bought = found.of("bought", "mail").estimate
    heading = findings.heading(found)
    assert f"{round(1000 * bought.change)} more bought" in heading
    assert f"we can be sure of {int(1000 * bought.low)}" in heading


def test_revenue_comes_first_where_it_is_sure(of_case) -> None:
    found = of_case("usual")
    change = found.of("revenue", "mail").estimate
    page = Formats("en", "EUR")
    heading = page.tell(findings.heading(found))
    assert f"{page.money(change.change)} more in revenue" in heading
    assert f"we can be sure of {page.money(change.low)}" in heading
    assert findings.money(found).startswith("It pays") is (found.worth.net.low > 0)


def test_the_verdict_has_the_buyers_that_the_measure_made(of_case) -> None:
    found = of_case("usual")
    told = findings.verdict(found)
    assert told.kind == "fit"
    assert (
        f"about {round(found.worth.customers.change)} customers bought who otherwise" in told.text
    )
    assert "the measure did" in told.reasons[0]


def test_harm_is_called_harm(of_case) -> None:
    found = of_case("harm")
    assert findings.surest(found).stands == -1
    assert "did harm" in findings.heading(found)
    assert "didn't buy who otherwise would have" in findings.effect(found)
    assert findings.money(found).startswith("It doesn't pay")


def test_of_two_groups_the_surest_is_named(of_case) -> None:
    found = of_case("two groups")
    best = findings.surest(found)
    assert best.group in findings.heading(found)
    assert len(found.uplifts) == 6


def test_no_effect_says_what_would_have_been_missed(of_case) -> None:
    found = of_case("no effect")
    assert "no effect could be seen" in findings.heading(found)
    assert "can be chance" in findings.effect(found)
    more = found.next.smallest_share * 1_000
    assert f"below {int(more) + 1} buyers in 1,000" in findings.heading(found)


def test_a_running_test_warns_of_looking_and_draws_no_parts(of_case) -> None:
    for name in ("runs", "runs, begun at once"):
        text = told(of_case(name))
        assert "hold however often one looks" in text
        assert "The next test" not in text
        assert "Before the start" in text
        assert "The test runs until" in text
    assert "A test to be read with care" in told(of_case("runs"))


def test_of_a_broken_lot_no_difference_is_shown(of_case) -> None:
    for name in ("customers lost", "unplanned"):
        found = of_case(name)
        text = told(found)
        assert "Not a sound test" in text
        assert "Difference" not in text
        assert "otherwise wouldn't have" not in text
        assert "By chance" not in text
        assert checks.alarms(found)
    assert "would have about" in told(of_case("customers lost"))
    assert "sms" in checks.alarms(of_case("unplanned"))[0]


def test_why_nothing_can_be_compared_is_said_with_the_remedy(of_case) -> None:
    assert "kontroll" in told(of_case("no control"))
    assert "mail, none" in told(of_case("no control"))
    assert "All 1,413 customers are in one group" in told(of_case("all treated"))
    assert "nobody was treated" in told(of_case("all left alone"))
    assert "has no rows" in told(of_case("nobody"))
    assert "below 50 nothing is told" in told(of_case("few"))
    assert "came in 1 day before the data ends" in told(of_case("has just begun"))


def test_ids_that_the_orders_dont_have_are_named_as_the_cause(of_case) -> None:
    text = told(of_case("ids unknown"))
    assert "aren't those of the orders" in text


def test_without_a_past_there_is_no_correction_and_that_is_known(of_case) -> None:
    found = of_case("data begins with the test")
    assert np.isnan(found.of("revenue").reduction)
    assert found.split.balance.p is None
    assert "too little is known of that time" in told(found)
    assert "Corrected for" not in told(found)


def test_another_test_that_ran_unevenly_is_a_reason_for_care() -> None:
    made = shop(3_000)
    people = assignment(made.groups, PLAN).customers
    mail = people.loc[people["group"] == "mail", ["customer", "start"]]
    other = overlap(people, 90, mail[::2], 30, "Autumn letter")
    found = trial(made, overlaps=(other,))
    verdict = findings.verdict(found)
    assert verdict.kind == "care"
    assert any("Autumn letter" in reason for reason in verdict.reasons)
    even = overlap(people, 90, people[["customer", "start"]][::3], 30, "Autumn letter")
    calm = trial(made, overlaps=(even,))
    assert findings.verdict(calm).kind == "fit"
    assert any("doesn't touch the difference" in note for note in checks.overlaps(calm))


def test_one_customer_who_makes_the_result_is_told_of() -> None:
    made = shop(1_000, effect=0.0)
    who = made.groups.loc[made.groups["group"] == "mail", "customer"].iloc[0]
    huge = pd.DataFrame({"customer": [who], "date": [pd.Timestamp(START)], "amount": [50_000.0]})
    found = trial(
        groups_of(Shop(pd.concat([made.orders, huge]), *(made.groups, 0, 0, 0)), made.groups)
    )
    verdict = findings.verdict(found)
    assert verdict.kind == "care"
    assert any("One customer has" in one or "hangs on one" in one for one in verdict.reasons)


def test_duplicates_and_customers_in_several_groups_are_told_of() -> None:
    made = shop(3_000)
    again = made.groups[:7]
    moved = made.groups[10:13].assign(
        group=lambda f: f["group"].map({"none": "mail", "mail": "none"})
    )
    found = trial(groups_of(made, pd.concat([made.groups, again, moved])))
    notes = " ".join(checks.kept_out(found))
    assert "7 customers have several rows in the same group" in notes
    assert "3 customers are in several groups and left out" in notes


def test_the_next_test_is_larger_where_this_one_could_not_see_enough(of_case) -> None:
    found = of_case("usual")
    assert "the next test takes" in ahead.heading(found)
    assert "shows in four tests of five" in ahead.could_see(found)


def test_a_client_file_with_two_tests_tells_of_both_and_of_who_is_in_both(tmp_path: Path) -> None:
    made = shop(2_000)
    file = write(tmp_path, made)
    other = made.groups[::3].assign(group=lambda f: np.where(f.index % 2, "none", "letter"))
    rows = pd.concat([other, pd.DataFrame({"customer": ["c1"], "group": ["none"], "start": ["?"]})])
    rows.to_csv(tmp_path / "letter.csv", sep=";", index=False, date_format="%Y-%m-%d")
    with file.open("a", encoding="utf-8") as client:
        client.write(
            "  letter:\n    source: letter.csv\n    control: none\n    days: 30\n"
            "    columns: {customer: customer, group: group, start: start}\n"
        )
    base = read_base(read_client_file(file).params, tmp_path)
    first, second = experiments(base)
    assert (first.plan.title, second.plan.title) == ("Summer mail", "letter")
    assert first.plan.margin == 0.4
    assert first.split.overlaps[0].customers == second.split.overlaps[0].customers == 667
    page = page_of(base)
    shown = experiment_parts.sections((first, second), page)
    names = [one.metadata["retention"].get("anchor") for one in shown]
    assert "test-summer-mail" in names
    assert "test-letter" in names
    assert "No date, or an impossible one: 1 row of the test, left out." in told(second)


def test_a_client_without_tests_has_no_section(tmp_path: Path) -> None:
    base = base_of([("a", dt.date(2024, 1, 1), 5.0)])
    assert experiments(base) == ()
    assert experiment_parts.sections(experiments(base), page_of(base)) == []
