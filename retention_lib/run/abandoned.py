"""What a run leaves that can't speak for itself: it was killed, hung, or met the unforeseen."""

from __future__ import annotations

import datetime as dt
import shutil
import traceback

from retention_lib import report_files
from retention_lib.errors import RetentionError, brief
from retention_lib.run.failed_run import failed_run
from retention_lib.run.full_disk import told_full
from retention_lib.run.job import Job, Result
from retention_lib.run.json_files import write_json
from retention_lib.run.output import at_work_on, half_built, leave_failed, logs


def abandoned(
    job: Job, as_of: dt.date | None, told: str, printed: str, keep: bool = True
) -> tuple[str, ...]:
    """Keep what a run left, with its log, beside the place of the report; the last good one stays.

    Parameters
    ----------
    job : Job
    as_of : date or None
        The day of the report, where the data was read.
    told : str
        Why it ended: a sentence.
    printed : str
        What it wrote to its standard output and error.
    keep : bool, default True
        Whether it failed; else what it left is removed.

    Returns
    -------
    tuple of str
        The sentence, and where the log is.
    """
    try:
        with at_work_on(job.folder, cleared=not keep):
            if not keep:
                return (told,)
            built = half_built(job.folder)
            target = job.folder / (as_of.isoformat() if as_of else "data")
            try:
                log = "\n".join([*logs(built), *filter(None, [printed, told])]) + "\n"
                failed = leave_failed(built, target, log)
            except OSError:
                shutil.rmtree(built, ignore_errors=True)
                raise
            run = failed_run(job.file.params, [told], failed, job.only)
            write_json(failed / report_files.RUN, run)
    except (RetentionError, OSError):  # another run is at it already, or the disk is full
        return (told,)
    return told, f"{job.client}: the log is {failed / 'run.log'}"


def unforeseen(job: Job, error: Exception, seconds: float) -> Result:
    """How a run ended at an error that nobody foresaw, while that is handled; what it left is kept.

    Parameters
    ----------
    job : Job
    error : Exception
    seconds : float
        That the run took.
    """
    trace = traceback.format_exc()
    unknown = f"the run stopped at an error that it doesn't know ({brief(error)})"
    told = f"{job.client}: {told_full(error) or unknown}"
    sentences = abandoned(job, None, told, trace)
    return Result(job.client, "failed", seconds, sentences=sentences, exit_code=1, trace=trace)
