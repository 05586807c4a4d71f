"""From purchase to purchase: counted again by hand, and told as it came out."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from kept import base_of

from retention_lib.report import journey_parts
from retention_lib.report.findings.next_purchase import heading
from retention_lib.report.language import Formats
from retention_lib.retention import kpis
from retention_lib.retention.next_purchase import WITHIN, next_purchase

END = dt.date(2024, 12, 31)


def drawn(seed: int, customers: int = 60) -> list[tuple[str, dt.date, float]]:
    """Orders of a year, some on one day, some taken back on it."""
    rng = np.random.default_rng(seed)
    rows = []
    for who in range(customers):
        for day in rng.integers(0, 365, rng.integers(1, 12)):
            when = END - dt.timedelta(days=int(day))
            rows.append((f"c{who}", when, 10.0))
            if rng.random() < 0.1:
                rows.append((f"c{who}", when, -10.0))
    return rows


def by_hand(rows: list[tuple[str, dt.date, float]], number: int, within: int) -> tuple[int, int]:
    """Who made the purchase and was watched so long; who of them bought again in time."""
    net: dict[tuple[str, dt.date], float] = {}
    for who, day, amount in rows:
        net[who, day] = net.get((who, day), 0.0) + amount
    days: dict[str, list[dt.date]] = {}
    for (who, day), amount in sorted(net.items()):
        if amount > 0:
            days.setdefault(who, []).append(day)
    watched = back = 0
    for bought in days.values():
        if len(bought) < number or (END - bought[number - 1]).days < within:
            continue
        watched += 1
        back += len(bought) > number and (bought[number] - bought[number - 1]).days <= within
    return watched, back


@pytest.mark.parametrize("seed", range(3))
def test_every_share_is_the_one_counted_by_hand(seed: int) -> None:
    rows = drawn(seed)
    found = next_purchase(base_of(rows, as_of=END))
    assert found["number"].tolist() == [1, 2, 3, 4, 5, 6]
    for row in found.to_dict("records"):
        for days in WITHIN:
            watched, back = by_hand(rows, row["number"], days)
            assert row[f"n_{days}"] == watched
            assert row[f"share_{days}"] == pytest.approx(back / watched)
            assert row[f"low_{days}"] <= row[f"share_{days}"] <= row[f"high_{days}"]


def test_the_first_step_is_the_metric_of_the_contract() -> None:
    base = base_of(drawn(7), as_of=END)
    first = next_purchase(base).iloc[0]
    metric = kpis.retention_metrics(base)["retention.repeat_90d"]
    assert first["share_90"] == pytest.approx(metric.value)
    assert (first["low_90"], first["high_90"]) == pytest.approx((metric.low, metric.high))
    assert first["n_90"] == metric.n


def test_who_bought_yesterday_was_not_watched() -> None:
    rows = [(f"c{n}", END - dt.timedelta(days=1), 5.0) for n in range(30)]
    found = next_purchase(base_of(rows, as_of=END))
    assert found["n_30"].tolist() == [0]
    assert found[["share_30", "low_30", "days_median"]].isna().all(axis=None)
    assert "Too few" in heading(found)
    assert journey_parts.steps_figure(found, Formats()).alt.startswith("Nobody")
    assert "–" in journey_parts.steps_table(found, Formats()).as_raw_html()


def steps(*shares: float, n: int = 2000) -> pd.DataFrame:
    frame = pd.DataFrame({"number": range(1, len(shares) + 1), "share_90": shares, "n_90": n})
    return frame.assign(low_90=frame["share_90"] - 0.02, high_90=frame["share_90"] + 0.02)


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ((0.2, 0.3, 0.4, 0.5), "After one purchase 20.0% buy again within 90 days, after 4"),
        ((0.2, 0.45, 0.48, 0.5), "The second purchase is the hurdle"),
        ((0.4, 0.3, 0.2), "The more purchases came before, the fewer"),
        ((0.4, 0.41, 0.42), "About as many buy again"),
        ((0.4,), "After the first purchase 40.0% buy again within 90 days"),
    ],
)
def test_the_heading_says_what_the_steps_say(shares: tuple[float, ...], says: str) -> None:
    assert says in heading(steps(*shares))


def test_a_handful_is_no_step() -> None:
    frame = steps(0.2, 0.3, 0.9)
    frame.loc[2, "n_90"] = 19
    assert "90.0%" not in heading(frame)
