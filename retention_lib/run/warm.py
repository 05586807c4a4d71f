"""What the fork server works out before it forks, so that no kernel has to do it once more.

Libraries put much off until it is first asked for: locale data, parsed patterns, compiled catalogs,
the engine's way to write SQL. A fork has what its parent has worked out. It may be nothing but what
is the same for every client, and nothing here may start a thread.
"""

from __future__ import annotations

import contextlib
import ctypes
import datetime as dt
import sys
from collections.abc import Callable

#: The sizes in bytes from which freed memory goes back to the system, and single blocks are asked
#: from it: with the C library's, the buffers of each figure are taken from it and cleared anew.
_KEPT, _SINGLE = 256 << 20, 128 << 20


def warm(*, runs: bool = False) -> None:
    """Have done what each kernel would do first, and with `runs` what each client's run would."""
    steps: list[Callable[[], None]] = [
        _memory,
        _languages,
        _client_file,
        _tables,
        _figures,
        _engine,
    ]
    if runs:
        steps.append(_document)
    for step in steps:
        with contextlib.suppress(Exception):  # a kernel will do it itself, and say what fails
            step()


def _memory() -> None:
    """Keep freed memory for what comes next (glibc)."""
    if sys.platform == "linux":
        trim_threshold, mmap_threshold = -1, -3
        libc = ctypes.CDLL(None)
        libc.mallopt(trim_threshold, _KEPT)
        libc.mallopt(mmap_threshold, _SINGLE)


def _languages() -> None:
    """Read each language's catalog, and what its numbers and dates are written by."""
    from retention_lib import languages
    from retention_lib.report.language import Formats

    languages.read_ahead()
    day = dt.date(2000, 1, 1)
    for language in languages.languages():
        formats = Formats(language, "EUR")
        for x in (0.5, 1_000):
            for unit in ("count", "share", "currency", "number", "days", "months"):
                formats.value(x, unit)
        formats.points(0.5)
        for written in (formats.date, formats.short_date, formats.month, formats.quarter):
            written(day)
        formats.month(day, long=True)
        formats.month_name(1)
        formats.period(day, day.replace(day=2))


def _client_file() -> None:
    """Check a client file, which asks for the names of all time zones."""
    from retention_lib.params import Params

    Params(client="example", currency="EUR", source="builtin:cdnow")


def _tables() -> None:
    """Lay out a table, and escape what a page says."""
    import pandas as pd

    from retention_lib.report.language import Formats
    from retention_lib.report.page import Page
    from retention_lib.report.tables import frame_table

    frame = pd.DataFrame({"name": ["a", "b"], "n": [1, 2]})
    formats = Formats()
    table = frame_table(frame, formats, {"name": "text", "n": "count"}, {}, stub="name")
    Page(formats).table(table)


def _figures() -> None:
    """Read the letters of figures, and draw one."""
    import pandas as pd

    from retention_lib.report.figures import orders_by_month
    from retention_lib.report.language import Formats
    from retention_lib.report.pictures import picture
    from retention_lib.report.vector import letters

    letters.read_ahead()
    months = pd.date_range("2000-01-01", periods=3, freq="MS")
    frame = pd.DataFrame({"month": months, "orders": [1, 2, 3], "complete": True})
    picture(orders_by_month(frame, Formats()))


def _document() -> None:
    """Render a document, which compiles its template and the checks of a notebook."""
    from retention_lib._nbformat import nbformat
    from retention_lib.report.exporter import assemble, notebook_of, render
    from retention_lib.report.language import Formats
    from retention_lib.report.page import Page

    page, name = Page(Formats()), "example"
    notebook = notebook_of([page.chapter(name, name), page.list([name])])
    notebook.cells.append(nbformat.v4.new_markdown_cell(name))
    day, currency = "2000-01-01", "EUR"
    render(assemble([notebook], title=name, client=name, as_of=day, currency=currency))


def _engine() -> None:
    """Load the engine's backend, and have it write SQL; it isn't started."""
    import ibis

    table = ibis.table({"a": "int64", "b": "string", "c": "timestamp"}, name="t")
    query = table.filter(table.a > 1).group_by("b").agg(n=table.a.sum(), last=table.c.max())
    ibis.duckdb.compile(query.order_by("b"))
