"""How amounts and dates are written is told from the column: one answer for all its rows."""

from __future__ import annotations

import dataclasses
import datetime as dt
import string
from collections.abc import Sequence
from decimal import Decimal

import ibis
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from retention_lib.data.amount_signs import amount_signs
from retention_lib.data.day_formats import day_format
from retention_lib.data.local import connect
from retention_lib.data.text import amount_from_text, time_from_text
from retention_lib.data.understood import Understood, sentences
from retention_lib.keys.parts import CsvFormat

CON = connect("Europe/Oslo")


def amounts(texts: Sequence[str]) -> list[Decimal | None]:
    """The amounts of a column as they are read after its signs were told."""
    signs = amount_signs(texts)
    assert signs.question is None, signs.question
    table = ibis.memtable({"n": range(len(texts)), "t": list(texts)})
    column = amount_from_text(table.t, signs.decimal, signs.thousands, signs.marks)
    return CON.to_pyarrow(table.select("n", v=column).order_by("n"))["v"].to_pylist()


def times(texts: Sequence[str]) -> list[dt.datetime | None]:
    """The local times of a column as they are read after its format was told."""
    days = day_format(texts)
    assert days.question is None, days.question
    table = ibis.memtable({"n": range(len(texts)), "t": list(texts)})
    column = time_from_text(table.t, days.pattern, "Europe/Oslo")
    return CON.to_pyarrow(table.select("n", v=column).order_by("n"))["v"].to_pylist()


# --- amounts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 234,50", "1234.5"),
        ("1\u00a0234,50", "1234.5"),
        ("1\u202f234\u202f567,50", "1234567.5"),
        ("1.234,50", "1234.5"),
        ("1'234.50", "1234.5"),
        ("1’234’567.50", "1234567.5"),
        ("1,234.50", "1234.5"),
        ("1.234.567", "1234567"),
        ("1,234,567", "1234567"),
        ("kr 1 234,50", "1234.5"),
        ("1 234,50 kr", "1234.5"),
        ("1 234,50 kr.", "1234.5"),
        ("Kr. 5", "5"),
        ("NOK 12,-", "12"),
        ("12,- NOK", "12"),
        ("12.-", "12"),
        ("12:-", "12"),
        ("1 234,–", "1234"),
        ("€ 5", "5"),
        ("5€", "5"),
        ("$1,234.50", "1234.5"),
        ("-$5.25", "-5.25"),
        ("$-5.25", "-5.25"),
        ("(1 234,50)", "-1234.5"),
        ("(kr 12,-)", "-12"),
        ("12,50-", "-12.5"),
        ("12,50- kr", "-12.5"),
        ("−12,50", "-12.5"),
        ("– 12,50", "-12.5"),
        ("- 12,50", "-12.5"),
        ("kr -12,50", "-12.5"),
        ("-kr 12,50", "-12.5"),
        ("+12,50", "12.5"),
        (",50", "0.5"),
        ("0,125", "0.125"),
        ("1234,567", "1234.567"),
        ("12,", "12"),
        ("  7 ", "7"),
        ("12 50", None),
        ("1,2,3", None),
        ("1.2345,6", None),
        ("kr", None),
        ("-", None),
        ("--5", None),
        ("(-5)", None),
        ("5 stk", None),
        ("5%", None),
        ("1e400", None),
        ("infinity", None),
        ("", None),
    ],
)
def test_an_amount_is_read_as_a_person_reads_it(text: str, expected: str | None) -> None:
    (found,) = amounts([text])
    assert found == (Decimal(expected) if expected else None)


