"""A run's forecast: made once, handed to its chapters, kept for the next report to score."""

from __future__ import annotations

import shutil
from pathlib import Path

from retention_lib.data.base import Base
from retention_lib.data.handover import LAST_MODEL, OUTPUT
from retention_lib.models import saved
from retention_lib.models.stored import FILE_NAME, latest_before, write_model


def prepare_forecast(base: Base, handover: Path, reports: Path) -> None:
    """Make the forecast, and find the last report's.

    Parameters
    ----------
    base : Base
    handover : Path
        The run's folder.
    reports : Path
        The client's folder of reports.
    """
    made = saved.forecast(base)
    saved.save(made, base, handover)
    if made.unknowable is None:
        (handover / OUTPUT).mkdir(exist_ok=True)
        write_model(handover / OUTPUT / FILE_NAME, made, base)
    last = latest_before(reports, base.as_of)
    if last is not None:
        shutil.copyfile(last, handover / LAST_MODEL)
