"""What became of the client's last forecast: a section from the second report on."""

from __future__ import annotations

from retention_lib.data.base import Base
from retention_lib.data.handover import last_model
from retention_lib.errors import DataError
from retention_lib.models.score import ForecastScore, score_forecast
from retention_lib.models.stored import read_model
from retention_lib.report.page import Page, Shown
from retention_lib.sentence import Sentence


def last_forecast_section(base: Base, page: Page) -> list[Shown]:
    """The last report's forecast beside what has happened since; nothing in a first report."""
    file = last_model()
    if file is None:
        return []
    try:
        scored = score_forecast(read_model(file), base)
    except DataError as error:
        why = " ".join(error.sentences)
        shown = [page.note(Sentence("The last report's forecast can't be scored: {why}", why=why))]
    else:
        shown = [
            page.section(heading(scored), name="The last forecast"),
            *(page.text(sentence) for sentence in scored.sentences),
        ]
    return [part for part in shown if part is not None]


def heading(scored: ForecastScore) -> Sentence:
    """Whether the last forecast held."""
    if scored.within:
        return Sentence("The forecast made on {day} held", day=scored.made_on)
    if scored.actual > scored.forecast.value:
        return Sentence("The forecast made on {day} was too low", day=scored.made_on)
    return Sentence("The forecast made on {day} was too high", day=scored.made_on)
