"""A client's run where the reports lie: what it reads is fetched first, what it made put there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from retention_lib.errors import RetentionError
from retention_lib.run.job import Job, Result
from retention_lib.run.remote import Reports


def fetched(job: Job, reports: Reports) -> Result | None:
    """Have at hand what the run reads of earlier reports; None, or why that can't be."""
    try:
        reports.fetch(job.client)
    except RetentionError as error:
        return Result(job.client, "failed", sentences=error.sentences, exit_code=error.exit_code)
    return None


def published(result: Result, reports: Reports) -> Result:
    """Put in its place what the run left; the result, with what that came to."""
    try:
        warnings = reports.publish(result.client)
    except RetentionError as error:
        return replace(
            result,
            outcome="failed",
            report=None,
            pdf=None,
            sentences=(*result.sentences, *error.sentences),
            exit_code=result.exit_code or error.exit_code,
        )
    return replace(result, warnings=(*result.warnings, *warnings))


def told(result: Result, reports: Reports) -> Result:
    """The result with its paths and sentences as they lie for the user."""
    return replace(
        result,
        shown=None if result.report is None else reports.shown(result.report),
        shown_pdf=None if result.pdf is None else reports.shown(result.pdf),
        sentences=_told(result.sentences, reports),
        warnings=_told(result.warnings, reports),
        undone=_told(result.undone, reports),
    )


def _told(sentences: Sequence[str], reports: Reports) -> tuple[str, ...]:
    return tuple(reports.told(sentence) for sentence in sentences)
