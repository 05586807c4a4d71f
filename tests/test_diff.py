"""Two reports compared: what moved beyond its interval, what can't be compared, what is told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from statsmodels.stats.proportion import confint_proportions_2indep
from typer.testing import CliRunner

from retention_lib.cli import app
from retention_lib.metrics import Metric
from retention_lib.params import read_client_file
from retention_lib.report.labels import label
from retention_lib.retention.comparison import Compared
from retention_lib.retention.difference import apart
from retention_lib.retention.intervals import wilson
from retention_lib.run.diff import diff
from retention_lib.run.diff_words import as_json, before, print_diff
from retention_lib.run.report import report_client

THEN, NOW = "2024-12-31", "2025-03-31"

Figures = dict[str, dict[str, Any]]


def share(successes: int, n: int) -> dict[str, Any]:
    found = wilson(successes, n)
    assert found is not None
    return {"value": successes / n, "unit": "share", "low": found.low, "high": found.high, "n": n}


def count(value: float | None, note: str | None = None) -> dict[str, Any]:
    said = {"value": value, "unit": "count"}
    return {**said, "note": note} if note else said


def report(
    reports: Path, day: str, figures: Figures, *, client: str = "acme", **given: Any
) -> Path:
    """What a run leaves, as far as a comparison reads it."""
    folder = reports / client / day
    folder.mkdir(parents=True)
    sha256, versions = given.pop("sha256", day), given.pop("versions", {"retention": "0.1.0"})
    run = {
        "schema": 1,
        "start": given.pop("start", "2020-01-01"),
        "parameters": {"client": client, "currency": "NOK", "source": "a.csv", **given},
        "data": {"sha256": sha256, "rows": 1000, "rows_used": 990},
        "versions": versions,
    }
    said = {"schema": 1, "client": client, "as_of": day, "metrics": figures}
    (folder / "metrics.json").write_text(json.dumps(said), encoding="utf-8")
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    return folder


def rows(reports: Path, *days: str) -> dict[str, Compared]:
    return {row.metric: row for row in diff(reports, "acme", *days).figures}


def sentences(reports: Path) -> list[str]:
    return [*before(diff(reports, "acme"))]


# The change and its interval ------------------------------------------------------------------


def test_of_two_samples_without_a_common_customer_the_interval_is_newcombes() -> None:
    random = np.random.default_rng(7)
    for _ in range(200):
        n1, n2 = random.integers(5, 500, 2)
        x1, x2 = random.integers(0, n1 + 1), random.integers(0, n2 + 1)
        then, now = (Metric(**share(int(x), int(n))) for x, n in ((x1, n1), (x2, n2)))
        low, high = confint_proportions_2indep(x2, n2, x1, n1, method="newcomb", compare="diff")
        found = apart(then, now)
        assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_a_rate_that_moved_is_told_from_one_that_did_not(tmp_path: Path) -> None:
    for day, kept, again in ((THEN, 300, 200), (NOW, 400, 205)):
        figures = {"retention.rate": share(kept, 1000), "retention.repeat_90d": share(again, 1000)}
        report(tmp_path, day, figures)
    found = rows(tmp_path)
    assert found["retention.rate"].state == "moved"
    assert found["retention.repeat_90d"].state == "within"
    assert sentences(tmp_path)[0] == (
        f"1 of 2 figures moved beyond its interval from {THEN} to {NOW}: "
        "Retention rate: from 30.0% up to 40.0%."
    )


def test_one_figure_of_many_that_leaves_its_interval_is_not_taken_for_more(tmp_path: Path) -> None:
    many = [
        *("retention.rate", "retention.repurchase_rate", "retention.repeat_rate"),
        *("retention.ever_repeat_rate", "retention.repeat_90d", "cohorts.later_back"),
    ]
    still = {name: share(300, 1000) for name in many}
    report(tmp_path, THEN, still)
    report(tmp_path, NOW, {**still, "retention.rate": share(343, 1000)})
    found = rows(tmp_path)["retention.rate"]
    assert found.difference.low > 0
    assert found.p > 0.05 / len(many)
    assert found.state == "moved_alone"
    assert "With all 6 judged together (Holm), none of them stays moved" in sentences(tmp_path)[1]


def test_what_is_counted_has_no_interval_and_churn_is_retention_once(tmp_path: Path) -> None:
    def figures(kept: int, customers: int) -> Figures:
        return {
            "customers.at_end": count(customers),
            "revenue.net": {"value": customers * 10.5, "unit": "currency"},
            "holdout.bias": {"value": 0.01, "unit": "share"},
            "retention.rate": share(kept, 1000),
            "churn.rate": share(1000 - kept, 1000),
            "model.bgnbd.r": {"value": kept / 1000, "unit": "number", "low": 0.1, "high": 0.9},
        }

    report(tmp_path, THEN, figures(300, 900))
    report(tmp_path, NOW, figures(450, 1800))
    found = rows(tmp_path)
    states = {name: row.state for name, row in found.items()}
    assert states["customers.at_end"] == states["revenue.net"] == "counted"
    assert states["holdout.bias"] == "no_interval"
    assert states["churn.rate"] == states["retention.rate"] == "moved"
    churn, retention = found["churn.rate"].difference, found["retention.rate"].difference
    assert churn == pytest.approx((-retention.change, -retention.high, -retention.low))
    assert list(found)[-1] == "model.bgnbd.r"
    assert sentences(tmp_path)[0].startswith("1 of 1 figures")


def test_the_reports_own_interval_is_taken_where_it_speaks_of_these_two(tmp_path: Path) -> None:
    figures = [{"retention.rate": share(k, 1000)} for k in (300, 330)]
    report(tmp_path, THEN, figures[0])
    later = report(tmp_path, NOW, figures[1])
    assert rows(tmp_path)["retention.rate"].state == "within"
    names = ["reported", "now", "change", "low", "high"]

    def own(then: float) -> Compared:
        said = json.loads((later / "metrics.json").read_text())
        row = [then, 0.33, 0.33 - then, 0.01, 0.05]
        table = {"columns": [{"name": n} for n in names], "rows": [row]}
        said["tables"] = {"changes": table}
        (later / "metrics.json").write_text(json.dumps(said))
        return rows(tmp_path)["retention.rate"]

    found = own(0.3)
    assert (found.by_customer, found.state) == (True, "moved")
    assert found.difference.low == 0.01
    # of another report, or of data that was revised since
    assert not own(0.31).by_customer


# What can't be compared -----------------------------------------------------------------------


def test_a_changed_definition_is_said_first_and_only_where_it_matters(tmp_path: Path) -> None:
    figures = {
        "retention.rate": share(300, 1000),
        "clv.total": {"value": 900.0, "unit": "currency", "low": 800.0, "high": 1000.0},
    }
    report(tmp_path, THEN, figures)
    report(tmp_path, NOW, figures, horizon_months=24)
    found = rows(tmp_path)
    assert found["retention.rate"].state == "within"
    assert (found["clv.total"].state, found["clv.total"].redefined) == (
        "redefined",
        ("horizon_months",),
    )
    assert np.isnan(found["clv.total"].difference.change)
    first = sentences(tmp_path)[0]
    assert first.startswith("1 of 2 figures can't be compared")
    assert "horizon_months 12, now 24" in first


def test_where_nothing_can_be_compared_it_is_said_so(tmp_path: Path) -> None:
    report(tmp_path, THEN, {"retention.rate": share(300, 1000)})
    report(tmp_path, NOW, {"retention.rate": share(500, 1000)}, period_months=6)
    told = sentences(tmp_path)
    assert told[0].startswith("No figure can be compared")
    assert told[1].startswith("No figure can be held against an interval")


def test_what_came_what_went_and_what_is_not_known(tmp_path: Path) -> None:
    report(
        tmp_path, THEN, {"timing.peaks": count(None, "Too few days."), "customers.new": count(3)}
    )
    report(tmp_path, NOW, {"timing.peaks": count(2), "customers.lost": count(4)})
    states = {name: row.state for name, row in rows(tmp_path).items()}
    assert states == {
        "customers.new": "gone",
        "customers.lost": "added",
        "timing.peaks": "unknown",
    }
    said = printed(tmp_path)
    assert f"not known on {THEN}" in said
    assert f"Peaks ({THEN}): Too few days." in said
    assert "New in the later report: Lost customers." in said
    assert "Gone since the earlier: New customers." in said


def test_what_the_reports_were_made_from_is_compared_too(tmp_path: Path) -> None:
    figures = {"customers.new": count(3)}
    report(tmp_path, THEN, figures, columns={"customer": "Kundenr", "amount": "Beløp"})
    report(
        tmp_path,
        NOW,
        figures,
        columns={"customer": "Kundenr", "amount": "Netto"},
        margin=0.4,
        sha256=THEN,
        versions={"retention": "0.2.0", "pandas": "3.1"},
    )
    told = sentences(tmp_path)
    assert told[0].startswith('The data was read otherwise (columns.amount "Beløp", now "Netto")')
    assert "made by retention 0.1.0 and 0.2.0" in told[1]
    assert any("margin 1.0, now 0.4" in sentence for sentence in told)
    assert any(sentence.startswith("Data: the same content") for sentence in told)
    assert any("pandas –, now 3.1" in sentence for sentence in told)


def test_a_password_in_an_address_is_not_printed(tmp_path: Path) -> None:
    report(tmp_path, THEN, {"customers.new": count(3)}, source="postgresql://me:hunter2@db/shop")
    report(tmp_path, NOW, {"customers.new": count(3)})
    assert "hunter2" not in printed(tmp_path)
    assert "hunter2" not in as_json(diff(tmp_path, "acme"))


# What is printed ------------------------------------------------------------------------------


def printed(reports: Path, width: int | None = None) -> str:
    stream = StringIO()
    console = Console(
        file=stream, width=width, force_terminal=width is not None, soft_wrap=True, highlight=False
    )
    print_diff(diff(reports, "acme"), console)
    return re.sub(r"\x1b\[[\d;]*m", "", stream.getvalue())


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """Two reports with amounts of ten digits, long names and every state."""
    for day, x in ((THEN, 1.0), (NOW, 1.3)):
        money = {"value": 1_234_567_890 * x, "unit": "currency"}
        ends = {"low": 1_100_000_000 * x, "high": 1_350_000_000 * x}
        report(
            tmp_path,
            day,
            {
                "customers.new_at_end": count(int(2_000_000 * x)),
                "retention.rate": share(int(300 * x), 1000),
                "journey.days_to_second": {"value": 50 * x, "unit": "days", "low": 9, "high": 99},
                "revenue.net": money,
                "clv.total": {**money, **ends},
                "economics.break_even_spend": {"value": None, "unit": "currency", "note": "No."},
                "holdout.bias": {"value": 0.1 * x, "unit": "share"},
            },
        )
    return tmp_path


@pytest.mark.parametrize("width", [90, 104, 120, 200])
def test_on_a_terminal_nothing_is_cut(full: Path, width: int) -> None:
    said = printed(full, width)
    assert max(map(len, said.splitlines())) <= width
    assert "…" not in said
    for word in ("within", "counted", "no interval", "NOK 1,604,938,257", "+370,370,367"):
        assert word in said
    assert ("+30.0%" in said) == (width >= 120)


def test_in_a_file_a_figure_is_a_line_in_the_order_of_the_contract(full: Path) -> None:
    lines = printed(full).splitlines()
    known = [row for row in diff(full, "acme").figures if row.now and row.now.value is not None]
    at = [
        next(i for i, x in enumerate(lines) if x.startswith(f"  {label(r.metric)} ")) for r in known
    ]
    assert at == sorted(at)
    assert all(line == line.rstrip() for line in lines)
    retention = lines[at[1]].split("  ")
    assert [cell.strip() for cell in retention if cell.strip()] == [
        *("Retention rate", "30.0%", "39.0%", "+9.0 pts"),
        *(next(c.strip() for c in retention if " to " in c), "up"),
    ]


def test_text_of_a_report_can_not_act_on_the_terminal(tmp_path: Path) -> None:
    note = "[red]bold[/red] \x1b[2J\x07 \u202e end"
    for day in (THEN, NOW):
        report(tmp_path, day, {"timing.peaks": count(None, note)})
    said = printed(tmp_path)
    assert "[red]bold[/red]" in said
    assert not set("\x1b\x07\u202e") & set(said)


def test_json_has_every_figure_and_no_nan(full: Path) -> None:
    said = json.loads(as_json(diff(full, "acme")), parse_constant=pytest.fail)
    assert (said["from"], said["to"], said["currency"]) == (THEN, NOW, "NOK")
    found = {row["metric"]: row for row in said["figures"]}
    assert found["revenue.net"]["low"] is None
    assert found["retention.rate"]["change"] == pytest.approx(0.09)
    assert found["retention.rate"]["state"] == "moved"
    assert len(found) == 7


# The command ----------------------------------------------------------------------------------


def command(reports: Path, *words: str) -> tuple[int, list[str], str]:
    ran = CliRunner().invoke(app, ["diff", *words, "--out", str(reports)])
    assert ran.exception is None or isinstance(ran.exception, SystemExit)
    return ran.exit_code, ran.stderr.strip().splitlines(), ran.stdout


def test_two_days_in_any_order_words_for_them_or_none_are_the_same(tmp_path: Path) -> None:
    for n, day in enumerate(("2024-09-30", THEN, NOW)):
        report(tmp_path, day, {"customers.new": count(n)})
    asked = [(), (THEN,), (THEN, NOW), (NOW, THEN), ("previous", "latest"), ("latest", "previous")]
    told = {command(tmp_path, "acme", *words)[2] for words in asked}
    assert len(told) == 1
    assert THEN in told.pop()
    assert "2024-09-30" in command(tmp_path, "acme", "2024-09-30")[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["acne"], "did you mean acme?"),
        (["params/acme.yaml"], "did you mean acme?"),
        (["../../etc"], "there are acme, other"),
        (["acme", "2025-01-31"], f"no report of 2025-01-31; there are {THEN}, {NOW}"),
        (["acme", "2025-02-28"], "the run for that day failed"),
        (["acme", "31.03.2025"], 'found "31.03.2025"'),
        (["acme", "2025-02-31"], "allowed is YYYY-MM-DD"),
        (["acme", NOW, NOW], "is named twice"),
        (["acme", "latest"], f"compare it with another: {THEN}"),
        (["other"], "there is one report"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_exit_2(
    words: list[str], said: str, tmp_path: Path
) -> None:
    for day in (THEN, NOW):
        report(tmp_path, day, {"customers.new": count(1)})
    report(tmp_path, NOW, {"customers.new": count(1)}, client="other")
    (tmp_path / "acme" / "2025-02-28.failed").mkdir()
    code, err, out = command(tmp_path, *words)
    assert (code, len(err), out) == (2, 1, "")
    assert said in err[0]


def test_without_any_report_the_sentence_says_how_to_make_one(tmp_path: Path) -> None:
    code, err, _ = command(tmp_path / "nowhere", "acme")
    assert code == 2
    assert "make one with `retention report FILE`" in err[0]


def test_two_currencies_are_refused(tmp_path: Path) -> None:
    report(tmp_path, THEN, {"customers.new": count(1)})
    report(tmp_path, NOW, {"customers.new": count(1)}, currency="SEK")
    code, err, _ = command(tmp_path, "acme")
    assert code == 2
    assert "is in NOK" in err[0]
    assert "in SEK" in err[0]


def cut(file: Path) -> None:
    file.write_text(file.read_text()[:50])


def newer(file: Path) -> None:
    file.write_text(file.read_text().replace('"schema": 1', '"schema": 9'))


def shapeless(file: Path) -> None:
    file.write_text('{"schema": 1, "client": "acme", "as_of": "2025-03-31", "metrics": {"x": 3}}')


def of_another(file: Path) -> None:
    file.write_text(file.read_text().replace('"client": "acme"', '"client": "rival"'))


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("metrics.json", cut, "can't be read as JSON"),
        ("metrics.json", newer, "version 9, newer than version 1"),
        ("metrics.json", shapeless, "aren't as `retention` writes them"),
        ("metrics.json", of_another, 'the figures of "rival"'),
        ("run.json", Path.unlink, "there is no such file"),
        ("run.json", cut, "can't be read as JSON"),
    ],
)
def test_a_damaged_report_is_one_sentence_and_exit_3(
    name: str, damage: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    report(tmp_path, THEN, {"customers.new": count(1)})
    damage(report(tmp_path, NOW, {"customers.new": count(1)}) / name)
    code, err, out = command(tmp_path, "acme")
    assert (code, len(err), out) == (3, 1, "")
    assert said in err[0]
    assert str(tmp_path / "acme" / NOW) in err[0]


# Real reports ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_real_reports_are_compared_as_the_later_one_does_it(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    for day in ("1998-03-31", "1998-06-30"):
        file.write_text(
            "client: acme\nsource: builtin:cdnow-sample\ncurrency: NOK\nmodel: bgnbd\n"
            f"period_months: 6\nactive_months: 6\nas_of: {day}\n"
        )
        made = report_client(read_client_file(file), tmp_path / "reports")
    table = json.loads(made.report.with_name("metrics.json").read_text())["tables"]["changes"]
    names = [column["name"] for column in table["columns"]]
    own = [dict(zip(names, row, strict=True)) for row in table["rows"]]
    found = rows(tmp_path / "reports")
    rate = found["retention.rate"]
    (said,) = [r for r in own if r["now"] == rate.now.value and r["low"] is not None]
    assert rate.difference == pytest.approx((said["change"], said["low"], said["high"]))
    # what customers of both reports share makes it narrower than two independent samples would
    plain = apart(rate.then, rate.now)
    assert rate.by_customer
    assert rate.difference.high - rate.difference.low < plain.high - plain.low
    assert {row.state for row in found.values()} <= {
        *("moved", "moved_alone", "within", "counted", "no_interval", "unknown"),
    }
    ran = subprocess.run(
        [Path(sys.executable).parent / "retention", "diff", "acme"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Retention rate" in ran.stdout
    assert "\x1b" not in ran.stdout
    assert ran.stderr == ""
