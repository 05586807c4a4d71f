"""Rows that are read and whose cells can't be, or that are odd: dates, amounts, ids, currencies."""

from __future__ import annotations

from bad_input import COLUMNS, HEADER, ROW, SECRET, Case, read, refused, rows

CHECK = ("source: no row can be used", "check the names under columns")
NO_PURCHASE = ("source: no row is a purchase", "zero or less")
CURRENCY = {"columns": {**COLUMNS, "currency": "valuta"}}
MONEY = "kunde;dato;sum;valuta\n"


def money(*lines: str) -> str:
    return rows(*lines, header=MONEY)


DATES = {
    "all bad": refused(
        rows("a;soon;1", "b;31.02.2024;1"), *CHECK, "impossible one: 2", "csv.date_format"
    ),
    "some bad": read(
        rows("a;2024-01-01;1", "b;2024-02-31;1", "c;;1"),
        *("1 of 3 rows are used", "left out: 2 rows. No date, or an impossible one."),
    ),
    "year 0001": refused(rows("a;0001-01-01;1"), *CHECK, "impossible one: 1"),
    "year 9999": refused(rows("a;9999-12-31;1"), *CHECK, "impossible one: 1"),
    "year 9999, day first": refused(rows("a;31.12.9999;1"), *CHECK, "impossible one: 1"),
    "year 10000": refused(rows("a;10000-01-01;1"), *CHECK, "impossible one: 1"),
    "year 0000": refused(rows("a;0000-00-00;1"), *CHECK, "impossible one: 1"),
    "before any order": refused(rows("a;1753-01-01;1"), *CHECK, "impossible one: 1"),
    "one in the future": read(
        rows("a;2024-01-01;1", "a;2153-02-01;1"),
        *("1 of 2 rows are used", "left out: 1 row. Dated after today"),
    ),
    "all in the future": refused(
        rows("a;2150-01-01;1", "a;2150-02-01;1"), "no row can be used", "dated after today: 2"
    ),
    "day or month": refused(
        rows("a;03/04-25;1"),
        *("csv.date_format: 03/04-25 can be the 3rd of April 2025 or the 4th of March 2025",),
        "write %d/%m-%y or %m/%d-%y",
    ),
    "day, month or year": refused(
        rows("a;01.02.03;1"), "csv.date_format: 01.02.03", "write %d.%m.%y or %m.%d.%y"
    ),
    "both ways": refused(
        rows("a;31/12/2025;1", "b;12/31/2025;1", "c;01/02/2025;1"),
        *("csv.date_format: 01/02/2025", "write %d/%m/%Y or %m/%d/%Y", "left out and counted"),
    ),
    "day or month, and thousands or decimals": refused(
        rows("a;03/04-25;1.234"), "csv.date_format: 03/04-25", "csv.decimal: 1.234", lines=2
    ),
    "two-digit years": read(
        rows("a;31.12.24;1", "b;01.11.24;1"), "2 of 2 rows are used", "2024-11-01 to 2024-12-31"
    ),
    "a number": refused(rows("a;17.5;1", "b;12.25;1"), *CHECK, "impossible one: 2"),
    "an amount is mapped for them": refused(
        rows("a;2024-01-01;150", "b;2024-01-02;99"),
        *CHECK,
        "impossible one: 2",
        given={"columns": {**COLUMNS, "date": "sum"}},
    ),
    "seconds since 1970": read(
        rows("a;1704067200;1", "b;1704153600;1"),
        *("2 of 2 rows are used", "2024-01-01 to 2024-01-02", "Dates as seconds since 1970"),
    ),
    "a pattern that doesn't fit": refused(
        rows("a;2024-01-01;1"),
        *(*CHECK, "impossible one: 1", "csv.date_format"),
        given={"csv": {"date_format": "%d.%m.%Y"}},
    ),
    "a pattern that is none": refused(
        rows("a;2024-01-01;1"),
        *("acme.yaml, line", "csv.date_format", "yyyy-mm-dd", '"%d.%m.%Y"'),
        given={"csv": {"date_format": "yyyy-mm-dd"}},
        code=2,
    ),
    "a pattern with a letter that means nothing": refused(
        rows("a;2024-01-01;1"),
        *("csv.date_format", "%Q", "isn't a pattern", "%d.%m.%Y %H:%M"),
        given={"csv": {"date_format": "%d.%m.%Q"}},
    ),
}

