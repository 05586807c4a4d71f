"""What the engine says of files that it can't read, as sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from retention_lib.data.files import NamedFile, kind
from retention_lib.data.json_lines import json_error
from retention_lib.errors import DataError


def unreadable(files: Sequence[NamedFile], error: Exception) -> DataError:
    """What the engine says of files that it can't read, as a sentence that names no secret.

    Parameters
    ----------
    files : sequence of NamedFile
    error : Exception
        The engine's, on opening or on reading: a bad line may stand far down.
    """
    if kind(files[0]) == "json":
        return json_error(files, error)
    text = str(error)
    at_fault = [file for file in files if str(file.path) in text]
    if len(files) > 1 and len(at_fault) == 1:
        files = at_fault
    names = ", ".join(dict.fromkeys(file.name for file in files))
    line = re.search(r"CSV Error on Line: (\d+)", text)
    place = f"{names}, line {int(line.group(1)):,}" if line else names
    if "unicode" in text or "utf-8 encoded" in text:
        return DataError(
            f"source: {place}: the text isn't UTF-8; "
            "name its encoding under csv.encoding, such as windows-1252"
        )
    columns = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if columns:
        return DataError(
            f"source: {place}: found {columns.group(2)} columns where the others have "
            f"{columns.group(1)}; mend the line, or name the sign between columns under "
            "csv.delimiter"
        )
    if kind(files[0]) == "parquet":
        return DataError(
            f"source: {place} can't be read: it is damaged, or no whole Parquet file; fetch or "
            "export it again"
        )
    if "unterminated quote" in text:
        return DataError(
            f"source: {place}: a quote opens here and is never closed, or there is text behind its "
            "end; mend the line"
        )
    if "Maximum line size" in text:
        return DataError(
            f"source: {place}: it has more characters than any order has (2,000,000 are read); is "
            "a quote or a line end missing? Mend the line"
        )
    if "sniffing file" in text:
        return DataError(
            f"source: {place} can't be read as a table; all lines need the same number of columns; "
            "name the sign between them under csv.delimiter"
        )
    said = next((part.strip() for part in text.splitlines() if part.strip()), type(error).__name__)
    for file in files:
        said = said.replace(str(file.path), file.shown)
    return DataError(f"source: {place} can't be read: {said.rstrip('.')}")
