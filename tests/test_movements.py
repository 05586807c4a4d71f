"""Movement between value tiers: recounted in SQL, adding up, and told as it came out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle.movements import tier_matrix

from retention_lib.data.read import read_base
from retention_lib.models.forecast import make_forecast
from retention_lib.params import Params, read_client_file
from retention_lib.report import movement_parts
from retention_lib.report.customers import customer_table, earlier_customers
from retention_lib.report.findings.movements import heading, moved, source, value
from retention_lib.report.language import Formats
from retention_lib.report.voice import page_of
from retention_lib.retention.movements import (
    GONE,
    NEW,
    group_moves,
    movement_metrics,
    movements,
)
from retention_lib.retention.segments import tier_cuts, tiers

SHARES = {"gold": 0.1, "silver": 0.3, "bronze": 0.6}
THEN, NOW = dt.date(2024, 3, 31), dt.date(2024, 6, 30)


def table(clv: dict[str, float], purchases: dict[str, int] | None = None) -> pd.DataFrame:
    frame = pd.DataFrame({"clv": pd.Series(clv, dtype=float)})
    bought = purchases or {}
    frame["purchases"] = [bought.get(who, 1) for who in frame.index]
    return frame.assign(tier=tiers(frame["clv"], SHARES))


def between(then: pd.DataFrame, now: pd.DataFrame, **given_: bool):
    return movements(then, now, THEN, NOW, reported=given_.get("reported", True))


def ranked(n: int, gold_stay: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A base of n in which so many of the best tenth stay in it, and others take their places."""
    best = n // 10
    then = {f"c{i:04}": float(n - i) for i in range(n)}
    now = dict(then)
    for i in range(gold_stay, best):
        a, b = f"c{i:04}", f"c{i + best:04}"
        now[a], now[b] = then[b], then[a]
    return table(then), table(now)


@pytest.mark.slow
def test_the_matrix_is_the_one_that_sql_counts_on_cdnow(root: Path) -> None:
    file = read_client_file(root / "params" / "cdnow-sample.yaml")
    base = read_base(file.params, file.folder)
    made = make_forecast(base)
    customers = customer_table(base, made)
    earlier = earlier_customers(base, made)
    assert earlier is not None
    found, segments = movement_parts.since_last(base, customers, made, earlier)
    assert found is not None
    assert not found.reported
    frames = [
        pd.DataFrame({"customer": f.index.astype(str), "value": f["clv"].to_numpy()})
        for f in (earlier.customers, customers)
    ]
    counted = tier_matrix(*frames, base.params.tiers)
    stacked = found.counts.stack()
    assert {k: int(n) for k, n in stacked.items() if n} == counted
    assert segments["now"].sum() == len(customers)
    metrics = movement_metrics(found)
    gold = [n for (was, _), n in counted.items() if was == "gold"]
    assert metrics["tiers.best_kept"].n == sum(gold)
    assert metrics["tiers.best_kept"].value == pytest.approx(counted["gold", "gold"] / sum(gold))
    # the section is whole, and its tables can be traced
    shown = movement_parts.sections(found, segments, customers, base, page_of(base))
    said = "\n".join(str(part) for part in shown)
    assert "worked out from what the data knew on that day" in said
    left = sum(gold) - counted["gold", "gold"]
    assert f"{left} of the {sum(gold)} gold customers of June 30, 1997 are gold no longer" in said


tables = st.dictionaries(
    st.sampled_from([f"c{i}" for i in range(40)]),
    st.floats(0, 1e6, allow_nan=False) | st.just(float("nan")),
    max_size=40,
)


@given(tables, tables)
def test_nobody_is_lost_between_two_days(then: dict[str, float], now: dict[str, float]) -> None:
    before, after = table(then), table(now)
    found = between(before, after)
    known, known_now = before["tier"].notna().sum(), after["tier"].notna().sum()
    if found is None:
        assert min(known, known_now) == 0
        return
    assert found.counts.loc[list(SHARES)].to_numpy().sum() == known
    assert found.counts[list(SHARES)].to_numpy().sum() == known_now
    assert found.counts.loc[NEW, GONE] == 0
    assert (found.counts >= 0).all(axis=None)
    of = found.of
    assert (of["kept"] + of["up"] + of["down"] == of["customers"]).all()
    assert (of["down_silent"] <= of["down"]).all()
    assert of["up"].iloc[0] == 0
    assert of["down"].iloc[-1] == 0
    for name, metric in movement_metrics(found).items():
        if metric.value is not None:
            assert 0 <= metric.low <= metric.value <= metric.high <= 1, name
    groups = group_moves(before["tier"], after["tier"])
    assert (groups["then"] - groups["left"] + groups["came"] + groups["new"]).equals(groups["now"])
    assert groups["now"].sum() == known_now


