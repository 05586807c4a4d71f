"""A file as clients send it goes from a proposal to a report without an edit, and its figures hold.

The shop is made up in plain rows (`nordlys`); the file is written from them, and what the report
has to say is worked out from the rows.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import nordlys
import pandas as pd
import pytest
from oracle import sql

from retention_lib.report.language import Formats

pytestmark = pytest.mark.slow

NO = Formats("nb", "NOK")

COMMANDS = (
    ("init", "nordlys", "eksport.csv"),
    ("check", "params/nordlys.yaml"),
    ("report", "params/nordlys.yaml"),
)
#: A year of months that ends on the last day: the window of the report, and the one before.
PERIOD = (dt.date(2024, 1, 1), dt.date(2024, 12, 31))
BEFORE = (dt.date(2023, 1, 1), dt.date(2023, 12, 31))


def spaced(text: str) -> str:
    """The text with plain spaces, as `Ran.page` has it."""
    return re.sub(r"\s+", " ", text)


@dataclass(frozen=True)
class Ran:
    """What the three commands left and said."""

    shop: nordlys.Shop
    folder: Path
    said: dict[str, str]

    @property
    def made(self) -> Path:
        return self.folder / "reports" / "nordlys" / "2024-12-31"

    @property
    def metrics(self) -> dict[str, Any]:
        return json.loads((self.made / "metrics.json").read_text())["metrics"]

    @property
    def page(self) -> str:
        """The report's text."""
        html = (self.made / "report.html").read_text()
        html = re.sub(r"<(style|svg)\b.*?</\1>", " ", html, flags=re.S)
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html).replace("&#39;", "'"))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("work")
    shop = nordlys.shop()
    (folder / "eksport.csv").write_bytes(shop.export)
    said = {}
    for command in COMMANDS:
        done = subprocess.run(
            [Path(sys.executable).parent / "retention", *command],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said[command[0]] = done.stdout
    assert (folder / "eksport.csv").read_bytes() == shop.export
    return Ran(shop, folder, said)


def test_the_file_is_what_clients_send(ran: Ran) -> None:
    with pytest.raises(UnicodeDecodeError):
        ran.shop.export.decode("utf-8")
    text = ran.shop.export.decode("cp1252")
    assert not text.startswith(nordlys.HEADER)  # a title stands above
    for odd in (
        ";kr ",
        "\u00a0",
        ",50;",
        ";-kr ",
        ";kr -",
        "\n(blank);",
        "\n0;",
        "\n;",
        "\nSum;;;",
    ):
        assert odd in text


def test_the_figures_are_those_of_the_rows(ran: Ran) -> None:
    bought: dict[str, set[dt.date]] = defaultdict(set)
    by_day: dict[tuple[str, dt.date], Decimal] = defaultdict(Decimal)
    orders: dict[tuple[str, int], list[nordlys.Line]] = defaultdict(list)
    for line in ran.shop.lines:
        by_day[line.customer, line.day] += line.amount
        orders[line.customer, line.order].append(line)
    for (customer, day), amount in by_day.items():
        if amount > 0:
            bought[customer].add(day)

    def within(window: tuple[dt.date, dt.date]) -> set[str]:
        return {c for c, days in bought.items() if any(window[0] <= d <= window[1] for d in days)}

    at_start, at_end = within(BEFORE), within(PERIOD)
    revenue = sum(a for (_, day), a in by_day.items() if PERIOD[0] <= day <= PERIOD[1])
    counted = [
        lines
        for lines in orders.values()
        if sum(line.amount for line in lines) > 0 and min(x.day for x in lines) >= PERIOD[0]
    ]
    assert ran.metrics["customers.total"]["value"] == len(bought)
    assert ran.metrics["customers.at_start"]["value"] == len(at_start)
    assert ran.metrics["orders.count"]["value"] == len(counted)
    assert ran.metrics["revenue.net"]["value"] == pytest.approx(float(revenue), abs=0.005)
    rate = len(at_start & at_end) / len(at_start)
    assert ran.metrics["retention.rate"]["value"] == pytest.approx(rate, rel=1e-11)


def test_every_figure_on_orders_is_the_oracles(ran: Ran) -> None:
    raw = pd.DataFrame(
        [(x.customer, x.day, str(x.amount), x.order) for x in ran.shop.lines],
        columns=["customer", "date", "amount", "order"],
    )
    expected = sql.metrics(raw, as_of="2024-12-31")
    for name, value in expected.items():
        assert ran.metrics[name]["value"] == pytest.approx(value, rel=1e-9, abs=1e-9), name


def test_rows_in_are_rows_used_and_rows_left_out_as_printed(ran: Ran) -> None:
    shop = ran.shop
    used, rows = len(shop.lines), shop.rows
    assert f"{used:,} of {rows:,} rows are used" in ran.said["check"]
    left_out = [
        int(n.replace(",", "")) for n in re.findall(r"left out: ([\d,]+) row", ran.said["check"])
    ]
    assert sorted(left_out) == sorted([len(shop.guests), len(shop.nameless), 1])
    assert used + sum(left_out) == rows
    for cause, n in (
        ("Used", used),
        ("Guest or placeholder id", len(shop.guests)),
        ("No customer id", len(shop.nameless)),
        ("No date, or an impossible one", 1),
        ("All rows", rows),
    ):
        assert spaced(f"{NO.say(cause)} {NO.count(n)} {NO.share(n / rows)}") in ran.page


def test_shares_of_revenue_are_of_the_revenue_and_not_of_its_total_line(ran: Ran) -> None:
    def worth(lines: list[nordlys.Line]) -> Decimal:
        return sum((line.amount for line in lines), Decimal(0))

    everything = worth([*ran.shop.lines, *ran.shop.guests, *ran.shop.nameless])
    for lines in (ran.shop.guests, ran.shop.nameless):
        of_rows, of_revenue = len(lines) / ran.shop.rows, worth(lines) / everything
        said = f"That is {of_rows:.1%} of the rows and {of_revenue:.1%} of the revenue."
        assert said in ran.said["check"]


def test_what_to_know_of_the_shop_is_told(ran: Ran) -> None:
    refunds = sum(line.amount < 0 for line in ran.shop.lines)
    last = {x.order for x in ran.shop.lines if x.day == nordlys.LAST and x.amount > 0}
    for words in (
        "it is likely a line of totals",
        f"December 31, 2024, has {len(last)} orders where the same weekday usually has",
        f"{refunds:,} rows are returns or cancellations",
        "60 rows, 0.2%, are equal to another in every column that is read",
        "has 26.6% of all revenue: means and totals lean on a single account",
        f"{len(ran.shop.guests) + len(ran.shop.nameless):,} rows, 12.0%",
    ):
        assert words in ran.said["check"]


def test_the_client_reads_it_in_norwegian(ran: Ran) -> None:
    last = {x.order for x in ran.shop.lines if x.day == nordlys.LAST and x.amount > 0}
    for words in (
        f"31. desember 2024, har {NO.count(len(last))} ordrer",
        "60 rader, 0,2 %",
        "26,6 % av all omsetning",
        f"{NO.count(len(ran.shop.guests) + len(ran.shop.nameless))} rader, 12,0 %",
    ):
        assert spaced(words) in ran.page


def test_an_id_keeps_its_zeros_and_stays_out_of_the_page(ran: Ran) -> None:
    exported = pd.read_parquet(ran.made / "customers.parquet")
    ids = {line.customer for line in ran.shop.lines}
    assert set(exported.reset_index()["customer"]) <= ids
    assert nordlys.RESELLER in ids
    assert nordlys.RESELLER not in ran.page
    assert nordlys.RESELLER in ran.said["check"]
