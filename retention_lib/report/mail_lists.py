"""The lists as CSV, for mail tools: one file a list, everybody who met its rule.

Comma, double quotes, CRLF (RFC 4180), ISO dates, decimal points: the same for every language, for
a program reads it. UTF-8 without a byte-order mark, which some mail tools take for a part of the
first column's name; for a spreadsheet there is the workbook. A text that a spreadsheet would run
gets an apostrophe in front (OWASP, "CSV Injection"); a number with its sign, such as a telephone
number that serves as an id, runs nothing and stays what it is.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.report.cells import clean, looks_like_formula
from retention_lib.report.tables import Format

#: Digits after the point by kind of figure: as many as anybody acts on.
_DIGITS: Final[Mapping[Format, int]] = {"currency": 2, "share": 4, "number": 3, "ratio": 3}
_WHOLE: Final = frozenset({"count", "days", "months"})
_BLOCK: Final = 20_000
"""Rows at a time: as plain values, a million would take half a gigabyte."""
_SIGNED: Final = re.compile(r"[+-][0-9]+([.,][0-9]+)?")


def write_list(path: Path, frame: pd.DataFrame, formats: Mapping[str, Format]) -> None:
    """Write one list.

    Parameters
    ----------
    path : Path
    frame : DataFrame
        A row a customer.
    formats : mapping of column to format
        Which columns are written, in this order; their names are the header.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\r\n")
        out.writerow(formats)
        for start in range(0, len(frame), _BLOCK):
            block = frame.iloc[start : start + _BLOCK]
            columns = [_column(block[name], form) for name, form in formats.items()]
            out.writerows(zip(*columns, strict=True))


def safe(text: object) -> str:
    """The text on one line, with an apostrophe in front where a spreadsheet would run it."""
    plain = " ".join(clean(text).split("\n"))
    if looks_like_formula(plain) and not _SIGNED.fullmatch(plain):
        return f"'{plain}"
    return plain


def _column(values: pd.Series, form: Format) -> list[object]:
    """What is written of each value: nothing of one that is missing."""
    if form in ("date", "month"):
        codes, days = pd.factorize(pd.to_datetime(values))
        return _each(codes, pd.DatetimeIndex(days).strftime("%Y-%m-%d").tolist())
    if form == "text":
        codes, texts = pd.factorize(values.astype("object"))
        return _each(codes, [safe(text) for text in texts.tolist()])
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=math.nan)
    if form in _WHOLE:
        return [None if math.isnan(x) else round(x) for x in numbers.tolist()]
    return [None if math.isnan(x) else x for x in numbers.round(_DIGITS[form]).tolist()]


def _each(codes: np.ndarray, told: Sequence[str]) -> list[object]:
    """Each value's words, told once for all that are equal; a missing one has the code -1."""
    words = [*told, None]
    return [words[code] for code in codes.tolist()]
