"""`retention init`: a client file proposed from a data file (CONTRACT, section 5).

The file is looked at, its columns are mapped by their names and what they hold, and the whole of it
is read once with the proposal. Only a client file with which that works is written, and never over
another.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from retention_lib.data.contents import cells_of
from retention_lib.data.purchases import CAUSES
from retention_lib.data.remote.fetch import kept_in
from retention_lib.errors import DataError, UsageError
from retention_lib.keys.addresses import is_of_files
from retention_lib.keys.refusals import shown
from retention_lib.keys.values import SPOKEN
from retention_lib.run.asked import PARAMS, check_client, check_data, how_to_say
from retention_lib.run.draft import Draft, text_of
from retention_lib.run.explore import Explored, Found, explore, find
from retention_lib.run.publish import write

#: A field that is less sure than this is named among what to check.
_SURE = 0.7


@dataclass(frozen=True)
class Made:
    """A client file that was written.

    Attributes
    ----------
    path : Path
        From the working directory.
    lines : tuple of str
        What was understood, in five lines.
    """

    path: Path
    lines: tuple[str, ...]


def init(client: str, data: str, here: Path, given: Mapping[str, str] | None = None) -> Made:
    """Propose `params/<client>.yaml` from a data file.

    Parameters
    ----------
    client : str
        The client's short name.
    data : str
        Path or address of the data file, or a pattern for several; relative ones start at `here`.
    here : Path
        The working directory, in whose `params` the client file is written.
    given : mapping, optional
        What the user says of it, by key, such as `currency` or `columns.customer` (`asked.said`).

    Raises
    ------
    UsageError
        A name that is none, a client file that is there already, no such data file, a currency
        that nothing tells.
    DataError
        A data file that can't be read, or a column or a format that can't be told.
    """
    given = dict(given or {})
    check_client(client, here)
    check_data(data, here)
    path = os.path.expanduser(data)  # noqa: PTH111 - a pattern stays as it is written
    try:
        with tempfile.TemporaryDirectory(prefix="retention-") as folder, kept_in(Path(folder)):
            found = find(path, here, given)
            explored = explore(client, path, here, found)
    except (DataError, UsageError) as error:
        hint = how_to_say(client, data, error.sentences)
        raise type(error)(*error.sentences, *([hint] if hint else [])) from None
    draft = _draft(client, path, here, found, explored, given)
    target = Path(PARAMS) / f"{client}.yaml"
    write(here / target, text_of(draft))
    return Made(target, _lines(data, found, explored, draft))


# The client file -----------------------------------------------------------------------------


def _draft(
    client: str, path: str, here: Path, found: Found, explored: Explored, given: Mapping[str, str]
) -> Draft:
    at, proposal = found.region, found.proposal
    assert at.currency is not None  # `find` asks for it
    source = _source(path, here)
    why = {
        "title": "as printed",
        "language": f"of the report: {SPOKEN.phrase}",
        "currency": at.why_currency,
        "timezone": "" if at.timezone else "in which an order's day is taken",
        "source": "" if _is_whole(source) else "from this file's folder",
    }
    for field in proposal.columns:
        rivals = ", ".join(shown(c) for c in proposal.rivals.get(field, ()))
        parts = [proposal.notes.get(field, ""), f"also possible: {rivals}" if rivals else ""]
        why[f"columns.{field}"] = "; ".join(part for part in parts if part)
    copies = ""
    if proposal.once_per_order:
        copies = "the amount is the order's and stands on each of its rows: count it once"
    elif explored.copies > 0:
        copies = f"{explored.copies:.1%} of the rows are copies of others; this drops them"
    return Draft(
        client=client,
        title=given.get("title", client.replace("-", " ").replace("_", " ").title()),
        language=given.get("language", at.language),
        currency=at.currency,
        timezone=given.get("timezone", at.timezone or "UTC"),
        source=source,
        columns=proposal.columns,
        csv=found.csv,
        guests=explored.guests,
        currencies=_foreign(found),
        why=why,
        deduplicate=proposal.once_per_order,
        copies=copies,
    )


def _is_whole(source: str) -> bool:
    return is_of_files(source) or os.path.isabs(source)  # noqa: PTH117


def _foreign(found: Found) -> list[str]:
    """The currencies of the sample that aren't the report's."""
    column = found.proposal.columns.get("currency")
    if column is None:
        return []
    codes = cells_of(found.frame[column]).str.upper().unique()
    return sorted({str(code) for code in codes} - {found.region.currency})


def _source(path: str, here: Path) -> str:
    """The data's path from the params folder; as it is where it lies elsewhere."""
    if is_of_files(path):
        return path
    # not resolved: a link such as latest.csv is meant as it stands
    whole = os.path.abspath(here / path)  # noqa: PTH100
    if os.path.isabs(path) and not Path(whole).is_relative_to(here):  # noqa: PTH117
        return path
    try:
        relative = os.path.relpath(whole, os.path.realpath(here / PARAMS))
    except ValueError:  # another drive
        return whole
    return Path(relative).as_posix()


# What is said --------------------------------------------------------------------------------


def _lines(data: str, found: Found, explored: Explored, draft: Draft) -> tuple[str, ...]:
    base, proposal = explored.base, found.proposal
    mapped = ", ".join(f"{field} = {shown(c)}" for field, c in proposal.columns.items())
    unused = ", ".join(shown(c) for c in proposal.unused[:20])
    left_out = "; ".join(
        f"{CAUSES[row['cause']].lower()}: {row['rows']:,}"
        for row in base.left_out.to_dict("records")
    )
    return (
        f"{shown(data)}: {base.rows_in:,} rows, {len(found.frame.columns)} columns.",
        f"Columns: {mapped}." + (f" Not used: {unused}." if unused else ""),
        f"Format: {' '.join(found.sentences)}",
        f"{base.rows_used:,} rows can be used: {len(base.customers()):,} customers, {base.start} "
        f"to {base.as_of}." + (f" Left out: {left_out}." if left_out else ""),
        f"Check next: {'; '.join(_to_check(found, explored, draft))}.",
    )


def _to_check(found: Found, explored: Explored, draft: Draft) -> list[str]:
    proposal = found.proposal
    asked = [f"currency {draft.currency} ({found.region.why_currency})"]
    if draft.guests:
        asked.append(f"guest_ids {', '.join(shown(i) for i in [*draft.guests][:5])}")
    asked += dict.fromkeys(f"columns: {note}" for note in proposal.notes.values())
    if draft.currencies:
        asked.append(f"fx: a rate for {', '.join(draft.currencies)} is needed for a report")
    if explored.copies > 0 and not draft.deduplicate:
        asked.append(f"deduplicate: {explored.copies:.1%} of the rows are copies of others")
    unsure = [f"columns.{f}" for f, score in proposal.scores.items() if score < _SURE]
    if unsure:
        asked.append(f"{', '.join(unsure)}, of which the file leaves doubt")
    return [*asked, "margin"]