@pytest.mark.parametrize(
    ("column", "signs"),
    [
        (["1.234", "12,50"], (",", ".")),
        (["1,234", "12.50"], (".", ",")),
        (["1.234", "1.234.567"], (",", ".")),
        (["1 234", "1,234"], (",", " ")),
        (["1.234", "0.125"], (".", None)),
        (["1.234", "1234.5"], (".", None)),
        (["5", "100"], (None, None)),
        (["1.234"] + ["12,5"] * 40 + ["12.5"], (",", ".")),
        (["n/a", "12,5"], (",", None)),
    ],
)
def test_one_value_tells_how_the_others_are_meant(
    column: list[str], signs: tuple[str | None, str | None]
) -> None:
    found = amount_signs(column)
    assert (found.decimal, found.thousands, found.question) == (*signs, None)


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (["1.234"], '1.234 can be 1234 or 1 and a bit, and no other amount of the column tells; '
            'write "," where it is 1234, "." where it is a bit more than 1'),
        (["1,500", "20"], "1,500 can be 1500 or 1 and a bit"),
        (["1,500", "2.500"], "2.500 and 1,500 can't both be thousands"),
        (["1,50", "1.50"], "some amounts have a decimal comma (1,50) and others a decimal point"),
    ],
)  # fmt: skip
def test_what_no_value_tells_is_asked(column: list[str], says: str) -> None:
    found = amount_signs(column)
    assert found.question
    assert says in found.question
    for sign in ".,":
        assert amount_signs(column, decimal=sign).question is None
    assert amount_signs(column, thousands=".").decimal == ","


MARKS = ("", "kr", "NOK", "€", "$", "EUR")


@st.composite
def written_amounts(draw: st.DrawFn) -> tuple[list[Decimal], list[str]]:
    decimal, groups = draw(
        st.sampled_from(
            [
                *[(",", sign) for sign in (" ", "\u00a0", "\u202f", ".", "")],
                *[(".", sign) for sign in (" ", ",", "'", "’", "")],
            ]
        )
    )
    mark, in_front = draw(st.sampled_from(MARKS)), draw(st.booleans())
    space = draw(st.sampled_from(["", " ", "\u00a0"]))
    minus = draw(st.sampled_from(["-{}", "−{}", "({})", "{}-", "- {}"]))
    cents = draw(st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=20))
    values = [Decimal(c) / 100 for c in cents]

    def write(value: Decimal) -> str:
        text = f"{abs(value):,.2f}".replace(",", "g").replace(".", decimal).replace("g", groups)
        text = f"{mark}{space}{text}" if in_front else f"{text}{space}{mark}"
        return minus.format(text) if value < 0 else text

    return values, [write(value) for value in values]


@settings(max_examples=60, deadline=None)
@given(written_amounts())
def test_amounts_are_read_back_to_the_cent(column: tuple[list[Decimal], list[str]]) -> None:
    values, texts = column
    assert amounts(texts) == values


