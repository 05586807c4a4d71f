"""A data file as `retention init` finds it: a sample of its rows first, and then all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
from pydantic import ValidationError

from retention_lib.data import gate
from retention_lib.data.base import Base
from retention_lib.data.files import NamedFile, kind, named_files
from retention_lib.data.mapping import Proposal, propose
from retention_lib.data.quality import placeholders
from retention_lib.data.read import read_base
from retention_lib.data.region import Region, region
from retention_lib.data.understood import look, sentences, understand
from retention_lib.data.unreadable import unreadable
from retention_lib.errors import DataError, UsageError
from retention_lib.keys.addresses import is_of_files
from retention_lib.keys.findings import findings_of
from retention_lib.keys.parts import Columns, CsvFormat
from retention_lib.params import Params

#: Encodings under the names by which people know them.
_ENCODING_NAMES = {"cp1252": "windows-1252", "iso8859-1": "iso-8859-1", "utf_16": "utf-16"}


@dataclass(frozen=True)
class Found:
    """What a data file holds.

    Attributes
    ----------
    frame : DataFrame
        A sample, as text cells.
    proposal : Proposal
        Which column is which field.
    region : Region
        Its currency is known.
    csv : dict
        The format, under the keys of the client file.
    sentences : tuple of str
        The format in words.
    """

    frame: pd.DataFrame
    proposal: Proposal
    region: Region
    csv: dict[str, str]
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Explored:
    """What only all rows tell.

    Attributes
    ----------
    base : Base
        The whole file, read with the proposal.
    guests : dict
        Ids that are likely nobody in particular, with the reason.
    copies : float
        Share of the used rows that are exact copies of others.
    """

    base: Base
    guests: dict[str, str]
    copies: float


def find(data: str, here: Path, given: Mapping[str, str]) -> Found:
    """Look at a sample of the file and propose what it is.

    Parameters
    ----------
    data : str
        A path, an address or a pattern. Files elsewhere are fetched to where a run keeps them.
    here : Path
        Where a relative one starts.
    given : mapping
        What the user says, by key.

    Raises
    ------
    DataError
        A file that can't be read; a column or a format that can't be told.
    UsageError
        A currency that nothing tells; a setting that isn't allowed.
    """
    files = named_files(data, here)
    fmt = _format(given)
    frame = look(files, fmt, None)[1]
    if frame.empty:
        names = ", ".join(file.name for file in files)
        raise DataError(f"source: {names} has a header, but no rows")
    proposal = propose(frame, _under("columns", given))
    problems: list[str] = []
    csv: dict[str, str] = {}
    said: tuple[str, ...] = ()
    try:  # how amounts and dates are written is asked of the columns that hold them
        csv, said = _understand(files, fmt, proposal)
    except DataError as error:
        problems += error.sentences
    amounts = [proposal.columns[f] for f in ("amount", "unit_price") if f in proposal.columns]
    spoken = region(frame, amounts, proposal.columns.get("currency"), given.get("currency"))
    is_data = bool(problems)
    if spoken.currency is None:
        problems.append(
            f"currency: nothing in the file tells it (its column names are {spoken.spoken_name}); "
            "name it, such as --currency NOK"
        )
    if problems:
        raise (DataError if is_data else UsageError)(*problems)
    return Found(frame, proposal, spoken, csv, said)


def explore(client: str, data: str, here: Path, found: Found) -> Explored:
    """Read the whole file once with what was found.

    Raises
    ------
    DataError
        A file in which no row can be used.
    """
    path = here / data
    params = checked(
        {
            "client": client,
            "source": data if is_of_files(data) else str(path),
            "currency": found.region.currency,
            # rates aren't known yet; counts don't need them
            "columns": {k: v for k, v in found.proposal.columns.items() if k != "currency"},
            "csv": found.csv,
            "timezone": found.region.timezone or "UTC",
            "deduplicate": "exact" if found.proposal.once_per_order else "none",
        }
    )
    base = read_base(params, here)
    gate.refuse(base, here)
    guests = {
        row["customer"]: f"{row['orders']:,} orders, {row['share']:.1%} of all"
        for row in placeholders(base).to_dict("records")
        if row["customer"].isprintable()
    }
    copies = base.copies / base.rows_used
    if guests:
        # what is said is what a check of the proposed file will say
        base = read_base(params.model_copy(update={"guest_ids": [*guests]}), here)
    return Explored(base, guests, copies)


def checked(values: dict[str, Any]) -> Params:
    """The parameters with these values.

    Raises
    ------
    UsageError
        One sentence per value that isn't allowed.
    """
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        found = findings_of(error, Params)
        raise UsageError(*(f.sentence("retention init") for f in found)) from None


def _under(part: str, given: Mapping[str, str]) -> dict[str, str]:
    return {k.removeprefix(f"{part}."): v for k, v in given.items() if k.startswith(f"{part}.")}


def _format(given: Mapping[str, str]) -> CsvFormat:
    try:
        return CsvFormat.model_validate(_under("csv", given))
    except ValidationError as error:
        found = findings_of(error, CsvFormat)
        named = (dataclasses.replace(f, key=("csv", *f.key)) for f in found)
        raise UsageError(*(f.sentence("--set") for f in named)) from None


def _understand(
    files: tuple[NamedFile, ...], fmt: CsvFormat, proposal: Proposal
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The format as keys of the client file, and in words."""
    columns = Columns(**proposal.columns)
    try:
        understood = understand(files, fmt, columns)
    except duckdb.Error as error:
        raise unreadable(files, error) from None
    keys = [*CsvFormat.model_fields]
    if kind(files[0]) != "csv" or len(files) > 1:  # each file may have its own
        keys = [key for key in keys if key not in ("encoding", "delimiter")]
    if columns.birthday and understood.second_format != understood.date_format:
        keys.remove("date_format")  # which would hold for both
    values = {key: getattr(understood, key, None) for key in keys}
    csv = {key: str(value) for key, value in values.items() if value is not None}
    if "encoding" in csv:
        csv["encoding"] = _ENCODING_NAMES.get(csv["encoding"], csv["encoding"])
    return csv, tuple(sentences(understood, fmt))
