"""Folders of reports as runs leave them, as far as the page of all clients reads them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from retention_lib.run import index
from retention_lib.run.history import keep

#: Beginnings of company names, A to Å, and what such companies call themselves.
FIRST = (
    *("Aurora", "Bergen", "Cirkel", "Dalen", "Eik", "Fjord", "Granit", "Havn", "Isbjørn", "Jotun"),
    *("Kyst", "Lykke", "Måne", "Nordlys", "Oslo", "Polar", "Qvist", "Rav", "Skog", "Tind", "Ulv"),
    *("Vinter", "Wilhelm", "Ymse", "Zenit", "Ærlig", "Ørn", "Åsgård", "4ever"),
)
LAST = ("Kaffe AS", "Sport", "Dagligvarer", "Bøker & Papir", "Interiør ApS", "Kläder AB")


def metrics(seed: int = 0, **changed: Any) -> dict[str, dict[str, Any]]:
    """The figures of a summary, drawn by lot."""
    draw = random.Random(seed)
    rate, again = draw.uniform(0.3, 0.8), draw.uniform(0.15, 0.4)
    customers, revenue = draw.randint(400, 90_000), draw.uniform(2e5, 9e7)

    def share(value: float, n: int) -> dict[str, Any]:
        half = 1.96 * (value * (1 - value) / n) ** 0.5
        return {
            **{"value": value, "unit": "share", "low": value - half, "high": value + half, "n": n},
            "previous": value + draw.uniform(-0.03, 0.03),
        }

    clv = revenue * draw.uniform(0.3, 0.9)
    return {
        "customers.at_end": {"value": customers, "unit": "count", "previous": customers - 120},
        "retention.rate": share(rate, customers),
        "retention.repeat_90d": share(again, customers),
        "revenue.net": {"value": revenue, "unit": "currency", "previous": revenue * 0.96},
        "revenue.top20_share": {"value": draw.uniform(0.4, 0.7), "unit": "share", "n": customers},
        "clv.total": {"value": clv, "unit": "currency", "low": 0.8 * clv, "high": 1.3 * clv},
        "model.bgnbd.r": {"value": 0.24, "unit": "number"},
        **changed,
    }


def report(
    reports: Path,
    client: str,
    as_of: str,
    *,
    finished: str = "2026-03-02T07:15:00+00:00",
    figures: dict[str, Any] | None = None,
    verdict: str | None = "fit",
    recommendations: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
    padding: int = 0,
    **parameters: Any,
) -> Path:
    """What a run leaves of one report; `padding` stands for its tables and figures."""
    folder = reports / client / as_of
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    (folder / "lists").mkdir(exist_ok=True)
    for name in ("report.html", "actions.xlsx", "notebooks/00_summary.ipynb"):
        (folder / name).write_text(f"{client} {as_of}")
    said = {"schema": 1, "client": client, "as_of": as_of, "metrics": figures or metrics()}
    said["tables"] = {"all": ["x" * 80] * (padding // 85)}
    run = {
        "schema": 1,
        "client": client,
        "as_of": as_of,
        "start": "2019-01-01",
        "finished": finished,
        "parameters": {"client": client, "currency": "NOK", "source": "a.csv", **parameters},
        "data": {"sha256": "abc"},
        "versions": {"retention": "0.1.0"},
        "verdict": verdict,
        "recommendations": list(recommendations),
        "warnings": list(warnings),
    }
    (folder / "metrics.json").write_text(json.dumps(said, indent=1), encoding="utf-8")
    (folder / "run.json").write_text(json.dumps(run, indent=1), encoding="utf-8")
    return folder


def listed(reports: Path, client: str) -> None:
    """A run of its own: it leaves a report and writes the page of all clients."""
    report(reports, client, "2026-03-31")
    assert index.write(reports) == ()


def failed(
    reports: Path,
    client: str,
    as_of: str = "data",
    *,
    finished: str = "2026-04-03T07:15:00+00:00",
    sentences: tuple[str, ...] = ("source: there is no file orders.csv",),
    stopped: tuple[str, ...] = (),
    only: str | None = None,
    **parameters: Any,
) -> Path:
    """What a run leaves that failed."""
    folder = reports / client / f"{as_of}.failed"
    (folder / "notebooks").mkdir(parents=True)
    (folder / "run.log").write_text("\n".join(sentences))
    for chapter in ("01_data", *stopped):
        (folder / "notebooks" / f"{chapter}.ipynb").write_text("{}")
    run = {
        "client": client,
        "finished": finished,
        "parameters": {"client": client, "currency": "NOK", **parameters},
        "only": only,
        "failed": list(sentences),
        "stopped": list(stopped),
    }
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    return folder


def many(reports: Path, clients: int, dates: int, padding: int = 0) -> None:
    """Many clients with several reports each, in three currencies; some failed, some warn."""
    draw = random.Random(1)
    days = [f"{2023 + n // 4}-{('03-31', '06-30', '09-30', '12-31')[n % 4]}" for n in range(dates)]
    steps = (
        "Win back 2,873 customers who are slipping away: {} 1,400,000 is at stake",
        "Remind 4,707 customers now, while it is early enough",
        "Keep the best: a fifth of the customers brings 63.5% of the revenue",
        "Offer Tea to those who buy Coffee",
    )
    for n in range(clients):
        client = f"client-{n:03}"
        title = f"{FIRST[n % len(FIRST)]} {LAST[n // len(FIRST) % len(LAST)]}"
        currency = ("NOK", "DKK", "SEK", "EUR")[n % 4]
        for k, day in enumerate(days):
            report(
                reports,
                client,
                day,
                figures=metrics(100 * n + k),
                finished=f"2026-{draw.randint(1, 3):02}-{draw.randint(1, 28):02}T08:00:00+00:00",
                verdict=draw.choice(("fit", "fit", "care", "unfit")),
                recommendations=tuple(step.replace("{}", currency) for step in steps)[
                    : draw.randint(0, 4)
                ],
                warnings=("03_cltv, the fit took long",) if draw.random() < 0.1 else (),
                padding=padding,
                title=title,
                currency=currency,
            )
        keep(reports / client, client)
        if n % 25 == 7:
            failed(
                *(reports, client, days[-1]),
                sentences=(f"Chapter 02_retention stopped at cell [7] with ValueError: {n}.",),
                stopped=("02_retention",),
            )
