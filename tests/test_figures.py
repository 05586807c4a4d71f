"""What a reader sees of a figure: nothing cut off, nothing over another, the finding in words."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from retention_lib.report import figures
from retention_lib.report.figures import Drawn, marks
from retention_lib.report.figures.style import COLOURS, QUIET, TEXT_COLOURS, luminance
from retention_lib.report.language import Formats

EN, NB = Formats("en", "USD"), Formats("nb", "NOK")
NAN = float("nan")


# Frames as the chapters hand them over ------------------------------------------------------


def by_month(n: int = 18, level: float = 1000.0, last_open: bool = True) -> pd.DataFrame:
    i = np.arange(n)
    return pd.DataFrame(
        {
            "month": pd.date_range("2023-01-01", periods=n, freq="MS"),
            "new": level * (1 + 0.3 * np.sin(i)),
            "returning": level * (0.2 + i / 10),
            "orders": level * (2 + np.cos(i)),
            "complete": [True] * (n - 1) + [not last_open],
        }
    )


def flow(*values: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "step": ["At the start", "Lost", "Reactivated", "New", "At the end"],
            "kind": ["start", "loss", "gain", "gain", "end"],
            "value": values,
        }
    )


def rates(rows: int = 5, **columns: object) -> pd.DataFrame:
    value = np.linspace(0.2, 0.6, rows)
    frame = pd.DataFrame(
        {
            "label": [f"Rate number {i}" for i in range(rows)],
            "value": value,
            "low": value - 0.03,
            "high": value + 0.03,
            "n": 1000.0,
            "previous": value - 0.05,
        }
    )
    return frame.assign(**columns)


def cohorts(n: int = 12, level: float = 0.3) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame]:
    labels = [EN.month(m) for m in pd.date_range("2020-01-01", periods=n, freq="MS")]
    shares = np.full((n, n), np.nan)
    for i in range(n):
        shares[i, : n - i] = [1.0] + [level / (k + 1) + i / 1000 for k in range(1, n - i)]
    unfinished = np.add.outer(np.arange(n), np.arange(n)) == n - 1
    return (
        pd.DataFrame(shares, index=labels),
        pd.Series(np.arange(n) * 100 + 900, index=labels),
        pd.DataFrame(unfinished, index=labels),
    )


def second(days: int = 365, level: float = 0.4) -> pd.DataFrame:
    d = np.arange(days + 1)
    share = level * (1 - np.exp(-d / 80))
    return pd.DataFrame({"days": d, "share": share, "low": share * 0.95, "high": share * 1.05})


def tracking(n: int = 78) -> pd.DataFrame:
    i = np.arange(n)
    return pd.DataFrame(
        {
            "date": pd.date_range("1997-01-05", periods=n, freq="W"),
            "actual": 60.0 * i,
            "forecast": np.where(i < 39, 60.0 * i, 2340 + 50 * (i - 39)),
            "baseline": np.where(i < 39, np.nan, 2340 + 48 * (i - 39)),
        }
    )


def by_frequency() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "frequency": [*"0123456", "7+"],
            "n": [1411, 439, 214, 100, 62, 38, 29, 64],
            "actual": [0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359],
            "forecast": [0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157],
        }
    )


def lorenz(power: float = 0.3) -> pd.DataFrame:
    x = np.linspace(0, 1, 101)
    return pd.DataFrame({"share_of_customers": x, "share_of_value": x**power})


def alive(frequencies: int = 15, recencies: int = 39, level: float | None = None) -> pd.DataFrame:
    x, t = np.meshgrid(np.arange(frequencies), np.arange(recencies), indexing="ij")
    p = 1 / (1 + np.exp(0.4 * x - 0.2 * t)) if level is None else np.full(x.shape, level)
    return pd.DataFrame({"frequency": x.ravel(), "recency": t.ravel(), "p_alive": p.ravel()})


def named_segments(*names: str, value: str = "revenue") -> pd.DataFrame:
    n = len(names)
    return pd.DataFrame(
        {"segment": names, "customers": np.arange(1, n + 1), value: np.arange(n, 0, -1.0) ** 2}
    )


def trend(n: int = 13) -> pd.DataFrame:
    value = np.linspace(0.45, 0.36, n)
    return pd.DataFrame(
        {
            "date": pd.date_range("2023-01-31", periods=n, freq="ME"),
            "value": value,
            "low": value - 0.02,
            "high": value + 0.02,
        }
    )


def against(*values: float, actual: float = 12265.0) -> pd.DataFrame:
    rows = [(f"Forecast number {i}", "baseline", v, NAN, NAN) for i, v in enumerate(values)]
    best = ("Pareto/NBD, with its interval", "forecast", 1.02 * actual, 0.96 * actual, 1.1 * actual)
    return pd.DataFrame(
        [best, *rows, ("", "actual", actual, NAN, NAN)],
        columns=["label", "kind", "value", "low", "high"],
    )


def missed(n: int = 6, level: float = 0.12) -> pd.DataFrame:
    days = pd.date_range("2023-03-31", periods=n, freq="QE")
    return pd.DataFrame({"origin": days, "error": level * np.cos(np.arange(n))})


def stepwise(n: int = 6, level: float = 0.3) -> pd.DataFrame:
    share = level * (1 + np.arange(n) / 5)
    return pd.DataFrame(
        {"number": np.arange(1, n + 1), "share": share, "low": share * 0.9, "high": share * 1.1}
    )


def repeats(level: float = 1000.0) -> pd.DataFrame:
    n = level * np.array([12, 4, 2.2, 1.4, 0.9, 0.6, 0.4, 1.7])
    return pd.DataFrame({"frequency": [*"0123456", "7+"], "actual": n, "expected": n * 0.97})


def value(frequencies: int = 15, times: int = 40, level: float = 90.0) -> pd.DataFrame:
    x, t = np.meshgrid(np.arange(1, frequencies + 1), 2.0 * np.arange(times), indexing="ij")
    clv = level * x / (1 + np.exp(0.3 * (t - 40)))
    return pd.DataFrame({"frequency": x.ravel(), "silence": t.ravel(), "clv": clv.ravel()})


def caught(*shares: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "label": ["The model", "Best by past revenue", "A list made afterwards"],
            "kind": ["forecast", "baseline", "actual"],
            "share": shares,
        }
    )


LONG = [f"Customers who used to buy often and have not been seen for long, {i}" for i in range(8)]

USUAL: dict[str, Callable[[Formats], Drawn]] = {
    "monthly_customers": lambda fmt: figures.monthly_customers(by_month(), fmt),
    "monthly_revenue": lambda fmt: figures.monthly_revenue(by_month(level=1e6), fmt),
    "orders_by_month": lambda fmt: figures.orders_by_month(by_month(), fmt),
    "rate_trend": lambda fmt: figures.rate_trend(trend(), fmt),
    "customer_flow": lambda fmt: figures.customer_flow(flow(50000, 11000, 900, 1000, 40900), fmt),
    "retention_shares": lambda fmt: figures.retention_shares(rates(), fmt),
    "second_purchase": lambda fmt: figures.second_purchase(second(), fmt, median=47),
    "cohort_heatmap": lambda fmt: figures.cohort_heatmap(*cohorts(), fmt),
    "holdout_tracking": lambda fmt: figures.holdout_tracking(tracking(), date(1997, 9, 30), fmt),
    "holdout_by_frequency": lambda fmt: figures.holdout_by_frequency(by_frequency(), fmt),
    "alive_map": lambda fmt: figures.alive_map(alive(), fmt, "weeks"),
    "value_concentration": lambda fmt: figures.value_concentration(lorenz(), fmt, 0.617),
    "segments": lambda fmt: figures.segments(named_segments("Best", "Loyal", "Lost"), fmt),
    "forecast_against": lambda fmt: figures.forecast_against(against(14456, 21010, 9900), fmt),
    "forecast_errors": lambda fmt: figures.forecast_errors(missed(), fmt),
    "repeat_counts": lambda fmt: figures.repeat_counts(repeats(), fmt),
    "next_purchase": lambda fmt: figures.next_purchase(stepwise(), fmt, 90),
    "value_map": lambda fmt: figures.value_map(value(), fmt, "weeks"),
    "caught_revenue": lambda fmt: figures.caught_revenue(caught(0.61, 0.58, 0.83), fmt),
}

EDGES: dict[str, Callable[[], Drawn]] = {
    "no month": lambda: figures.monthly_customers(by_month().iloc[:0], EN),
    "one month": lambda: figures.monthly_customers(by_month(1), EN),
    "one month, revenue, long amounts": lambda: figures.monthly_revenue(by_month(1, 1e10), NB),
    "60 months": lambda: figures.monthly_customers(by_month(60), NB),
    "300 months": lambda: figures.orders_by_month(by_month(300), NB),
    "months all zero": lambda: figures.monthly_customers(by_month(12, 0.0), EN),
    "revenue all zero": lambda: figures.monthly_revenue(by_month(12, 0.0), NB),
    "revenue below zero": lambda: figures.monthly_revenue(by_month(12, -500.0), NB),
    "small revenue": lambda: figures.monthly_revenue(by_month(12, 0.5), NB),
    "months unknown": lambda: figures.monthly_customers(by_month().assign(new=NAN), EN),
    "no month complete": lambda: figures.monthly_customers(by_month(2).assign(complete=False), EN),
    "no orders": lambda: figures.orders_by_month(by_month().iloc[:0], EN),
    "one month of orders": lambda: figures.orders_by_month(by_month(1), EN),
    "orders all zero": lambda: figures.orders_by_month(by_month(3, 0.0), EN),
    "trend of one": lambda: figures.rate_trend(trend(1), EN),
    "trend of 60": lambda: figures.rate_trend(trend(60), NB),
    "trend without interval": lambda: figures.rate_trend(trend().assign(low=NAN, high=NAN), EN),
    "trend all zero": lambda: figures.rate_trend(trend().assign(value=0.0, low=0, high=0), EN),
    "trend unknown": lambda: figures.rate_trend(trend().assign(value=NAN), EN),
    "empty flow": lambda: figures.customer_flow(flow(0, 0, 0, 0, 0).iloc[:0], EN),
    "flow all zero": lambda: figures.customer_flow(flow(0, 0, 0, 0, 0), EN),
    "flow of millions": lambda: figures.customer_flow(flow(9e6, 8e6, 1e6, 3e6, 5e6), NB),
    "flow unknown": lambda: figures.customer_flow(flow(NAN, NAN, NAN, 5, 5), EN),
    "no rates": lambda: figures.retention_shares(rates().iloc[:0], EN),
    "one rate": lambda: figures.retention_shares(rates(1), EN),
    "rates all zero": lambda: figures.retention_shares(
        rates(value=0.0, low=0.0, high=0.0, previous=0.0), NB
    ),
    "rates of one": lambda: figures.retention_shares(
        rates(value=1.0, low=0.98, high=1.0, previous=1.0), NB
    ),
    "rates unknown": lambda: figures.retention_shares(
        rates(value=NAN, low=NAN, high=NAN, n=NAN, previous=NAN), EN
    ),
    "long rates": lambda: figures.retention_shares(rates(8, label=LONG), NB),
    "no second": lambda: figures.second_purchase(second().iloc[:0], EN),
    "second after one day": lambda: figures.second_purchase(second(1), EN, median=1.0),
    "second after 45 days": lambda: figures.second_purchase(second(45), EN, median=10.0),
    "second of ten years": lambda: figures.second_purchase(second(3650), NB, median=1800.0),
    "second all zero": lambda: figures.second_purchase(second(200, 0.0), NB, median=NAN),
    "second unknown": lambda: figures.second_purchase(second().assign(share=NAN), EN),
    "no cohort": lambda: figures.cohort_heatmap(*(f.iloc[:0] for f in cohorts()), EN),
    "one cohort": lambda: figures.cohort_heatmap(*cohorts(1), EN),
    "two cohorts": lambda: figures.cohort_heatmap(*cohorts(2), EN),
    "three cohorts": lambda: figures.cohort_heatmap(*cohorts(3), EN),
    "60 cohorts": lambda: figures.cohort_heatmap(*cohorts(60), NB),
    "cohorts all zero": lambda: figures.cohort_heatmap(*cohorts(8, 0.0), EN),
    "quarters": lambda: figures.cohort_heatmap(*cohorts(8), NB, period="quarter"),
    "no holdout": lambda: figures.holdout_tracking(tracking(0), date(1997, 9, 30), EN),
    "holdout of a day": lambda: figures.holdout_tracking(tracking(1), date(1997, 1, 5), EN),
    "holdout of a fortnight": lambda: figures.holdout_tracking(tracking(3), date(1997, 1, 12), NB),
    "holdout of ten years": lambda: figures.holdout_tracking(tracking(520), date(2001, 1, 5), NB),
    "holdout all zero": lambda: figures.holdout_tracking(
        tracking().assign(actual=0.0, forecast=0.0, baseline=0.0), date(1997, 9, 30), EN
    ),
    "holdout unknown": lambda: figures.holdout_tracking(
        tracking().assign(actual=NAN, forecast=NAN, baseline=NAN), date(1997, 9, 30), EN
    ),
    "one frequency": lambda: figures.holdout_by_frequency(by_frequency().iloc[:1], EN),
    "no frequency": lambda: figures.holdout_by_frequency(by_frequency().iloc[:0], EN),
    "frequencies all zero": lambda: figures.holdout_by_frequency(
        by_frequency().assign(actual=0.0, forecast=0.0), EN
    ),
    "frequencies with baseline and gaps": lambda: figures.holdout_by_frequency(
        by_frequency().assign(baseline=[0, 1, 2, 3, 4, 5, 6, 9.0], actual=[NAN] * 7 + [1.0]), NB
    ),
    "a map of one point": lambda: figures.alive_map(alive(1, 1), EN, "weeks"),
    "a map of one row": lambda: figures.alive_map(alive(1, 30), EN, "days"),
    "a flat map": lambda: figures.alive_map(alive(level=1.0), EN, "weeks"),
    "an unknown map": lambda: figures.alive_map(alive(level=NAN), EN, "weeks"),
    "a map of years in days": lambda: figures.alive_map(alive(40, 1200), NB, "days"),
    "equal value": lambda: figures.value_concentration(lorenz(1.0), EN, 0.2),
    "all value in one": lambda: figures.value_concentration(lorenz(0.01), NB, 1.0),
    "value unknown": lambda: figures.value_concentration(lorenz(NAN), EN, None),
    "no value": lambda: figures.value_concentration(lorenz().iloc[:0], EN, None),
    "returns at the end": lambda: figures.value_concentration(
        lorenz().assign(share_of_value=lambda f: 1.4 * f["share_of_value"]), EN, 0.95
    ),
    "one segment": lambda: figures.segments(named_segments("Only"), EN),
    "no segment": lambda: figures.segments(named_segments(), EN),
    "eight long segments": lambda: figures.segments(named_segments(*LONG, value="clv"), NB),
    "segments all zero": lambda: figures.segments(
        named_segments("A", "B").assign(customers=0, revenue=0.0), EN
    ),
    "a segment with a loss": lambda: figures.segments(
        named_segments("A", "B").assign(revenue=[120.0, -20.0]), EN
    ),
    "forecasts too low": lambda: figures.forecast_against(against(100, 9000, 4000), NB),
    "no forecast": lambda: figures.forecast_against(against().iloc[:0], EN),
    "one forecast": lambda: figures.forecast_against(against(), NB),
    "forecasts far off": lambda: figures.forecast_against(against(1e6, 2e6, actual=10), EN),
    "forecasts of nothing": lambda: figures.forecast_against(against(3, actual=0.0), EN),
    "forecasts that all met it": lambda: figures.forecast_against(against(5, 5, actual=5), EN),
    "forecasts unknown": lambda: figures.forecast_against(against(NAN, actual=NAN), EN),
    "a forecast unknown": lambda: figures.forecast_against(against(NAN, 100.0, actual=99.0), EN),
    "no earlier forecast": lambda: figures.forecast_errors(missed(0), EN),
    "one earlier forecast": lambda: figures.forecast_errors(missed(1), NB),
    "eight earlier forecasts": lambda: figures.forecast_errors(missed(8, 1.5), NB),
    "earlier forecasts that met it": lambda: figures.forecast_errors(missed(4, 0.0), EN),
    "earlier forecasts unknown": lambda: figures.forecast_errors(missed(4, NAN), EN),
    "no step": lambda: figures.next_purchase(stepwise(0), EN, 90),
    "one step": lambda: figures.next_purchase(stepwise(1), NB, 90),
    "steps of all": lambda: figures.next_purchase(stepwise(4, 0.6).clip(upper=1.0), EN, 30),
    "steps of nobody": lambda: figures.next_purchase(stepwise(4, 0.0), EN, 180),
    "no repeat counts": lambda: figures.repeat_counts(repeats().iloc[:0], EN),
    "repeat counts all zero": lambda: figures.repeat_counts(repeats(0.0), EN),
    "repeat counts of a few": lambda: figures.repeat_counts(repeats(0.01), EN),
    "repeat counts of millions": lambda: figures.repeat_counts(repeats(1e6), NB),
    "a value map of one point": lambda: figures.value_map(value(1, 1), EN, "weeks"),
    "a value map of one row": lambda: figures.value_map(value(1), EN, "days"),
    "a value map of cents": lambda: figures.value_map(value(level=0.001), EN, "days"),
    "a value map of millions": lambda: figures.value_map(value(level=1e6), NB, "weeks"),
    "a value map without value": lambda: figures.value_map(value(level=0.0), EN, "weeks"),
    "caught all": lambda: figures.caught_revenue(caught(1.0, 1.0, 1.0), NB),
    "caught nothing": lambda: figures.caught_revenue(caught(0.0, 0.0, 0.0), EN),
    "caught unknown": lambda: figures.caught_revenue(caught(NAN, NAN, NAN), EN),
    "a segment in formula letters": lambda: figures.segments(
        named_segments("$x^2$ & \\frac", "_{b"), EN
    ),
}


def written(drawn: Drawn) -> tuple[Figure, list[Text]]:
    """The figure and every text of it that can be seen, after a full layout."""
    figure = drawn.axes.figure
    assert isinstance(figure, Figure)
    with figures.style():
        figure.canvas.draw()
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    # Ticks outside the axes' limits exist, yet are not drawn.
    ticks = {
        id(label)
        for ax in figure.axes
        for axis in (ax.xaxis, ax.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
    }
    drawn_ticks = {
        id(label)
        for ax in figure.axes
        for axis in (ax.xaxis, ax.yaxis)
        for tick in axis._update_ticks()
        for label in (tick.label1, tick.label2)
    }
    return figure, [t for t in texts if id(t) not in ticks or id(t) in drawn_ticks]


def cut_off(drawn: Drawn) -> list[str]:
    figure, texts = written(drawn)
    width, height = figure.canvas.get_width_height()
    return [
        t.get_text()
        for t in texts
        if (box := t.get_window_extent()).x0 < -0.5
        or box.y0 < -0.5
        or box.x1 > width + 0.5
        or box.y1 > height + 0.5
    ]


def on_top_of_each_other(drawn: Drawn) -> list[tuple[str, str]]:
    _, texts = written(drawn)
    boxes = [(t.get_text(), t.get_window_extent().padded(-1.5)) for t in texts]
    return [(a, b) for (a, one), (b, two) in combinations(boxes, 2) if one.overlaps(two)]


# What holds for every figure ----------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "nb"])
@pytest.mark.parametrize("name", USUAL)
def test_no_text_is_cut_off_or_covers_another(name: str, language: str) -> None:
    drawn = USUAL[name](EN if language == "en" else NB)
    assert cut_off(drawn) == []
    assert on_top_of_each_other(drawn) == []


@pytest.mark.parametrize("case", EDGES)
def test_odd_data_draws_without_a_text_cut_off_or_covering_another(case: str) -> None:
    drawn = EDGES[case]()
    assert cut_off(drawn) == []
    assert on_top_of_each_other(drawn) == []
    assert drawn.alt.strip().endswith(".")
    assert "nan" not in drawn.alt.lower().split()


@pytest.mark.parametrize("name", USUAL)
def test_every_figure_has_the_width_of_the_page_and_no_title(name: str) -> None:
    drawn = USUAL[name](EN)
    width, height = drawn.axes.figure.get_size_inches()
    assert width == pytest.approx(7.2)
    assert 2.0 <= height <= 9.0
    assert drawn.axes.get_title() == ""
    assert drawn.axes.get_legend() is None


@pytest.mark.parametrize("name", USUAL)
def test_drawing_changes_no_global_setting_and_leaves_no_open_figure(name: str) -> None:
    before = dict(mpl.rcParams)
    USUAL[name](EN).png()
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", ["monthly_customers", "cohort_heatmap"])
def test_the_same_figures_give_the_same_bytes(name: str) -> None:
    assert USUAL[name](EN).png() == USUAL[name](EN).png()


def test_a_figure_can_be_drawn_on_given_axes() -> None:
    figure = Figure(figsize=(8, 3))
    ax = figure.add_subplot()
    assert figures.orders_by_month(by_month(), EN, ax=ax).axes is ax


def test_a_notebook_shows_the_picture_at_page_size_with_its_alt_text() -> None:
    drawn = figures.orders_by_month(by_month(), EN)
    data, metadata = DisplayFormatter().format(drawn)
    assert metadata["image/png"]["alt"] == drawn.alt
    assert metadata["image/png"]["width"] == 720
    assert data["text/plain"] == drawn.alt
    png = data["image/png"]
    assert Image.open(io.BytesIO(png)).width == 1440


# What each figure says ----------------------------------------------------------------------


def texts_of(drawn: Drawn) -> list[str]:
    return [t.get_text() for t in written(drawn)[1]]


def test_monthly_customers_names_both_series_and_the_month_that_is_not_over() -> None:
    frame = by_month(6, 100.0).assign(new=[5, 40, 10, 10, 10, 3], returning=[0, 60, 20, 25, 30, 9])
    drawn = figures.monthly_customers(frame, EN)
    assert {"New", "Returning", "unfinished"} <= set(texts_of(drawn))
    assert "most in February 2023, 100" in drawn.alt
    assert "In May 2023, the last whole month, 40: 10 new and 30 returning" in drawn.alt


def test_an_unfinished_month_is_hatched_and_a_whole_one_is_not() -> None:
    bars = figures.orders_by_month(by_month(4), EN).axes.patches
    assert [bool(bar.get_hatch()) for bar in bars] == [False, False, False, True]


def test_the_hatching_shows_in_a_vector_picture_too() -> None:
    # There the whole bar takes the transparency of its fill, and strokes of its colour vanish.
    bar = figures.orders_by_month(by_month(4), EN).axes.patches[-1]
    assert bar.get_facecolor()[3] == bar.get_edgecolor()[3] == 1.0
    assert bar.get_facecolor() != bar.get_edgecolor()


def test_a_month_without_a_row_leaves_a_gap() -> None:
    bars = figures.orders_by_month(by_month(6).drop(index=2), EN).axes.patches
    assert np.diff([bar.get_x() for bar in bars]).round(6).tolist() == [1, 2, 1, 1]


def test_a_month_cut_short_is_not_called_the_lowest() -> None:
    frame = by_month(4).assign(orders=[50.0, 40, 60, 3])
    assert "fewest in February 2023, 40" in figures.orders_by_month(frame, EN).alt


def test_revenue_is_written_in_the_readers_way() -> None:
    drawn = figures.monthly_revenue(by_month(12, 1e6), NB)
    assert any(t.replace("\N{NO-BREAK SPACE}", " ") == "1 000 000 kr" for t in texts_of(drawn))


def test_customer_flow_adds_up_in_the_picture() -> None:
    drawn = figures.customer_flow(flow(50000, 11000, 900, 1000, 40900), EN)
    start, lost, back, new, end = drawn.axes.patches
    assert lost.get_y() + lost.get_height() == start.get_height()
    assert back.get_y() == lost.get_y()
    assert new.get_y() + new.get_height() == end.get_height()
    assert "Lost: −11,000; Reactivated: +900; New: +1,000" in drawn.alt


def test_rates_say_value_n_interval_and_the_period_before() -> None:
    alt = figures.retention_shares(rates(1), EN).alt
    assert alt == (
        "Rate number 0: 20.0% (n = 1,000), interval 17.0% to 23.0%, a period earlier 15.0%."
    )


def test_a_rate_that_is_not_known_is_said_not_to_be() -> None:
    frame = rates(1, value=NAN, low=NAN, high=NAN, n=NAN, previous=NAN)
    assert figures.retention_shares(frame, EN).alt == "Rate number 0: not known."


def test_second_purchase_gives_the_share_at_30_60_and_90_days() -> None:
    frame = pd.DataFrame({"days": [0, 30, 60, 90, 120], "share": [0, 0.1, 0.15, 0.18, 0.2]})
    drawn = figures.second_purchase(frame.assign(low=NAN, high=NAN), EN, median=25.0)
    assert {"30 days: 10.0%", "60 days: 15.0%", "90 days: 18.0%"} <= set(texts_of(drawn))
    assert "10.0% within 30 days, 15.0% within 60 days, 18.0% within 90 days" in drawn.alt
    assert "Half of those who came back: within 25 days." in drawn.alt


def test_a_day_not_yet_reached_is_not_marked() -> None:
    assert not any(t.startswith("90") for t in texts_of(figures.second_purchase(second(70), EN)))


def test_cohorts_leave_out_the_first_period_and_write_no_figure_in_an_unfinished_one() -> None:
    shares, sizes, unfinished = cohorts(4)
    drawn = figures.cohort_heatmap(shares, sizes, unfinished, EN)
    assert "100.0" not in texts_of(drawn)
    cells = [t.get_text() for t in drawn.axes.texts]
    assert cells == ["15.0", "10.0", "15.1"]
    assert sum(patch.get_hatch() is not None for patch in drawn.axes.patches) == 3
    assert "15.0% (Jan 2020) to 15.1% (Feb 2020)" in drawn.alt
    assert "Jan 2020  (900)" in texts_of(drawn)


def test_many_cells_carry_no_figures() -> None:
    assert figures.cohort_heatmap(*cohorts(30), EN).axes.texts[:] == []


def test_figures_in_cells_stand_out_from_their_cell() -> None:
    drawn = figures.cohort_heatmap(*cohorts(12), EN)
    values = drawn.axes.collections[0].get_array().compressed()
    colours = drawn.axes.collections[0].to_rgba(values)
    for text, cell in zip(drawn.axes.texts, colours, strict=True):
        light, dark = sorted([luminance(to_rgb(text.get_color())), luminance(cell)])[::-1]
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_tracking_says_how_far_the_model_was_off() -> None:
    drawn = figures.holdout_tracking(tracking(), date(1997, 9, 30), EN)
    assert "Actual 4,620, Model 4,240, Naive forecast 4,164" in drawn.alt
    assert "The model is 91.8% of what happened." in drawn.alt
    assert {"← fitted on", "held back →"} <= set(texts_of(drawn))


def test_calibration_gives_each_group_with_its_size() -> None:
    drawn = figures.holdout_by_frequency(by_frequency(), EN)
    assert "7+: actual 6.36, model 6.16" in drawn.alt
    assert "7+\n64" in texts_of(drawn)


def test_concentration_marks_the_best_fifth() -> None:
    assert figures.value_concentration(lorenz(), EN, 0.617).alt == (
        "The best fifth of customers: 61.7% of the value."
    )


def test_alive_map_draws_the_line_at_one_half() -> None:
    assert "50%" in texts_of(figures.alive_map(alive(), EN, "weeks"))


def test_segments_compare_shares_of_customers_and_of_value() -> None:
    frame = pd.DataFrame({"segment": ["A", "B"], "customers": [1, 3], "clv": [60.0, 40.0]})
    assert figures.segments(frame, EN).alt == (
        "A: 25.0% of customers, 60.0% of expected value; "
        "B: 75.0% of customers, 40.0% of expected value."
    )


def test_segments_without_a_value_say_what_is_missing() -> None:
    frame = pd.DataFrame({"segment": ["A"], "customers": [1]})
    with pytest.raises(ValueError, match="give it `revenue` or `clv`"):
        figures.segments(frame, EN)


def test_a_trend_names_its_last_value_with_the_interval() -> None:
    drawn = figures.rate_trend(trend(), EN)
    assert "36.0%" in texts_of(drawn)
    assert drawn.alt.endswith("The last has an interval from 34.0% to 38.0%.")


# The shared pieces --------------------------------------------------------------------------


def test_labels_that_would_meet_are_moved_apart_and_stay_inside() -> None:
    placed = marks.spread([5.0, 5.0, 5.0, 9.9], gap=1.0, low=0.0, high=10.0)
    assert np.diff(np.sort(placed)).min() >= 1.0 - 1e-9
    assert placed.min() >= 0.0
    assert placed.max() <= 10.0
    assert placed.tolist() == [4.0, 5.0, 6.0, 9.9]


@pytest.mark.parametrize("colour", sorted({*TEXT_COLOURS.values(), QUIET}))
def test_every_colour_of_text_reads_on_white(colour: str) -> None:
    assert 1.05 / (luminance(to_rgb(colour)) + 0.05) >= 4.5


def test_series_that_meet_in_a_figure_differ_for_a_reader_without_red_or_green_cones() -> None:
    # Full dichromacy: Machado, Oliveira and Fernandes 2009, table 1, severity 1.0.
    protan = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
              [-0.003882, -0.048116, 1.051998]]  # fmt: skip
    deutan = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
              [-0.011820, 0.042940, 0.968881]]  # fmt: skip
    for cones in (protan, deutan):
        seen = {name: np.array(cones) @ np.array(to_rgb(c)) for name, c in COLOURS.items()}
        for one, two in [
            ("new", "returning"),
            ("gain", "loss"),
            ("actual", "forecast"),
            ("forecast", "baseline"),
            ("customers", "value"),
        ]:
            assert np.linalg.norm(seen[one] - seen[two]) > 0.15, (one, two)
