"""Parts of the chapter on value: a forecast as the figure or table it becomes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.errors import DataError
from retention_lib.metrics import Unit
from retention_lib.models import counts
from retention_lib.models.clv import expected_values
from retention_lib.models.forecast import Forecast
from retention_lib.models.naive import NAIVE
from retention_lib.models.names import TITLES
from retention_lib.models.residual import residual_of
from retention_lib.report import findings, tables
from retention_lib.report.figures import (
    Drawn,
    caught_revenue,
    forecast_against,
    forecast_errors,
    holdout_by_frequency,
    holdout_tracking,
    repeat_counts,
)
from retention_lib.report.labels import label
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.sentence import Sentence


def alive_grid(made: Forecast, customers: pd.DataFrame, points: int = 40) -> pd.DataFrame:
    """frequency, recency, p_alive on a regular grid, for customers observed as long as the oldest.

    Without a model that holds there is nothing to map: no rows.

    Parameters
    ----------
    made : Forecast
    customers : DataFrame
        Sets how far the grid goes: to the frequency that all but a hundredth stay below, and to the
        longest observation.
    points : int, default 40
        Steps of recency.
    """
    longest = float(customers["T"].max())
    if longest <= 0 or made.unknowable is not None:
        return pd.DataFrame({"frequency": [], "recency": [], "p_alive": []}, dtype=float)
    most = int(np.clip(customers["frequency"].quantile(0.99), 3, 30))
    frequency, recency = np.meshgrid(
        np.arange(1, most + 1), np.linspace(0, longest, points), indexing="ij"
    )
    shape = frequency.shape
    alive = made.purchase_model.conditional_probability_alive(
        frequency.ravel(), recency.ravel(), np.full(frequency.size, longest)
    )
    return pd.DataFrame(
        {
            "frequency": frequency.ravel(),
            "recency": recency.ravel(),
            "p_alive": np.asarray(alive).reshape(shape).ravel(),
        }
    )


def value_grid(made: Forecast, base: Base, points: int = 40) -> pd.DataFrame:
    """frequency, silence, clv on a regular grid, of customers observed as long as the oldest.

    They spend what the base's repeat buyers spend on average, so that the map shows what coming
    back is worth, not what a large basket is. Without a model that holds there is nothing to map.
    """
    customers = base.customers()
    longest = float(customers["T"].max())
    if longest <= 0 or made.unknowable is not None or made.spend_model is None:
        return pd.DataFrame({"frequency": [], "silence": [], "clv": []}, dtype=float)
    most = int(np.clip(customers["frequency"].quantile(0.99), 3, 30))
    frequency, silence = (
        part.ravel()
        for part in np.meshgrid(
            np.arange(1, most + 1), np.linspace(0, longest, points), indexing="ij"
        )
    )
    amounts = customers.loc[customers["frequency"] > 0, "monetary_value"]
    grid = pd.DataFrame(
        {
            "frequency": frequency,
            "recency": longest - silence,
            "T": longest,
            "monetary_value": amounts[amounts > 0].mean(),
        }
    )
    grid.attrs = dict(customers.attrs)
    values = expected_values(grid, made.purchase_model, made.spend_model, made.terms)
    return pd.DataFrame({"frequency": frequency, "silence": silence, "clv": values["clv"]})


def tracking_figure(made: Forecast, formats: Formats, each_week: bool = False) -> Drawn | None:
    """Repeat purchases, expected and actual, added up or each week's; None without a holdout."""
    test = made.holdout
    if test is None or test.calibration_end is None or test.tracking.empty:
        return None
    frame = test.tracking
    if each_week:
        names = {"actual_week": "actual", "forecast_week": "forecast"}
        frame = frame[["date", *names]].rename(columns=names)
    return holdout_tracking(frame, test.calibration_end.date(), formats, each_week)


def calibration_figure(made: Forecast, formats: Formats) -> Drawn | None:
    """Expected against actual purchases by how often a customer had bought; None untested."""
    if made.holdout is None:
        return None
    return holdout_by_frequency(made.holdout.by_frequency, formats)


