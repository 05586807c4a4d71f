"""Ids that a spreadsheet changed: what is told of them, and what is let be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_lib.data.damaged_ids import DamagedIds, damaged_ids


def found(*ids: str) -> list[DamagedIds]:
    return damaged_ids(ibis.memtable({"customer": [*ids, *ids]}, schema={"customer": "string"}))


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["7", "007", "0007", "12", "0012"], DamagedIds("zeros", 3, ("12", "0012"))),
        (["1001", "1001.0", "1002.0"], DamagedIds("decimals", 1, ("1001.0", "1001"))),
        (["Anna@x.no", "anna@x.no", "bo@x.no"], DamagedIds("case", 1, ("anna@x.no", "Anna@x.no"))),
        (["1,23457E+12", "1.2E+10", "7"], DamagedIds("shortened", 2, ("1,23457E+12",))),
    ],
)
def test_what_a_spreadsheet_did_to_ids_is_told(ids: list[str], expected: DamagedIds) -> None:
    assert found(*ids) == [expected]


@pytest.mark.parametrize(
    "ids",
    [
        ["0007", "0123", "4567"],
        ["7", "70", "700"],
        ["a7", "a07"],
        ["1001.0", "1002.0"],
        ["1.50", "1.5"],
        ["1E5", "E+12"],
        [""],
        [],
    ],
)
def test_ids_that_differ_otherwise_are_let_be(ids: list[str]) -> None:
    assert found(*ids) == []


KEYS: dict[str, Callable[[str], str]] = {
    "zeros": lambda i: i.lstrip("0") if i.isdigit() else f"other {i}",
    "case": str.lower,
}


@settings(max_examples=25)
@given(st.sets(st.text("01Ab", min_size=1, max_size=4), max_size=12))
def test_the_number_is_of_ids_that_are_one_too_many(ids: set[str]) -> None:
    counted = {one.how: one.ids for one in found(*sorted(ids))}
    for how, key in KEYS.items():
        expected = sum(n - 1 for n in Counter(map(key, ids)).values())
        assert counted.get(how, 0) == expected  # type: ignore[call-overload]