def test_who_has_not_bought_since_is_told_from_who_was_overtaken() -> None:
    then = table({"a": 100, "b": 50, **{f"z{i}": 1 for i in range(8)}}, {"a": 3, "b": 2})
    now = table({"a": 40, "b": 90, **{f"z{i}": 1 for i in range(8)}}, {"a": 3, "b": 4})
    found = between(then, now)
    assert (found.of["down"].sum(), found.of["down_silent"].sum()) == (1, 1)
    assert "nobody has bought since" in moved(found)
    again = between(then, table({"a": 40, "b": 90, **{f"z{i}": 1 for i in range(8)}}, {"a": 9}))
    assert again.of["down_silent"].sum() == 0
    assert "1 have bought, but less than before or less than others" in moved(again)


@pytest.mark.parametrize(
    ("stay", "says"),
    [
        (99, "99 of the 100 gold customers of 2024-03-31 still are gold"),
        (70, "30 of the 100 gold customers of 2024-03-31 are gold no longer"),
        (10, "Most of the 100 gold customers of 2024-03-31 have slipped: 90 are gold no longer"),
    ],
)
def test_the_heading_says_what_became_of_the_best(stay: int, says: str) -> None:
    then, now = ranked(1000, stay)
    assert heading(between(then, now), tier_cuts(now, SHARES)) == says


def test_a_handful_of_the_best_is_no_heading() -> None:
    then, now = ranked(100, 5)
    assert "hold" in heading(between(then, now), tier_cuts(now, SHARES))
    assert "hold" in heading(None, tier_cuts(now, SHARES))


def test_what_the_best_were_worth_rises_and_falls() -> None:
    then, now = ranked(1000, 70)
    assert "were worth" in value(between(then, now))
    assert "have gained in value" in value(between(then, now.assign(clv=2 * now["clv"])))


def test_nobody_moved() -> None:
    then, now = ranked(1000, 100)
    assert moved(between(then, now)) == "Nobody has changed tier since 2024-03-31."
    assert "last report" in source(between(then, now))


def test_without_values_there_is_nothing_to_follow() -> None:
    then, now = ranked(1000, 100)
    empty = table(dict.fromkeys(now.index, np.nan))
    assert between(then, empty) is None
    assert between(empty.iloc[:0], now) is None
    assert {m.value for m in movement_metrics(None).values()} == {None}


def test_new_and_gone_customers_are_counted_apart() -> None:
    then = table({f"c{i:03}": 900.0 - i for i in range(500)})
    now = table({f"c{i:03}": 900.0 - i for i in range(10, 530)})
    found = between(then, now)
    assert found.counts[GONE].tolist() == [10, 0, 0, 0]
    assert found.counts.loc[NEW].tolist() == [0, 0, 30, 0]
    assert found.of["gone"].sum() == 10
    drawn = movement_parts.moves_figure(found, Formats())
    assert "no longer in the data" in drawn.alt
    assert "new since" in drawn.alt
    assert "No longer in the data" in movement_parts.moves_table(found, Formats()).as_raw_html()


def test_the_cuts_rebuild_the_tiers() -> None:
    rng = np.random.default_rng(3)
    frame = table({f"c{i:03}": float(v) for i, v in enumerate(rng.gamma(0.5, 80, 400))})
    cuts = tier_cuts(frame, SHARES)
    assert cuts["customers"].tolist() == [40, 120, 240]
    assert cuts["share_of_clv"].sum() == pytest.approx(1)
    rebuilt = np.select(
        [frame["clv"] >= cuts["lowest"].iloc[0], frame["clv"] >= cuts["lowest"].iloc[1]],
        ["gold", "silver"],
        "bronze",
    )
    assert (rebuilt == frame["tier"].astype(str)).all()


def shop(tmp_path: Path, lines: list[str]):
    (tmp_path / "a.csv").write_text("\n".join(["customer;date;amount", *lines]) + "\n")
    params = Params(
        client="small",
        currency="EUR",
        source=str(tmp_path / "a.csv"),
        columns={"customer": "customer", "date": "date", "amount": "amount"},
        csv={"decimal": "."},
    )
    return read_base(params, tmp_path)


@pytest.mark.parametrize(
    "lines",
    [
        ["a;2024-01-05;10.00"],
        ["a;2024-01-05;10.00", "a;2024-02-05;12.00"],
        [f"c{i};2024-01-05;10.00" for i in range(30)],
        [f"c{i};2024-{m:02}-05;10.00" for i in range(3) for m in range(1, 13)],
    ],
)
def test_a_tiny_base_has_a_section_or_none_and_no_trouble(lines: list[str], tmp_path: Path) -> None:
    base = shop(tmp_path, lines)
    made = make_forecast(base)
    customers = customer_table(base, made)
    found, segments = movement_parts.since_last(base, customers, made)
    assert set(movement_metrics(found)) == {
        *("tiers.best_kept", "tiers.moved_up", "tiers.moved_down")
    }
    shown = movement_parts.sections(found, segments, customers, base, page_of(base))
    assert (shown == []) == customers["clv"].isna().all()
