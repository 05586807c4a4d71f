"""Headings say what the figures say, and the opposite when the figures do."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from retention_lib.metrics import Metric, unknown
from retention_lib.models.verdict import Verdict
from retention_lib.report.findings import advice, data, retention, summary, tested, worth
from retention_lib.report.language import Formats
from retention_lib.sentence import Sentence, about

EN = Formats("en", "NOK")


def told(sentence: Sentence) -> str:
    return EN.tell(sentence)


def rates(kept: float | None, n: int = 1_000, previous: float | None = None) -> dict[str, Metric]:
    if kept is None:
        nobody = unknown("share", "Nobody had bought.", n=0)
        return {"retention.rate": nobody, "churn.rate": nobody}
    low, high = kept - 0.03, kept + 0.03
    return {
        "retention.rate": Metric(kept, "share", low, high, n, previous),
        "churn.rate": Metric(1 - kept, "share", 1 - high, 1 - low, n),
    }


def counts(**known: int) -> dict[str, Metric]:
    names = ("total", "active", "new", "returning", "at_start", "at_end", "reactivated", "lost")
    return {f"customers.{n}": Metric(known.get(n, 0), "count") for n in names}


class TestRetention:
    @pytest.mark.parametrize(
        ("metrics", "says"),
        [
            (rates(0.7), "70.0% of the customers stayed, 30.0% left"),
            (rates(0.3), "70.0% of the customers left, 30.0% stayed"),
            (rates(0.7, previous=0.6), "stayed, more than in the period before"),
            (rates(0.7, previous=0.8), "stayed, fewer than in the period before"),
            (rates(0.7, n=7), "Only 7 customers were there at the start"),
            (rates(None), "The history is too short for a retention rate"),
        ],
    )
    def test_the_rate_is_told_as_it_is(self, metrics: dict[str, Metric], says: str) -> None:
        assert says in told(retention.rate(metrics))

    def test_a_change_within_chance_is_no_change(self) -> None:
        # 4 points, where each rate is known to ± 3: √2 · 3 = 4.2
        assert "before" not in told(retention.rate(rates(0.70, previous=0.66)))
        assert "more than" in told(retention.rate(rates(0.70, previous=0.65)))

    @pytest.mark.parametrize(
        ("flow", "says"),
        [
            (counts(at_start=100, at_end=150, lost=20, new=70), "The base grew"),
            (counts(at_start=150, at_end=100, lost=90, new=40), "The base shrank"),
            (counts(at_start=100, at_end=100, lost=20, new=20), "As many customers came"),
            (counts(at_start=100, at_end=80, lost=20), "20 customers were lost and none came"),
            (counts(at_start=1000, at_end=301, lost=700, new=1), "hardly any came: 1"),
            (counts(at_end=80, new=80), "All 80 active customers are new"),
        ],
    )
    def test_the_flow_turns_with_the_figures(self, flow: dict[str, Metric], says: str) -> None:
        assert says in told(retention.flow(flow))

    def test_two_rates_are_told_apart_only_where_they_differ(self) -> None:
        same = rates(0.7) | counts(reactivated=0) | {"retention.rate_formula": Metric(0.7, "share")}
        other = (
            rates(0.7) | counts(reactivated=9) | {"retention.rate_formula": Metric(0.8, "share")}
        )
        assert "nobody was reactivated" in told(retention.two_rates(same))
        assert "counts the 9 reactivated customers" in told(retention.two_rates(other))

    def test_a_period_before_the_data_is_not_written_backwards(self) -> None:
        day = dt.date
        window = lambda a, b: SimpleNamespace(start=a, end=b)  # noqa: E731
        base = SimpleNamespace(
            start=day(2025, 1, 1),
            windows=SimpleNamespace(
                period=window(day(2024, 10, 1), day(2025, 9, 30)),
                before=window(day(2023, 10, 1), day(2024, 9, 30)),
                at_end=window(day(2024, 10, 1), day(2025, 9, 30)),
            ),
        )
        sentence = told(retention.windows(base))
        assert "The data starts on January 1, 2025" in sentence
        assert "January 1, 2025 to September 30, 2024" not in sentence

    def test_practically_all_is_not_called_all(self) -> None:
        metrics = counts(new=2) | {
            "revenue.returning_share": Metric(0.9999, "share"),
            "spend.returning_vs_new": Metric(2.8, "ratio"),
        }
        sentence = told(retention.returning(metrics))
        assert "Practically all" in sentence
        assert "100.0%" not in sentence


class TestTested:
    def forecast(self, bias: float | None, naive: float | None) -> SimpleNamespace:
        holdout = SimpleNamespace(bias=bias, months=6, closest_bias=naive)
        return SimpleNamespace(holdout=holdout)

    @pytest.mark.parametrize(
        ("bias", "naive", "says"),
        [
            (0.01, 0.4, "the forecast met what happened"),
            (-0.12, 0.4, "12.0% too low; the closest naive one was 40.0% off"),
            (0.12, -0.4, "12.0% too high; the closest naive one was 40.0% off"),
            (0.12, -0.05, "12.0% off, and no closer than the naive one"),
            (0.01, 0.001, "1.0% off, and no closer than the naive one"),
            (None, None, "can't be tested"),
        ],
    )
    def test_the_test_of_the_forecast_is_told_as_it_came_out(
        self, bias: float | None, naive: float | None, says: str
    ) -> None:
        assert says in told(tested.heading(self.forecast(bias, naive)))

    def test_an_untested_forecast_is_said_to_be_untested(self) -> None:
        made = SimpleNamespace(holdout=None)
        assert "too short to test" in told(tested.heading(made))
        assert tested.how(made) is None
        assert tested.best_tenth(made) is None

    @pytest.mark.parametrize(
        ("errors", "says"),
        [
            ([0.1, 0.2, 0.3], "All 3 forecasts from earlier days were too low"),
            ([-0.1, -0.2, -0.3], "All 3 forecasts from earlier days were too high"),
            ([-0.1, 0.2, 0.3], "2 were too low, 1 too high"),
        ],
    )
    def test_past_misses_are_told_by_their_side_and_size(
        self, errors: list[float], says: str
    ) -> None:
        origins = pd.DataFrame({"error": errors})
        made = SimpleNamespace(backtests=SimpleNamespace(origins=origins, months=6))
        found = tested.past(made)
        assert says in told(found)
        # actual = forecast · e^error, so that the forecast was off by e^−error − 1
        middle = sorted(abs(np.exp(-e) - 1) for e in errors)[1]
        assert found.values["typical"].value == pytest.approx(middle)

    def test_one_past_forecast_is_no_heading(self) -> None:
        origins = pd.DataFrame({"error": [0.1]})
        made = SimpleNamespace(backtests=SimpleNamespace(origins=origins, months=6))
        assert tested.past(made) is None

    @pytest.mark.parametrize(
        ("model", "past", "says"),
        [(0.5, 0.4, "caught more than"), (0.4, 0.4, "did as well"), (0.3, 0.4, "did as well")],
    )
    def test_a_list_is_praised_only_where_it_beat_past_revenue(
        self, model: float, past: float, says: str
    ) -> None:
        test = SimpleNamespace(best_tenth=model, best_tenth_by_past=past)
        assert says in told(tested.best_tenth(SimpleNamespace(holdout=test)))

    def test_the_wider_interval_is_explained_only_where_it_is_wider(self) -> None:
        def both(low: float, high: float) -> SimpleNamespace:
            return SimpleNamespace(low=low, high=high, own_low=90.0, own_high=110.0)

        wide = SimpleNamespace(intervals={"clv.total": both(60.0, 150.0)})
        assert "Plan with the wider interval" in told(tested.why_wider(wide))
        assert "90" in told(tested.why_wider(wide))
        same = SimpleNamespace(intervals={"clv.total": both(90.0, 111.0)})
        assert "its own interval stands" in told(tested.why_wider(same))
        assert tested.why_wider(SimpleNamespace(intervals={})) is None


class TestWorth:
    def forecast(self, kind: str = "fit") -> SimpleNamespace:
        return SimpleNamespace(
            horizon_months=12,
            margin=0.4,
            discount_rate=0.1,
            verdict=Verdict(kind, ()),
            usable=kind != "unfit",
        )

    def test_a_forecast_that_is_not_fit_makes_no_headline(self) -> None:
        metrics = rates(0.3) | {"clv.total": Metric(1_234_567.0, "currency", 1e6, 1.4e6)}
        good, bad = self.forecast(), self.forecast("unfit")
        assert "about NOK\u00a01,230,000 of margin" in told(worth.total(metrics, good))
        assert "can't be said" in told(worth.total(metrics, bad))
        assert "of margin in the next 12 months" in told(summary.headline(metrics, good))
        assert "1,23" not in told(summary.headline(metrics, bad))

    def test_revenue_is_not_called_margin(self) -> None:
        made = self.forecast()
        made.margin = 1.0
        metrics = {"clv.total": Metric(1_000.0, "currency", 900.0, 1_100.0)}
        assert "of revenue" in told(worth.total(metrics, made))
        assert "it is revenue, not profit" in told(worth.what_clv_is(metrics, made))

    @pytest.mark.parametrize(("half_life", "says"), [(20.0, "After 20 weeks"), (900.0, "keeps")])
    def test_the_cost_of_silence_is_read_off_the_map(self, half_life: float, says: str) -> None:
        x, t = np.meshgrid(np.arange(1, 11), np.linspace(0, 80, 41), indexing="ij")
        value = 30.0 * x * 0.5 ** (t / half_life)
        grid = pd.DataFrame({"frequency": x.ravel(), "silence": t.ravel(), "clv": value.ravel()})
        sentence = told(worth.silence(grid, "weeks"))
        assert says in sentence
        assert "5 repeat purchases" in sentence

    def test_of_a_base_that_carries_no_forecast_nothing_is_explained(self) -> None:
        made = SimpleNamespace(unknowable="Nobody came back.", widened_by="wide", name="bgnbd")
        assert worth.uncertainty(made) is None
        assert worth.model(made) is None
        assert worth.alive_cautions(made) == []

    def test_without_value_nothing_drives_it(self) -> None:
        empty = pd.DataFrame({"frequency": [], "silence": [], "clv": []})
        assert "can't be said" in told(worth.silence(empty, "weeks"))


class TestData:
    def base(self, rows: int, **left_out: int) -> SimpleNamespace:
        frame = pd.DataFrame({"cause": [*left_out], "rows": [*left_out.values()]})
        return SimpleNamespace(
            rows_in=rows, rows_used=rows - sum(left_out.values()), left_out=frame
        )

    @pytest.mark.parametrize(
        ("left_out", "says"),
        [
            ({}, "Every one of the 1,000 rows"),
            ({"guest": 3}, "All but 3 of the 1,000 rows"),
            ({"no_date": 400}, "60.0% of the 1,000 rows"),
            ({"outside_window": 400}, "All 600 rows in the window"),
        ],
    )
    def test_how_much_could_be_used(self, left_out: dict[str, int], says: str) -> None:
        assert says in told(data.usable(self.base(1_000, **left_out)))

    def test_the_rows_left_out_are_counted(self) -> None:
        assert told(data.left_out(self.base(1_000))) == "No row was left out"
        assert told(data.left_out(self.base(1_000, guest=1))) == "One row was left out"
        assert "1,200 rows were left out" in told(data.left_out(self.base(2_000, guest=1_200)))

    def test_months_without_an_order_are_asked_about(self) -> None:
        whole = pd.DataFrame({"orders": [3, 4, 5]})
        assert "each of the 3 months" in told(data.months(whole))
        assert "One month has no order" in told(data.months(whole.assign(orders=[3, 0, 5])))
        assert "2 months have no order" in told(data.months(whole.assign(orders=[0, 0, 5])))


class TestActions:
    def test_without_lists_the_reason_is_given(self) -> None:
        assert "isn't fit to act on" in told(advice.headline((), usable=False))
        assert "no measure now" in told(advice.headline((), usable=True))


def test_an_estimate_is_rounded_in_a_sentence_only() -> None:
    metric = Metric(817_318.4, "currency", 792_129.0, 843_133.0)
    assert about(metric).value == 817_000
    assert about(metric).low == metric.low
    assert about(unknown("currency", "why")).value is None


def test_a_sentence_reads_as_english_by_itself() -> None:
    sentence = Sentence(
        "{n} of {share} in {m}", n=1234, share=Metric(0.5, "share"), m=Metric(3, "months")
    )
    assert sentence == "1,234 of 50.0% in 3 months"
    assert EN.tell(sentence) == sentence
    assert Formats("nb", "NOK").tell(sentence) == "1\u00a0234 of 50,0\u00a0% in 3 måneder"
