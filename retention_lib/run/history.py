"""The history of a client's reports: kept beside them, handed to the chapters of a run.

It is written after the report is in its place, from the reports themselves (`data.history`): a run
that dies before leaves it as it was, and the next one adds what it lacks. Two runs at once take
turns by a lock, so that neither writes over the other's rows.
"""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Final

from retention_lib import report_files
from retention_lib.data import history
from retention_lib.data.handover import EARLIER, earlier_customers
from retention_lib.errors import DataError
from retention_lib.run.lock import locked
from retention_lib.run.mirror import bring

#: Held while the history is read and written; an empty file, which stays.
LOCK: Final = ".history.lock"


def keep(reports: Path, client: str) -> tuple[str, ...]:
    """Bring a client's history up to date with the reports in the folder.

    Parameters
    ----------
    reports : Path
        The client's folder.
    client : str

    Returns
    -------
    tuple of str
        A sentence where the history can't be written, with the remedy; the report is whole without.
    """
    file = reports / history.FILE_NAME
    try:
        with locked(reports / LOCK):
            for part in reports.glob(f".{file.name}.*.part"):  # a run that died while it wrote
                part.unlink(missing_ok=True)
            before = history.read(file, client)
            rows = history.with_reports(before, reports)
            if rows is not before:
                history.write(file, rows, client)
    except DataError as error:
        return error.sentences
    except OSError as error:
        return (
            f"{file}: the history can't be written ({error.strerror or error}); mend that, and the "
            "next report adds what is missing.",
        )
    return ()


def hand_over(reports: Path, client: str, as_of: dt.date, handover: Path) -> None:
    """Hand what earlier reports said to the chapters of a run.

    Parameters
    ----------
    reports : Path
        The client's folder.
    client : str
    as_of : date
        The day of the report at work; only those of earlier days are handed over.
    handover : Path
        The run's folder.
    """
    try:
        rows = history.known(reports, client)
    except (DataError, OSError):  # of which the run speaks when it keeps the history
        rows = history.with_reports(history.empty(), reports)
    rows = rows[rows["as_of"] < as_of.isoformat()]
    if len(rows):
        history.write(handover / EARLIER, rows, client)
    for day in sorted({*rows["as_of"]}, reverse=True):
        customers = reports / day / report_files.CUSTOMERS
        if bring(customers):
            shutil.copyfile(customers, earlier_customers(handover, day))
            return
