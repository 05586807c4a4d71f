"""A client's report, made in this process: how it ended is told, never raised."""

from __future__ import annotations

import time
import traceback

from retention_lib.errors import RetentionError
from retention_lib.run import report
from retention_lib.run.abandoned import unforeseen
from retention_lib.run.job import Job, Result
from retention_lib.run.steps import Steps, Turns


def make_safely(
    job: Job, steps: Steps | None = None, turns: Turns | None = None, server: str = ""
) -> Result:
    """Make a client's report in this process. Never raises."""
    began = time.monotonic()
    try:
        made = report.make(job, steps, turns, server=server)
    except RetentionError as error:
        return Result(
            job.client,
            "failed",
            time.monotonic() - began,
            sentences=error.sentences,
            exit_code=error.exit_code,
            trace=traceback.format_exc(),
        )
    except Exception as error:
        return unforeseen(job, error, time.monotonic() - began)
    return Result(
        job.client,
        "made",
        time.monotonic() - began,
        report=made.report,
        pdf=made.pdf,
        exit_code=1 if made.undone else 0,
        warnings=made.warnings,
        undone=made.undone,
        finding=made.finding,
        steps=dict(made.seconds),
    )
