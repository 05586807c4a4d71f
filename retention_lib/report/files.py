"""The files that a chapter leaves beside the report: the customers, and the lists to act on.

The lists go out twice: as a workbook, whose sheets a person works through, and as CSV, which a mail
tool takes. Both carry the real ids, and in both half of each list is drawn by lot as a control
group, the same half.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.handover import output_folder
from retention_lib.report.customers import COLUMNS
from retention_lib.report.language import Formats
from retention_lib.report.mail_lists import write_list
from retention_lib.report.tables import Format
from retention_lib.report.workbook import Sheet, write_workbook
from retention_lib.report_files import ACTIONS, CUSTOMERS
from retention_lib.retention import lists as rules
from retention_lib.retention.lists import ActionList
from retention_lib.retention.lots import CONTROL, MEASURE, draw_lots
from retention_lib.sentence import N_, Sentence

LISTS = "lists"

#: How every column that a list can have is written.
FORMATS: Final[dict[str, Format]] = {
    "due": "date",
    "late": "date",
    "days_late": "days",
    "days_left": "days",
    "second_by": "date",
    "category": "text",
    "next_category": "text",
    "share": "share",
    "lift": "ratio",
    "n": "count",
    "birthday": "date",
    "anniversary": "date",
    "years": "count",
    "score": "count",
    "answered": "date",
    "points": "number",
    "worth": "currency",
    "joined": "date",
    "renewal": "date",
    "last_day": "date",
    "plan": "text",
    "amount": "currency",
    "renewals": "count",
    "p_leave": "share",
    "segment": "text",
    "tier": "text",
    "first": "date",
    "last": "date",
    "purchases": "count",
    "revenue": "currency",
    "p_alive": "share",
    "expected_purchases": "number",
    "clv": "currency",
    "value_at_stake": "currency",
}
#: And what it is called.
LABELS: Final = {
    "customer": N_("Customer"),
    "group": N_("Group"),
    "due": N_("Due"),
    "late": N_("Late from"),
    "days_late": N_("Days late"),
    "days_left": N_("Days left"),
    "second_by": N_("Second by"),
    "category": N_("Bought"),
    "next_category": N_("Offer next"),
    "share": N_("Share who add it"),
    "lift": N_("Times as likely"),
    "n": N_("Buyers counted"),
    "birthday": N_("Birthday"),
    "anniversary": N_("Anniversary"),
    "years": N_("Years"),
    "score": N_("Score"),
    "answered": N_("Answered"),
    "points": N_("Points"),
    "worth": N_("Worth"),
    "joined": N_("Joined"),
    "renewal": N_("Renewal"),
    "last_day": N_("Last day"),
    "plan": N_("Plan"),
    "amount": N_("Amount"),
    "renewals": N_("Renewals"),
    "p_leave": N_("P(leaves)"),
    "segment": N_("Segment"),
    "tier": N_("Tier"),
    "first": N_("First purchase"),
    "last": N_("Last purchase"),
    "purchases": N_("Purchases"),
    "revenue": N_("Revenue so far"),
    "p_alive": N_("P(alive)"),
    "expected_purchases": N_("Expected purchases"),
    "clv": N_("CLV"),
    "value_at_stake": N_("Value at stake"),
}
NOTES: Final = (
    Sentence(
        "Group: half of each list, drawn by lot, is its control group. Leave it out of what you "
        "do; how many of each half have bought again some months on shows what that brought."
    ),
    Sentence("A customer can be on several lists. Write to each once; the first list goes first."),
)


def leave(
    base: Base, customers: pd.DataFrame, lists: Sequence[ActionList], formats: Formats
) -> None:
    """Leave `customers.parquet`, `actions.xlsx` and `lists/` to go out with the report.

    Only a run of `retention report` has a place for them; a notebook that is run by itself leaves
    nothing behind. They carry the real ids.
    """
    folder = output_folder()
    if folder is None:
        return
    customers[list(COLUMNS)].to_parquet(folder / CUSTOMERS)
    drawn = [with_lots(one, base) for one in lists]
    write_workbook(
        folder / ACTIONS,
        [_sheet(one, frame, formats) for one, frame in zip(lists, drawn, strict=True)],
        formats,
        client=base.params.title or base.params.client,
        as_of=base.as_of,
        notes=[formats.tell(note) for note in NOTES] if lists else (),
    )
    if lists:
        (folder / LISTS).mkdir(exist_ok=True)
    for one, frame in zip(lists, drawn, strict=True):
        write_list(folder / LISTS / f"{one.id}.csv", frame, _formats(one))


def with_lots(one: ActionList, base: Base) -> pd.DataFrame:
    """Everybody on a list, with the column `group` (`lots`): a lot for this client, list, day."""
    seed = f"{base.params.client}\0{one.id}\0{base.as_of.isoformat()}"
    frame = one.everyone.assign(group=draw_lots(one.everyone.index, seed))
    return frame.rename_axis("customer").reset_index()


def _formats(one: ActionList) -> dict[str, Format]:
    own = {column: FORMATS[column] for column in (*one.own, *rules.COLUMNS)}
    return {"customer": "text", "group": "text", **own}


def _sheet(one: ActionList, frame: pd.DataFrame, formats: Formats) -> Sheet:
    """The first of a list, as many as a person goes through."""
    say = formats.say
    groups = {MEASURE: say("Measure"), CONTROL: say("Control")}
    about = formats.tell(one.about)
    if one.eligible > rules.MOST:
        cut = say(
            "The sheet has the first {n} of them; {file} has all.",
            n=formats.count(rules.MOST),
            file=f"{LISTS}/{one.id}.csv",
        )
        about = f"{about} {cut}"
    first = frame.head(rules.MOST)
    return Sheet(
        name=say(one.title),
        about=about,
        frame=first.assign(
            group=first["group"].map(groups),
            # who is on a list out of another data set needn't be in the orders
            segment=first["segment"].map(say, na_action="ignore"),
        ),
        formats=_formats(one),
        labels={column: say(text) for column, text in LABELS.items()},
        at_stake="value_at_stake",
        whole=(one.eligible, one.eligible_at_stake),
    )
