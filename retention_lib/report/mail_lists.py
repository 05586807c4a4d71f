"""The lists as CSV, for mail tools: one file a list, everybody who met its rule.

Comma, double quotes, CRLF (RFC 4180), ISO dates, decimal points: the same for every language, for
a program reads it. UTF-8 without a byte-order mark, which some mail tools take for a part of the
first column's name; for a spreadsheet there is the workbook. A text that a spreadsheet would run
gets an apostrophe in front (OWASP, "CSV Injection"); a number with its sign, such as a telephone
number that serves as an id, runs nothing and stays what it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.report.cells import clean, looks_like_formula
from retention_lib.report.tables import Format

#: Digits after the point by kind of figure: as many as anybody acts on.
_DIGITS: Final[Mapping[Format, int]] = {"currency": 2, "share": 4, "number": 3, "ratio": 3}
_WHOLE: Final = frozenset({"count", "days", "months"})
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
    columns = {name: _column(frame[name], form) for name, form in formats.items()}
    pd.DataFrame(columns).to_csv(path, index=False, encoding="utf-8", lineterminator="\r\n")


def safe(text: object) -> str:
    """The text on one line, with an apostrophe in front where a spreadsheet would run it."""
    plain = " ".join(clean(text).split("\n"))
    if looks_like_formula(plain) and not _SIGNED.fullmatch(plain):
        return f"'{plain}"
    return plain


def _column(values: pd.Series, form: Format) -> pd.Series:
    if form in ("date", "month"):
        return pd.to_datetime(values).dt.strftime("%Y-%m-%d").reset_index(drop=True)
    if form == "text":
        # each text once: most columns have few
        codes, texts = pd.factorize(values.astype("object"))
        told = np.array([*(safe(text) for text in texts), None], dtype=object)
        return pd.Series(told[codes])
    numbers = pd.to_numeric(values, errors="coerce").reset_index(drop=True)
    if form in _WHOLE:
        return numbers.round().astype("Int64")
    return numbers.astype(float).round(_DIGITS[form])