AMOUNTS = {
    "as text": refused(rows("a;2024-01-01;five", "b;2024-01-01;ti"), *CHECK, "can be read: 2"),
    "infinite": refused(rows("a;2024-01-01;inf", "b;2024-01-01;-Infinity"), *CHECK, "read: 2"),
    "not a number": refused(rows("a;2024-01-01;nan", "b;2024-01-01;NaN"), *CHECK, "read: 2"),
    "spreadsheet errors": refused(
        rows("a;2024-01-01;#REF!", "b;2024-01-01;#I/T"), *CHECK, "can be read: 2"
    ),
    "1e308": refused(rows("a;2024-01-01;1e308"), *CHECK, "can be read: 1"),
    "of 400 digits": refused(rows(f"a;2024-01-01;{'9' * 400}"), *CHECK, "can be read: 1"),
    "one beyond all sense": read(
        rows("a;2024-01-01;5", "b;2024-01-01;1e308", "c;2024-01-01;inf"),
        *("1 of 3 rows are used", "left out: 2 rows. No amount that can be read."),
    ),
    "blank": refused(rows("a;2024-01-01;", "b;2024-01-02;"), *CHECK, "can be read: 2"),
    "thousands or decimals": refused(
        rows("a;2024-01-01;1.234", "b;2024-01-01;15"),
        *("csv.decimal: 1.234 can be 1234 or 1 and a bit", 'write "," where it is 1234'),
    ),
    "commas and points": refused(
        rows("a;2024-01-01;1,50", "b;2024-01-01;1.50"),
        *("csv.decimal", "(1,50)", "(1.50)", 'write "," or "."', "left out and counted"),
    ),
    "commas and points, in 400 digits": refused(
        rows(f"a;2024-01-01;{'9' * 400},50", "b;2024-01-01;1.50"),
        *("csv.decimal", "(1.50)", "999…"),
    ),
    "commas and points, told": read(
        rows("a;2024-01-01;1,50", "b;2024-01-01;1.50"),
        *("1 of 2 rows are used", "left out: 1 row", "as csv.decimal says"),
        given={"csv": {"decimal": ","}},
    ),
    "of several currencies": refused(
        rows("a;2024-01-01;€ 5", "b;2024-01-01;kr 5"),
        *("columns.currency: the amounts are in several currencies (kr, €)", "column of its own"),
    ),
    "of another currency": refused(
        rows("a;2024-01-01;€ 5"),
        *("currency: the amounts are in € and the report in NOK", "set currency to EUR"),
    ),
    "only returns": refused(
        rows("a;2024-01-01;-5", "b;2024-01-02;-6"), *NO_PURCHASE, "2 customers"
    ),
    "only returns, which are dropped": refused(
        rows("a;2024-01-01;-5", "b;2024-01-02;-6"),
        *("source: no row can be used", "return, dropped as the client file says: 2"),
        given={"returns": "drop"},
    ),
    "only zeros": refused(rows("a;2024-01-01;0", "b;2024-01-02;0,00"), *NO_PURCHASE, "free_orders"),
    "only zeros, which are orders": read(
        rows("a;2024-01-01;0", "b;2024-01-02;0,00"),
        *("2 of 2 rows are used; 2 customers", "amount of exactly zero"),
        given={"free_orders": True},
    ),
    "the same column as the dates": refused(
        rows("a;2024-01-01;5"),
        *CHECK,
        "can be read: 1",
        given={"columns": {**COLUMNS, "amount": "dato"}},
    ),
    "pieces and prices of which one is blank": refused(
        rows("a;2024-01-01;2;", header="kunde;dato;antall;pris\n"),
        *CHECK,
        "can be read: 1",
        given={
            "columns": {
                **{"customer": "kunde", "date": "dato", "quantity": "antall"},
                "unit_price": "pris",
            }
        },
    ),
}

LONG = "x" * 10_000
STRANGE = (
    "O'Brien",
    '"the ""best"" one"',
    "👩‍👩‍👧 familie",
    LONG,
    '"\'; DROP TABLE x; --"',
    "=1+1",
)

IDS = {
    "strange": read(
        rows(*(f"{name};2024-01-01;5" for name in STRANGE)), "6 of 6 rows are used; 6 customers"
    ),
    "blank": refused(rows(";2024-01-01;5", "  ;2024-01-02;5"), *CHECK, "no customer id: 2"),
    "all guests": refused(
        rows("0;2024-01-01;5", "guest;2024-01-02;5"),
        *(*CHECK, "guest or placeholder id: 2"),
        given={"guest_ids": ["0", "guest"]},
    ),
    "a placeholder of 10,000 characters": read(
        rows(*[f"{LONG};2024-{m:02}-{d:02};5" for m in range(1, 11) for d in range(1, 21)]),
        "200 of 200 rows are used",
        never=(LONG,),
    ),
    "a placeholder that moves the cursor": read(
        rows(
            *[f"evil\x1b[2J\x07;2024-{m:02}-{d:02};5" for m in range(1, 11) for d in range(1, 21)]
        ),
        "200 of 200 rows are used",
        never=("\x1b", "\x07"),
    ),
    "numbers that lost their leading zeros": read(
        rows(
            *(f"{n:04};2024-01-{n:02};5" for n in range(1, 10)),
            *(f"{n};2024-02-{n:02};5" for n in range(1, 6)),
        ),
        *("14 of 14 rows are used; 14 customers", "5 ids differ from others by leading zeros only"),
        *('such as "1" and "0001"', "counted as different customers", "exported as text"),
    ),
    "numbers with leading zeros": read(
        rows("0007;2024-01-01;5", "0123;2024-01-02;5", "4567;2024-01-03;5"),
        "3 of 3 rows are used; 3 customers",
        never=("leading zeros",),
    ),
    "numbers in scientific notation": read(
        rows("1,23457E+12;2024-01-01;5", "1,23457E+12;2024-01-02;5", "1,23458E+12;2024-01-02;5"),
        *("3 of 3 rows are used", '"1,23457E+12"', "shortened by a spreadsheet"),
    ),
    "copies": refused(
        HEADER + ROW,
        "source: no row can be used",
        "outside the reported window: 1",
        given={"deduplicate": "exact", "as_of": "2023-12-31"},
    ),
}

