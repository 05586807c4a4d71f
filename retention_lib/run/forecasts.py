"""A run's forecast: made once, handed to its chapters, kept for the next report to score."""

from __future__ import annotations

import shutil
from pathlib import Path

from retention_lib.data.base import Base
from retention_lib.data.handover import LAST_MODEL, OUTPUT
from retention_lib.models import kept_economics, saved
from retention_lib.models.economics import economics
from retention_lib.models.forecast import make_forecast
from retention_lib.models.stored import latest_before, write_model
from retention_lib.report_files import MODEL


def prepare_forecast(base: Base, handover: Path, reports: Path) -> None:
    """Make the forecast where it isn't there already, and find the last report's.

    Parameters
    ----------
    base : Base
    handover : Path
        The run's folder.
    reports : Path
        The client's folder of reports.
    """
    if saved.load(base, handover) is None:
        _make(base, handover)
    last = latest_before(reports, base.as_of)
    if last is not None:
        shutil.copyfile(last, handover / LAST_MODEL)


def _make(base: Base, handover: Path) -> None:
    model = handover / OUTPUT / MODEL
    model.unlink(missing_ok=True)  # an earlier run's, of other parameters
    made = make_forecast(base)
    saved.save(made, base, handover)
    kept_economics.save(economics(base, made), base, handover)
    if made.unknowable is None:
        model.parent.mkdir(exist_ok=True)
        write_model(model, made, base)
