"""How a client's text files are to be read, told from a sample of them.

The answer holds for all rows; what doesn't fit it is counted by cause. Where the sample leaves two
answers, the whole columns are asked, and where they do too, the user: nothing is guessed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data.amount_signs import AmountSigns, amount_signs
from retention_lib.data.day_formats import EPOCH, EXCEL, DayFormat, day_format
from retention_lib.data.files import NamedFile
from retention_lib.data.format_words import sentences as sentences
from retention_lib.data.layout import plain
from retention_lib.data.raw import Looked, look_at, raw_table
from retention_lib.errors import DataError
from retention_lib.keys.parts import CsvFormat, Fields

#: A column is of dates or amounts when this share of its values is.
_MOST: Final = 0.8
#: Distinct values that are fetched from a whole column.
_TELLING: Final = 5_000


@dataclass(frozen=True)
class Understood:
    """How the text in a client's files is to be read; each can be set under `csv`.

    Parameters
    ----------
    encoding : str
        Python codec.
    delimiter : str or None
        Of text files.
    decimal, thousands : str or None
        None where no amount has one.
    date_format : str or None
        strptime pattern, None for ISO 8601, "excel" for serial days, "epoch" for seconds since
        1970.
    header_row : int
        Rows above the header, such as a title.
    columns : tuple of str
        Names in the files.
    second_format : str or None
        As `date_format`, of the second field of days, such as `birthday`.
    marks : tuple of str
        What stands for a currency beside an amount.
    sheet : str or None
        The sheet of a workbook.
    cautions : tuple of str
        What a reader should know of the files, in sentences.
    typed : frozenset of str
        Of "date", "second" (field of days) and "amount", those that have their type in the files
        already.
    """

    encoding: str
    delimiter: str | None
    decimal: str | None
    thousands: str | None
    date_format: str | None
    header_row: int
    columns: tuple[str, ...]
    second_format: str | None = None
    marks: tuple[str, ...] = ()
    sheet: str | None = None
    cautions: tuple[str, ...] = ()
    typed: frozenset[str] = frozenset()

    @property
    def is_typed(self) -> bool:
        """Whether there is nothing to understand."""
        return {"date", "second", "amount"} <= self.typed


def look(
    files: Sequence[Path | NamedFile], csv: CsvFormat, columns: Fields | None
) -> tuple[Understood, pd.DataFrame]:
    """What the files look like, from a sample of them.

    Parameters
    ----------
    files : sequence of Path or NamedFile
        All of one kind.
    csv : CsvFormat
        What the client file says, which always wins.
    columns : Columns, optional
        Which columns are what; told by their content where not given.

    Returns
    -------
    Understood
        `decimal` and `date_format` are None where the sample can't tell them; `understand` asks
        the whole column, and then the user.
    DataFrame
        A sample of text cells, at most 5,000 rows out of the beginning, middle and end.

    Raises
    ------
    DataError
        A file that holds no table, or whose encoding can't be told.
    """
    looked = look_at([_named(file) for file in files], csv, columns)
    understood, _, _, _ = _from_sample(looked, csv, columns)
    return understood, looked.sample


def understand(files: Sequence[Path | NamedFile], csv: CsvFormat, columns: Fields) -> Understood:
    """What the files look like, for certain: whole columns are asked where a sample can't tell.

    Raises
    ------
    DataError
        As `look`; and where a format can't be told, naming the key that tells it.
    """
    looked = look_at([_named(file) for file in files], csv, columns)
    return understood_table(ibis.duckdb.connect(), looked, csv, columns)[0]


def understood_table(
    con: Any,
    looked: Looked,
    csv: CsvFormat,
    columns: Fields,
    usual: Understood | None = None,
) -> tuple[Understood, ir.Table]:
    """What files that were looked at are, for certain, and their rows as a table.

    `usual` is how other files of the client are written: where nothing else tells, so are these.

    Raises
    ------
    DataError
        A format that can't be told, naming the key that tells it; one sentence each.
    """
    names = {plain(name): name for name in looked.names}
    understood, signs, days, births = _from_sample(looked, csv, columns)
    asks = any(one.question for one in (signs, days, births))
    dates, amounts = columns.of(columns.DATES), columns.of(columns.AMOUNTS)
    first, second = _days_of(columns)

    def table(only_text: bool = False) -> ir.Table:
        return raw_table(
            con,
            looked,
            decimal=understood.decimal or ("," if understood.thousands == "." else "."),
            amounts=[names.get(plain(name), name) for name in amounts],
            dates=dates,
            patterns=[understood.date_format, understood.second_format][: len(dates)],
            only_text=only_text,
        )

    # of workbooks the sample has all text cells already
    if asks and looked.kind != "workbook":
        whole = table(only_text=True)
        if signs.question:
            more = [v for name in amounts for v in _telling(whole, name, _SAYS_NOTHING)]
            signs = _signs(looked.texts, amounts, csv, more)
        # a day isn't typed in JSON: digits are as in text
        whole = table() if looked.kind == "json" else whole
        if days.question:
            days = _days(looked, first, _telling(whole, first, _OPEN_DAY))
        if births.question and second:
            births = _days(looked, second, _telling(whole, second, _OPEN_DAY))
        understood = _filled(looked, csv, columns, signs, days, births)
    if births.question and days.pattern in births.rivals and not days.question:
        births = dataclasses.replace(births, pattern=days.pattern, rivals=())
        understood = dataclasses.replace(understood, second_format=days.pattern)
    if usual is not None:
        signs, days, births = _as_usual(looked, csv, columns, signs, days, births, usual)
        understood = _filled(looked, csv, columns, signs, days, births)
    _ask(signs, days, births, columns)
    return understood, table()


# From a sample -------------------------------------------------------------------------------


def _named(file: Path | NamedFile) -> NamedFile:
    return NamedFile(file, str(file)) if isinstance(file, Path) else file


def _days_of(columns: Fields) -> tuple[str, str | None]:
    """The columns of the first and, where it is mapped, of the second field of days."""
    first, *more = columns.DATES
    return getattr(columns, first), next(iter(columns.of(tuple(more))), None)


def _from_sample(
    looked: Looked, csv: CsvFormat, columns: Fields | None
) -> tuple[Understood, AmountSigns, DayFormat, DayFormat]:
    if columns is None:
        date, amounts = _likely(looked.texts)
        births = DayFormat()
    else:
        (date, second), amounts = _days_of(columns), columns.of(columns.AMOUNTS)
        births = _days(looked, second) if second else DayFormat()
    signs = _signs(looked.texts, amounts, csv)
    days = _days(looked, date) if date else DayFormat()
    if csv.date_format:
        days = births = DayFormat(csv.date_format)
    return _filled(looked, csv, columns, signs, days, births), signs, days, births


def _filled(
    looked: Looked,
    csv: CsvFormat,
    columns: Fields | None,
    signs: AmountSigns,
    days: DayFormat,
    births: DayFormat,
) -> Understood:
    layouts, sheets = looked.layouts, looked.sheets
    # what is plain ASCII is of every encoding
    encodings = [part.encoding for part in layouts if part.encoding != "utf-8"]
    header = (*(part.header_row for part in layouts), *(sheet.header_row for sheet in sheets), 0)
    return Understood(
        encoding=(encodings or ["utf-8"])[0],
        delimiter=layouts[0].delimiter if layouts else None,
        decimal=None if signs.question else signs.decimal,
        thousands=signs.thousands,
        date_format=None if days.question else days.pattern,
        header_row=header[0],
        columns=looked.names,
        second_format=None if births.question else births.pattern,
        marks=signs.marks,
        sheet=sheets[0].sheet if sheets else None,
        cautions=tuple(_cautions(looked, signs, days)),
        typed=_typed(looked, columns),
    )


def _typed(looked: Looked, columns: Fields | None) -> frozenset[str]:
    """What has its type in every file; so is a field that no column has."""
    if looked.kind != "parquet" or columns is None:
        return frozenset()
    text = {plain(name) for name in looked.texts.columns}
    first, second = _days_of(columns)
    fields = {"date": [first], "second": [second or ""], "amount": columns.of(columns.AMOUNTS)}
    return frozenset(field for field, of in fields.items() if not text & {*map(plain, of)})


def _values(frame: pd.DataFrame, name: str) -> list[str]:
    match = next((column for column in frame.columns if plain(column) == plain(name)), None)
    return [] if match is None else [str(v) for v in frame[match] if v is not None]


def _signs(
    texts: pd.DataFrame, names: Iterable[str], csv: CsvFormat, more: Sequence[str] = ()
) -> AmountSigns:
    values = [value for name in names for value in _values(texts, name)]
    return amount_signs([*values, *more], csv.decimal, csv.thousands)


def _days(looked: Looked, name: str, more: Sequence[str] = ()) -> DayFormat:
    # a day isn't typed in JSON: digits are as in text
    cells = looked.sample if looked.kind == "json" else looked.texts
    return day_format([*_values(cells, name), *more])


def _likely(texts: pd.DataFrame) -> tuple[str | None, list[str]]:
    """The column that is likely the date, and those that are likely amounts, by their content."""
    date, best, amounts = None, 0.0, []
    for name in texts.columns:
        values = _values(texts, name)
        if not values:
            continue
        days, signs = day_format(values), amount_signs(values)
        is_bare = days.pattern in (EXCEL, EPOCH, "%Y%m%d", "%d%m%Y", "%d%m%y", "%y%m%d", "%m%d%Y")
        if days.fits >= _MOST and not is_bare:
            if days.fits > best:
                date, best = name, days.fits
        elif signs.fits >= _MOST and (signs.decimal or signs.question or signs.marks):
            amounts.append(name)
    return date, amounts


def _cautions(looked: Looked, signs: AmountSigns, days: DayFormat) -> Iterable[str]:
    if len({part.encoding for part in looked.layouts} - {"utf-8", "utf-8-sig"}) > 1:
        yield "The files are in several encodings; each was read in its own."
    for what, fits in (("amounts", signs.fits), ("dates", days.fits)):
        if fits < 0.95:
            yield (
                f"{1 - fits:.0%} of the {what} looked at don't fit that format; "
                "such rows are left out and counted."
            )
    for sheet in looked.sheets:
        if sheet.others:
            names = ", ".join(f'"{name}"' for name in sheet.others)
            yield (
                f"{sheet.file.name}: only the first sheet with the columns is read; {names} has "
                "them too. Save each sheet as a file of its own to have them all."
            )


# From whole columns --------------------------------------------------------------------------

#: Amounts that say nothing about the decimal sign, and days that are also months.
_SAYS_NOTHING: Final = r"^\D*(\d+|[1-9]\d{0,2}[.,]\d{3})\D*$"
_OPEN_DAY: Final = r"^\s*(0?[1-9]|1[0-2])[./ -]+(0?[1-9]|1[0-2])([^0-9]|$)"


def _telling(table: ir.Table, name: str, nothing: str) -> list[str]:
    """The values of a whole column that may tell what its sample can't."""
    match = next((column for column in table.columns if plain(column) == plain(name)), None)
    if match is None:
        return []
    value = table[match]
    told = table.filter(value.notnull() & ~value.re_search(nothing))
    counted = told.group_by(value=value).aggregate(rows=told.count())
    frame = counted.order_by(ibis.desc("rows")).limit(_TELLING).execute()
    # by their rows, so that one typing error doesn't weigh as much as a thousand amounts
    weights = (frame["rows"] / max(1, frame["rows"].sum()) * _TELLING).clip(lower=1).astype(int)
    return [str(v) for v, n in zip(frame["value"], weights, strict=True) for _ in range(n)]


def _as_usual(
    looked: Looked,
    csv: CsvFormat,
    columns: Fields,
    signs: AmountSigns,
    days: DayFormat,
    births: DayFormat,
    usual: Understood,
) -> tuple[AmountSigns, DayFormat, DayFormat]:
    """What is open still, as the client's other files have it."""
    if signs.question and usual.decimal:
        own = csv.model_copy(update={"decimal": usual.decimal, "thousands": usual.thousands})
        signs = _signs(looked.texts, columns.of(columns.AMOUNTS), own)
    days, births = (
        dataclasses.replace(one, pattern=usual.date_format, rivals=())
        if one.question and usual.date_format in one.rivals
        else one
        for one in (days, births)
    )
    return signs, days, births


def _ask(signs: AmountSigns, days: DayFormat, births: DayFormat, columns: Fields) -> None:
    asked = []
    if days.question:
        asked.append(f"csv.date_format: {days.question}")
    elif births.question:
        asked.append(f"csv.date_format: columns.{columns.DATES[1]}: {births.question}")
    if signs.question:
        asked.append(f"csv.decimal: {signs.question}")
    if asked:
        raise DataError(*asked)
