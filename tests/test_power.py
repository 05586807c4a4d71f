"""`retention power`: a test planned on the command line, in sentences and tables."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from retention_lib.cli import app
from retention_lib.loyalty.looks import limits


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["power", *words])


def lines(*words: str) -> list[str]:
    found = run(*words)
    assert found.exit_code == 0, found.stderr
    return [" ".join(line.split()) for line in found.stdout.splitlines() if line.strip()]


def planned(*words: str) -> dict[str, Any]:
    found = run(*words, "--json")
    assert found.exit_code == 0, found.stderr
    told: dict[str, Any] = json.loads(found.stdout)
    return told


def test_a_share_and_the_customers_at_hand() -> None:
    told = lines("--share", "12.8%", "--rise", "3", "--customers", "2873")
    assert told[0] == "From 12.8% with nothing done to 15.8%: a rise of 3 points."
    assert told[1] == (
        "To be seen in 80% of tests, with at most 5% false alarms, it takes, by lot:"
    )
    assert {"measure 2,133", "control 2,133", "together 4,266"} <= {*told}
    assert (
        "2,873 customers are too few: they show this rise in 63.3% of tests, and the smallest "
        "that they show is 3.69 points."
    ) in told
    assert "3 points 4,266 63.3%" in told
    assert told[-1] == (
        "Look once, at the end. Who looks 5 times and stops as soon as p is below 5% is fooled by "
        "14.2% of the tests of a measure that does nothing. To look earlier, plan it: --looks."
    )


def test_the_same_share_however_it_is_typed() -> None:
    one = planned("--share", "12.8%", "--rise", "3")
    assert one == planned("--share", "0.128", "--rise", "3")
    assert one == planned("--share", "12,8 %", "--rise", "3")
    assert one["measure"] == "share"
    assert one["size"] == {"measure": 2_133, "control": 2_133, "together": 4_266}


def test_an_amount_several_measures_and_what_came_before() -> None:
    words = ("--sd", "110", "--rise", "8", "--groups", "3", "--control", "20%")
    told = lines(*words, "--correlation", "0.6")
    assert told[0] == (
        "A rise of 8 a customer, where customers differ by 110 (standard deviation); what the same "
        "customers did before foretells 36% of the variance."
    )
    assert told[1].startswith("To be seen in 80% of tests, with at most 5% false alarms, over all ")
    assert {"measure 1 3,451", "measure 2 3,451", "control 1,726"} <= {*told}
    without = planned(*words)["size"]["together"]
    assert planned(*words, "--correlation", "0.6")["size"]["together"] == pytest.approx(
        0.64 * without, abs=3
    )


def test_looks_are_planned_with_their_limits() -> None:
    told = lines("--share", "10%", "--rise", "2", "--looks", "5")
    assert told[-6].startswith("Who looks 5 times and stops as soon as p is below 5% is fooled by ")
    assert told[-6].endswith("With these limits it is 5%. Stop at a look only where:")
    # O'Brien & Fleming's limits of |z| are 4.562, 3.226, 2.634, 2.281, 2.040
    assert [line.split("p below ")[1].split()[0] for line in told[-5:]] == [
        *("5.1e-06", "0.0013", "0.0084", "0.023", "0.041")
    ]
    found = planned("--share", "10%", "--rise", "2", "--looks", "5")
    assert found["limits"] == [*limits(5, 0.05)]
    # as many as with one look and 1.028 times (Jennison & Turnbull 2000, table 2.4)
    together = found["size"]["together"]
    assert together == pytest.approx(1.028 * 7_670, rel=0.001)
    assert told[-1].endswith(f"(after {together:,} customers)")


def test_without_a_rise_it_is_the_smallest_that_the_customers_show() -> None:
    found = planned("--share", "10%", "--customers", "7670")
    assert found["rise"] == found["smallest"] == pytest.approx(0.02, abs=1e-5)
    told = lines("--share", "10%", "--customers", "7670")
    assert "That is the smallest rise that 7,670 customers show." in told


def test_the_curve_ends_where_there_are_no_more_customers_to_win() -> None:
    found = planned("--share", "95%", "--rise", "4")
    assert [round(point["rise"], 4) for point in found["curve"]] == [0.02, 0.03, 0.04, 0.05]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "--share or --sd: give one of them"),
        (("--share", "10%", "--sd", "5"), "--share or --sd: give one of them"),
        (("--share", "10%"), "--rise or --customers: give one of them"),
        (("--share", "12.8", "--rise", "3"), "as 0.128 (12.8% is meant?)"),
        (("--share", "much", "--rise", "3"), "--share: 'much' is no share"),
        (("--share", "100%", "--rise", "3"), "--share: of 100% none are left to be won"),
        (("--share", "99%", "--rise", "3"), "--rise: 99% and 3 points more are more than all"),
        (("--share", "10%", "--rise", "0"), "--rise: 0 is no rise"),
        (("--share", "10%", "--rise", "nan"), "--rise: nan is no rise"),
        (("--sd", "0", "--rise", "1"), "--sd: 0 is no standard deviation"),
        (("--sd", "nan", "--rise", "1"), "--sd: nan is no standard deviation"),
        (("--sd", "9", "--rise", "1", "--correlation", "1"), "--correlation: 1 doesn't lie"),
        (("--share", "9%", "--rise", "1", "--correlation", ".5"), "--correlation belongs to an"),
        (("--share", "9%", "--customers", "1"), "--customers: 1 are too few for 2 groups"),
        (("--share", "90%", "--customers", "9"), "--customers: 9 show no rise at all"),
        (("--share", "9%", "--rise", "1", "--groups", "1"), "--groups: 1 can't be planned"),
        (("--share", "9%", "--rise", "1", "--looks", "99"), "--looks: 99 can't be planned"),
        (("--share", "9%", "--rise", "1", "--control", "100%"), "--control: a control group of"),
        (("--share", "9%", "--rise", "1", "--level", "60%"), "--level: 60% isn't above 0%"),
        (("--share", "9%", "--rise", "1", "--power", "4%"), "--power: 4% isn't between"),
    ],
)
def test_what_cannot_be_planned_is_a_sentence(words: tuple[str, ...], sentence: str) -> None:
    found = run(*words)
    assert found.exit_code == 2
    assert found.stdout == ""
    assert sentence in found.stderr
    assert len(found.stderr.splitlines()) == 1
