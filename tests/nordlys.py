"""A made-up Norwegian shop, and its orders as a consultant gets them: one file out of Excel.

The shop is made first, as plain rows; the file is written from them. What a report has to find is
worked out from the rows and never from the file.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from decimal import Decimal

FIRST, LAST = dt.date(2022, 1, 1), dt.date(2024, 12, 31)
GUESTS = ("(blank)", "0")
#: One order of a fifth of all revenue and more.
RESELLER = "010000"
GROUPS = ("Belysning", "Møbler", "Tekstil", "Kjøkken", "Gavekort – å gi bort")
SHOPS = ("Nettbutikk", "Tromsø", "Bodø")
HEADER = "Kundenr;Ordrenr;Ordredato;Beløp;Valuta;Varegruppe;Butikk"


@dataclass(frozen=True)
class Line:
    """A row of the shop's own books."""

    customer: str
    order: int
    day: dt.date
    amount: Decimal
    group: str
    shop: str


@dataclass(frozen=True)
class Shop:
    """The shop's rows by what becomes of them: customers', guests', without a customer."""

    lines: list[Line]
    guests: list[Line]
    nameless: list[Line]
    export: bytes

    @property
    def rows(self) -> int:
        """Rows of the file, the line of totals among them."""
        return len(self.lines) + len(self.guests) + len(self.nameless) + 1


def shop(seed: int = 2024, customers: int = 5_000) -> Shop:
    """The shop and its export, the same for the same seed."""
    dice = random.Random(seed)
    orders = _orders(dice, customers)
    lines = _lines(dice, orders)
    lines += _refunds(dice, lines)
    guests = [line for line in lines if line.customer in GUESTS]
    nameless = [line for line in lines if not line.customer]
    known = [line for line in lines if line.customer and line.customer not in GUESTS]
    known += dice.sample(known, 60)  # rows that stand twice
    everything = [*known, *guests, *nameless]
    dice.shuffle(everything)
    return Shop(known, guests, nameless, _written(dice, everything))


def _orders(dice: random.Random, customers: int) -> list[tuple[str, dt.date]]:
    """Customer and day of each order; the export was made in the morning of the last day."""
    days = (LAST - FIRST).days
    found = []
    for n in range(customers):
        # leading zeros are part of an id
        customer = f"{10_000 + 7 * n:06}"
        day = dice.uniform(-200, days)
        rate, alive = dice.gammavariate(0.8, 1 / 60), True
        while alive and day < days + 1:
            if day >= 0:
                found.append((customer, FIRST + dt.timedelta(days=int(day))))
            day += dice.expovariate(max(rate, 1e-4))
            alive = dice.random() > 0.12
    for guest, share in ((GUESTS[0], 0.08), (GUESTS[1], 0.02), ("", 0.03)):
        found += [(guest, day) for _, day in dice.sample(found, int(share * len(found)))]
    morning = [order for order in found if order[1] == LAST]
    night = set(dice.sample(range(len(morning)), int(0.8 * len(morning))))
    return [o for o in found if o[1] != LAST] + [o for i, o in enumerate(morning) if i not in night]


def _lines(dice: random.Random, orders: list[tuple[str, dt.date]]) -> list[Line]:
    lines = []
    for number, (customer, day) in enumerate(orders, start=500_001):
        shop = dice.choice(SHOPS)
        for _ in range(dice.choice((1, 1, 2, 3))):
            amount = Decimal(round(dice.lognormvariate(6, 0.8), 1)).quantize(Decimal("0.10"))
            lines.append(Line(customer, number, day, amount, dice.choice(GROUPS), shop))
    lines.append(Line(RESELLER, 500_000, FIRST, Decimal("6543210.90"), "Møbler", "Bodø"))
    return lines


def _refunds(dice: random.Random, lines: list[Line]) -> list[Line]:
    """Some lines given back some days later, under the number of their order."""
    refunds = []
    for line in dice.sample(lines, len(lines) // 25):
        day = line.day + dt.timedelta(days=dice.randrange(20))
        if day < LAST:
            refunds.append(
                Line(line.customer, line.order, day, -line.amount, line.group, line.shop)
            )
    return refunds


def _written(dice: random.Random, lines: list[Line]) -> bytes:
    """As Excel saves it in Norway: title, header, rows, a line of totals."""
    total = sum((line.amount for line in lines), Decimal(0))
    text = ["Nordlys Interiør AS – ordrelinjer 2022–2024", HEADER]
    text += [
        f"{line.customer};{line.order};{line.day:%d.%m.%Y};{_kroner(dice, line.amount)};NOK;"
        f"{line.group};{line.shop}"
        for line in lines
    ]
    text.append(f"Sum;;;{_kroner(dice, total)};;;")
    return "\r\n".join([*text, ""]).encode("cp1252")


def _kroner(dice: random.Random, amount: Decimal) -> str:
    """1 234,50 with the spaces, signs and marks that stand side by side in such files."""
    space = dice.choice((" ", "\u00a0"))
    digits = f"{abs(amount):,.2f}".replace(",", space).replace(".", ",")
    if amount < 0:
        return dice.choice((f"-{digits}", f"kr -{digits}", f"-kr {digits}"))
    return dice.choice((f"kr {digits}", digits))