def against_figure(made: Forecast, formats: Formats) -> Drawn | None:
    """The forecasts of the months held back beside what happened; None untested."""
    test = made.holdout
    if test is None or test.bias is None:
        return None
    totals = test.beside.set_index("name")["total"]
    rows = [(TITLES[test.model], "forecast", test.forecast, test.forecast_low, test.forecast_high)]
    rows += [(formats.tell(NAIVE_SHORT[n]), "baseline", totals[n], None, None) for n in NAIVE]
    rows.append(("", "actual", test.actual, None, None))
    names = ["label", "kind", "value", "low", "high"]
    return forecast_against(pd.DataFrame(rows, columns=pd.Index(names)), formats)


#: The naive forecasts, as a figure has room for them.
NAIVE_SHORT: Final = {
    "before": Sentence("As in the months before"),
    "own_rate": Sentence("Each customer's own rate"),
    "mean_rate": Sentence("Average ticket × frequency"),
}


def caught_figure(made: Forecast, formats: Formats) -> Drawn | None:
    """What the first tenth of each list brought in the months held back; None untested."""
    test = made.holdout
    if test is None or test.best_tenth is None:
        return None
    rows = [
        (formats.say("By the forecast"), "forecast", test.best_tenth),
        (formats.say("By past revenue"), "baseline", test.best_tenth_by_past),
        (formats.say("Made afterwards"), "actual", test.best_tenth_perfect),
    ]
    frame = pd.DataFrame(rows, columns=pd.Index(["label", "kind", "share"]))
    return caught_revenue(frame, formats)


def past_section(made: Forecast, page: Page) -> list[Shown]:
    """What forecasts from earlier days missed, and what follows; nothing of fewer than two."""
    heading = findings.tested.past(made)
    if heading is None:
        return []
    shown: list[Shown | None] = [
        page.section(heading, name="Forecasts of the past"),
        page.figure(errors_figure(made, page.formats)),
        page.text(findings.tested.why_wider(made)),
        page.table(intervals_table(made, page.formats)),
    ]
    return [part for part in shown if part is not None]


def for_life(made: Forecast, base: Base) -> Sentence | None:
    """What the customers are worth without an end; None where that can't be said."""
    if made.unknowable is not None:
        return None
    try:
        residual = residual_of(
            base.customers(),
            made.purchase_model,
            made.spend_model,
            discount_rate=made.discount_rate,
            margin=made.margin,
            time_unit=base.params.time_unit,
        )
    except DataError:  # not discounted, and some stay for ever
        return None
    return residual.sentence


def spend_notes(made: Forecast) -> list[Sentence]:
    """Whether spend is tied to frequency, and what that does to the values."""
    return [] if made.spend_check is None else [*made.spend_check.sentences]


def errors_figure(made: Forecast, formats: Formats) -> Drawn:
    """By how much forecasts from earlier days missed."""
    origins = made.backtests.origins
    frame = origins.assign(error=np.exp(-origins["error"]) - 1)
    return forecast_errors(frame[["origin", "error"]], formats)


def counts_figure(made: Forecast, customers: pd.DataFrame, formats: Formats) -> Drawn | None:
    """How many customers bought how often, and by the model; None where it says nothing."""
    if made.unknowable is not None:
        return None
    return repeat_counts(counts.repeat_counts(made.purchase_model, customers), formats)


def intervals_table(made: Forecast, formats: Formats) -> Any | None:
    """The totals with both their intervals; None where nothing widens them."""
    if made.unknowable is not None or not made.backtests:
        return None
    units: dict[str, Unit] = {"purchases.expected": "number", "clv.total": "currency"}
    known = [(n, unit, made.intervals[n]) for n, unit in units.items() if n in made.intervals]
    say = formats.say
    own = [formats.interval(b.own_low, b.own_high, unit, 0) for _, unit, b in known]
    past = [formats.interval(b.low, b.high, unit, 0) for _, unit, b in known]
    texts = {
        "figure": (say("95% intervals"), [formats.tell(label(name)) for name, _, _ in known]),
        "value": (say("Expected"), [formats.value(b.value, unit, 0) for _, unit, b in known]),
        "own": (say("By the model alone"), own),
        "past": (say("With past misses"), past),
    }
    return tables.written_table(pd.DataFrame(texts), texts, "figure", id="intervals")
