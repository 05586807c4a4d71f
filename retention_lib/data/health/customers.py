"""Customers who are none, or more than one, or one who is all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.damaged_ids import DamagedIds, damaged_ids
from retention_lib.data.health.concern import Concern
from retention_lib.data.quality import placeholders as find_placeholders
from retention_lib.metrics import Metric
from retention_lib.sentence import Sentence, counted

#: One customer with this share of all revenue bends every mean; asked of bases this large.
EXTREME_SHARE: Final = 0.20
EXTREME_CUSTOMERS: Final = 20

#: Placeholders that get a sentence of their own; the others are counted.
NAMED: Final = 5

#: What stands behind a firm's name and in no address.
_LEGAL_FORMS: Final = {"as", "asa", "ab", "aps", "a/s", "oy", "oyj", "gmbh", "ltd", "inc", "bv"}


def placeholders(base: Base, named: Callable[[str], str]) -> list[Concern]:
    """Ids that are likely nobody in particular."""
    found = find_placeholders(base).to_dict("records")
    said = [
        counted(
            int(row["orders"]),
            "The id {customer} has one order, {share} of all: it is likely no single customer but "
            "stands for guests, a till or tests.",
            "The id {customer} has {n} orders, {share} of all: it is likely no single customer but "
            "stands for guests, a till or tests.",
            customer=named(row["customer"]),
            share=Metric(float(row["share"]), "share"),
        )
        for row in found[:NAMED]
    ]
    if more := found[NAMED:]:
        orders = sum(int(row["orders"]) for row in more)
        said.append(
            counted(
                len(more),
                "One more id is like that, with {orders} orders.",
                "{n} more ids are like that, with {orders} orders in all.",
                orders=orders,
            )
        )
    return [Concern("placeholder", sentence, "guest_ids") for sentence in said]


def extreme(base: Base, named: Callable[[str], str]) -> Concern | None:
    """One customer with a fifth of all revenue."""
    customers = base.customers()
    total = float(customers["revenue"].sum())
    if len(customers) < EXTREME_CUSTOMERS or total <= 0:
        return None
    largest = customers["revenue"].idxmax()
    share = float(customers["revenue"].max()) / total
    if share < EXTREME_SHARE:
        return None
    said = Sentence(
        "One customer, {customer}, has {share} of all revenue: means and totals lean on a single "
        "account. If it is a reseller or the shop itself, leave it out.",
        customer=named(str(largest)),
        share=Metric(share, "share"),
    )
    return Concern("extreme_customer", said, "guest_ids")


_DAMAGED: Final = {
    "zeros": (
        "One id differs from another by leading zeros only",
        "{n} ids differ from others by leading zeros only",
        "{example}: they are counted as different customers. A spreadsheet likely took the zeros "
        "off; have the ids exported as text.",
    ),
    "decimals": (
        "One id differs from another only by a .0 behind the number",
        "{n} ids differ from others only by a .0 behind the number",
        "{example}: they are counted as different customers. Have the ids exported as text.",
    ),
    "case": (
        "One id differs from another by upper and lower case only",
        "{n} ids differ from others by upper and lower case only",
        "{example}: they are counted as different customers. If they are the same, have the ids "
        "exported in one spelling.",
    ),
    "shortened": (
        "One id looks like a number shortened by a spreadsheet",
        "{n} ids look like numbers shortened by a spreadsheet",
        "{example}: several customers may have become one. Have the ids exported as text.",
    ),
}


def damaged(base: Base, named: Callable[[str], str]) -> list[Concern]:
    """Ids that a spreadsheet or a second system changed on their way."""
    return [_damaged(one, named) for one in damaged_ids(base.days)]


def _damaged(one: DamagedIds, named: Callable[[str], str]) -> Concern:
    single, several, consequence = _DAMAGED[one.how]
    example = ', such as "{a}" and "{b}"' if len(one.example) > 1 else ', such as "{a}"'
    rest = consequence.replace("{example}", example)
    shown = dict(zip("ab", map(named, one.example), strict=False))
    sentence = counted(one.ids, single + rest, several + rest, **shown)
    return Concern(f"ids_{one.how}", sentence, "columns")


def internal(base: Base) -> list[Concern]:
    """Customers whose address is the client's own: employees, the shop itself, or tests."""
    labels = _own_labels(base.params.client, base.params.title or "")
    if not labels:
        return []
    customer = base.days[schema.CUSTOMER]
    # ids by their domain, which alone is shown: it is nobody's name
    domain = customer.lower().re_extract(r"@([^@\s]+)$", 1)
    own = base.days.mutate(domain=domain)
    own = own.filter(own.domain.re_search(rf"(^|\.)({'|'.join(labels)})\.[a-z]{{2,6}}$"))
    found = own.group_by("domain").aggregate(
        customers=own[schema.CUSTOMER].nunique(), amount=own[schema.AMOUNT].sum().cast("float64")
    )
    return [
        Concern(
            "internal",
            counted(
                int(row["customers"]),
                "One customer has an address at {domain}, which looks like the client's own, and "
                "spent {amount}: an employee, the shop itself, or a test?",
                "{n} customers have an address at {domain}, which looks like the client's own, and "
                "spent {amount}: employees, the shop itself, or tests?",
                domain=str(row["domain"])[:60],
                amount=Metric(float(row["amount"]), "currency"),
            ),
            "guest_ids",
        )
        for row in found.order_by(["domain"]).limit(NAMED).to_pyarrow().to_pylist()
    ]


def _own_labels(client: str, title: str) -> list[str]:
    """How the client's name may stand in an address, as patterns."""
    words = [word for word in title.lower().split() if word.strip(".,") not in _LEGAL_FORMS]
    names = {"".join(re.findall(r"\w", name)) for name in (client, "".join(words))}
    # of a name of three letters there are too many
    return sorted("-?".join(map(re.escape, name)) for name in names if len(name) > 3)