# --- dates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("31.12.2025", "2025-12-31"),
        ("31. 12. 2025", "2025-12-31"),
        ("31/12-25", "2025-12-31"),
        ("31/12 2025", "2025-12-31"),
        ("31-12-2025", "2025-12-31"),
        ("31/12/2025", "2025-12-31"),
        ("31.12.25", "2025-12-31"),
        ("31.1.2025", "2025-01-31"),
        ("12/31/2025", "2025-12-31"),
        ("1/31/25", "2025-01-31"),
        ("12/31/2025 3:45 PM", "2025-12-31 15:45"),
        ("12/31/2025, 3:45:10 PM", "2025-12-31 15:45:10"),
        ("Dec 31, 2025", "2025-12-31"),
        ("December 31, 2025", "2025-12-31"),
        ("31 Dec 2025", "2025-12-31"),
        ("31-Dec-25", "2025-12-31"),
        ("31. desember 2025", "2025-12-31"),
        ("31. des. 2025", "2025-12-31"),
        ("1. mai 2025", "2025-05-01"),
        ("1 maj 2025", "2025-05-01"),
        ("1. März 2025", "2025-03-01"),
        ("1 mars 2025", "2025-03-01"),
        ("31. okt. 2025 kl. 10:30", "2025-10-31 10:30"),
        ("20251231", "2025-12-31"),
        ("31122025", "2025-12-31"),
        ("2025-12-31", "2025-12-31"),
        ("2025/12/31", "2025-12-31"),
        ("2025.12.31", "2025-12-31"),
        ("2025-12-31 10:00:00", "2025-12-31 10:00"),
        ("2025-12-31T10:00:00+01:00", "2025-12-31 10:00"),
        ("2025-12-31T23:30:00Z", "2026-01-01 00:30"),
        ("2025-12-31T23:30:00.123456-05:00", "2026-01-01 05:30:00.123456"),
        ("31.12.2025 10:30", "2025-12-31 10:30"),
        ("31.12.2025 10.30", "2025-12-31 10:30"),
        ("31.12.2025, 10:30:15", "2025-12-31 10:30:15"),
        ("31.12.2025 kl. 10:30", "2025-12-31 10:30"),
        ("31.12.2025T10:30:15", "2025-12-31 10:30:15"),
        ("46022", "2025-12-31"),
        ("46022.4375", "2025-12-31 10:30"),
        ("46022,4375", "2025-12-31 10:30"),
        ("1767139200", "2025-12-31 01:00"),
        ("1750000000", "2025-06-15 17:06:40"),
        ("1767139200.5", "2025-12-31 01:00:00.5"),
        ("1767139200500", "2025-12-31 01:00:00.5"),
        ("1767139200500000", "2025-12-31 01:00:00.5"),
        ("1767139200500000000", "2025-12-31 01:00:00.5"),
        ("4512345678", None),  # a telephone number
        ("2024013110", None),  # a day with its hour
        ("31.02.2025", None),
        ("31.12.0001", None),
        ("31.12.9999", None),
        ("0000-00-00", None),
        ("99999", None),
        ("yesterday", None),
        ("31 foo 2025", None),
        ("", None),
    ],
)
def test_a_date_is_read_as_a_person_reads_it(text: str, expected: str | None) -> None:
    (found,) = times([text])
    assert found == (dt.datetime.fromisoformat(expected) if expected else None)


@pytest.mark.parametrize(
    ("column", "pattern"),
    [
        (["03.04.2025", "31.12.2025"], "%d.%m.%Y"),
        (["03/04/2025", "12/31/2025"], "%m/%d/%Y"),
        (["03/04/2025", "31/12/2025"], "%d/%m/%Y"),
        (["05/05/2025", "06/06/2025"], "%d/%m/%Y"),  # the same day either way
        (["01-12-25", "31-12-25"], "%d-%m-%y"),
        (["25-12-31", "25-01-05"], "%y-%m-%d"),
        (["311225", "010225"], "%d%m%y"),
        (["31/12/2025"] * 99 + ["12/31/2025", "01/02/2025"], "%d/%m/%Y"),
        (["2025-01-02", "?"], None),
    ],
)
def test_one_date_tells_how_the_others_are_meant(column: list[str], pattern: str | None) -> None:
    found = day_format(column)
    assert (found.pattern, found.question) == (pattern, None)


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (
            ["03/04-25"],
            "03/04-25 can be the 3rd of April 2025 or the 4th of March 2025, and no date of the "
            "column tells; write %d/%m-%y or %m/%d-%y",
        ),
        (["03.04.2025", "12.11.2025"], "write %d.%m.%Y or %m.%d.%Y"),
        (["01/02/2025 10:00"], "write %d/%m/%Y or %m/%d/%Y"),
        (["25-12-31"], "the 31st of December 2025"),
        (["31/12/2025", "12/31/2025", "01/02/2025"], "those that don't fit are left out"),
    ],
)
def test_what_no_date_tells_is_asked(column: list[str], says: str) -> None:
    found = day_format(column)
    assert found.question
    assert says in found.question