CURRENCIES = {
    "without a rate": refused(
        money("a;2024-01-01;5;NOK", "b;2024-01-01;5;USD", "c;2024-01-01;5;usd"),
        *("fx: the data has amounts in USD (2 rows) without a rate", "in NOK under fx"),
        given=CURRENCY,
    ),
    "that are none": refused(
        money("a;2024-01-01;5;kroner"),
        *("fx: the data has amounts in KRONER (1 rows)", "under fx"),
        given=CURRENCY,
    ),
    "blank": read(
        money("a;2024-01-01;5;", "b;2024-01-01;5;"),
        *("2 of 2 rows are used", "2 rows name no currency; they are taken as NOK"),
        given=CURRENCY,
    ),
    "with a rate of nothing": refused(
        money("a;2024-01-01;5;EUR"), "fx", "EUR", given={**CURRENCY, "fx": {"EUR": 0}}, code=2
    ),
    "with a rate beyond all sense": refused(
        money("a;2024-01-01;5;EUR"),
        *("fx: one EUR is given as 1e+09 NOK", "allowed is a rate from"),
        given={**CURRENCY, "fx": {"EUR": 1e9}},
    ),
    "that the report hasn't": refused(
        rows("a;2024-01-01;5"),
        *("acme.yaml, line", "currency", '"kroner"', "ISO 4217"),
        given={"currency": "kroner"},
        code=2,
    ),
    "that nobody has": refused(
        rows("a;2024-01-01;5"), "currency", '"XYZ"', given={"currency": "XYZ"}, code=2
    ),
}

WINDOWS = {
    "without a row": refused(
        rows("a;2024-01-01;5", "b;2024-01-02;5"),
        *("source: no row can be used", "outside the reported window: 2", "start and as_of"),
        given={"start": "2025-01-01", "as_of": "2025-12-31"},
    ),
    "that ends before the data": refused(
        rows("a;2024-01-01;5"),
        *("outside the reported window: 1", "start and as_of"),
        given={"as_of": "2023-12-31"},
    ),
    "that starts after the data": refused(
        rows("a;2024-01-01;5"),
        *("outside the reported window: 1", "start and as_of"),
        given={"start": "2024-06-01"},
    ),
    "that ends before it starts": refused(
        rows("a;2024-01-01;5"),
        *("acme.yaml, line", "start", "as_of", "2024-12-31", "2024-01-01"),
        given={"start": "2024-12-31", "as_of": "2024-01-01"},
        code=2,
    ),
    "of days that aren't": refused(
        rows("a;2024-01-01;5"), "as_of", "2024-02-31", given={"as_of": "2024-02-31"}, code=2
    ),
    "that is half empty": read(
        rows("a;2024-01-01;5", "b;2024-06-01;5"),
        *("1 of 2 rows are used", "left out: 1 row", "Outside the reported window"),
        given={"as_of": "2024-03-31"},
    ),
}

BLANK = {
    "an optional column": read(
        rows("a;2024-01-01;5;", "b;2024-01-02;5;", header="kunde;dato;sum;kanal\n"),
        "2 of 2 rows are used",
        given={"columns": {**COLUMNS, "channel": "kanal"}},
    ),
    "the orders' ids": read(
        rows("a;2024-01-01;5;", "b;2024-01-02;5;", header="kunde;dato;sum;ordre\n"),
        "2 of 2 rows are used",
        given={"columns": {**COLUMNS, "order": "ordre"}},
    ),
    "a column mapped for two fields": read(
        rows("a;2024-01-01;5", "b;2024-01-02;5"),
        "2 of 2 rows are used",
        given={"columns": {**COLUMNS, "channel": "kunde"}},
    ),
    "a secret in an odd row": refused(
        rows(f"{SECRET};2024-01-01;{SECRET}"), *CHECK, "can be read: 1", never=(SECRET,)
    ),
}

CASES: dict[str, Case] = {
    f"{group}: {name}": case
    for group, cases in (
        ("dates", DATES),
        ("amounts", AMOUNTS),
        ("ids", IDS),
        ("currencies", CURRENCIES),
        ("a window", WINDOWS),
        ("blank or twice", BLANK),
    )
    for name, case in cases.items()
}