DAYS = ("%d.%m.%Y", "%d.%m.%y", "%d/%m-%y", "%d/%m/%Y", "%m/%d/%Y", "%m/%d/%y", "%d-%m-%Y")
DAYS += ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d%m%Y", "%b %d, %Y", "%d %B %Y", "%d-%b-%y")
TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", "T%H:%M:%S")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2030, 1, 1)), min_size=1),
    st.sampled_from(DAYS),
    st.sampled_from(TIMES),
    st.booleans(),
)
@example([dt.datetime(2025, 4, 3), dt.datetime(2025, 4, 13)], "%d/%m-%y", " %H:%M", True)
def test_times_are_read_back_to_the_day(
    moments: list[dt.datetime], day: str, time: str, padded: bool
) -> None:
    # ISO 8601 knows no morning and evening
    assume(not (day[1] == "Y" and day != "%Y%m%d" and "%p" in time))
    pattern = day + time

    def write(moment: dt.datetime) -> str:
        text = moment.strftime(pattern)
        return text if padded or day[1] in "Yb" or not text.startswith("0") else text[1:]

    # a day after the 12th tells day from month, whatever else is in the column
    told = [*moments, dt.datetime(2024, 12, 31, 13, 30)]
    texts = [m.strftime(pattern) if "m%d%Y" in day or day == "%d%m%Y" else write(m) for m in told]
    assert [t and t.date() for t in times(texts)] == [m.date() for m in told]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(string.printable, max_size=12), max_size=8))
def test_no_text_stops_the_reading(column: list[str]) -> None:
    signs, days = amount_signs(column), day_format(column)
    assert 0 <= signs.fits <= 1
    assert 0 <= days.fits <= 1
    table = ibis.memtable({"t": [*column, "1"]})
    read = table.select(
        amount_from_text(table.t, signs.decimal, signs.thousands, signs.marks).name("a"),
        time_from_text(table.t, days.pattern, "Europe/Oslo").name("b"),
    )
    assert len(CON.to_pyarrow(read)) == len(column) + 1


# --- in words ------------------------------------------------------------------------------------


def test_what_was_understood_is_said() -> None:
    understood = Understood("cp1252", ";", ",", " ", "%d.%m.%Y", 2, ("a",), marks=("kr",))
    assert sentences(understood, CsvFormat(decimal=",")) == [
        "Text in Windows-1252, columns between semicolons.",
        "The header is row 3; what stands above it is left out.",
        "Amounts with decimal comma (as csv.decimal says), a space between thousands, as in "
        "1 234,50; kr beside them.",
        "Dates as in 31.12.2025 (%d.%m.%Y).",
    ]
    book = Understood("utf-8", None, None, None, "excel", 0, ("a",), "%d.%m.%Y", sheet="Ordrer")
    assert sentences(book, CsvFormat()) == [
        'The sheet "Ordrer" is read.',
        "Amounts are numbers in the file already: there is no decimal sign to tell.",
        "Dates as Excel's serial days (46022 is 2025-12-31).",
        "Birthdays as in 31.12.2025 (%d.%m.%Y).",
    ]
    given = CsvFormat(date_format="%d.%m.%Y")
    some = Understood(
        "utf-8", None, ",", None, "%d.%m.%Y", 0, ("a",), typed=frozenset({"birthday"})
    )
    assert sentences(some, given) == [
        "Amounts with decimal comma, as in 1234,50.",
        "Dates as in 31.12.2025 (%d.%m.%Y), as csv.date_format says.",
    ]
    counted = dataclasses.replace(some, date_format="epoch", typed=frozenset({"amount"}))
    assert sentences(counted, CsvFormat()) == [
        "Amounts are numbers in the file already: there is no decimal sign to tell.",
        "Dates as seconds since 1970, or parts of them (1767139200 is 2025-12-31 in UTC).",
    ]
    typed = dataclasses.replace(some, typed=frozenset({"amount", "date", "birthday"}))
    assert sentences(typed, given) == [
        "Amounts are numbers in the file already: there is no decimal sign to tell.",
        "Dates are days in the file already.",
    ]
