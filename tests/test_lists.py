"""Lists to act on: who is on which, in which order, and what leaves the house as files."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from retention_lib.data.base import Base
from retention_lib.data.handover import OUTPUT, VARIABLE
from retention_lib.data.read import read_base
from retention_lib.models.at_stake import value_at_stake
from retention_lib.models.forecast import Forecast, make_forecast
from retention_lib.params import Params, read_client_file
from retention_lib.report import files, list_parts, mail_lists
from retention_lib.report.customers import customer_table, earlier_customers
from retention_lib.report.findings import actions
from retention_lib.report.language import Formats
from retention_lib.report.mail_lists import safe, write_list
from retention_lib.report.page import Page
from retention_lib.retention.lists import (
    AHEAD_DAYS,
    COLUMNS,
    MOST,
    ActionList,
    action_lists,
)
from retention_lib.retention.lots import CONTROL, MEASURE, draw_lots
from retention_lib.retention.outcomes import left_alone

AS_OF = pd.Timestamp("2024-12-31")
#: The workbook's own texts in the client's language.
say = Formats("nb", "NOK").say
CORE = ["win_back", "remind_now", "thank_best", "second_order"]
NAN = float("nan")


def valued(
    rows: list[tuple[str, int, float, float, int]], state: str | None = None
) -> pd.DataFrame:
    """Valued customers from (id, purchases, p_alive, clv, days since the first).

    Last seen 40 days ago; due after 10 days, late after 30 unless the state says otherwise.
    """
    ids, purchases, p_alive, clv, days = (list(column) for column in zip(*rows, strict=True))
    frame = pd.DataFrame(
        {
            "purchases": purchases,
            "p_alive": p_alive,
            "clv": clv,
            "T_days": days,
            "tier": pd.Categorical(
                ["gold" if value >= 100 else "bronze" for value in clv], ["gold", "bronze"]
            ),
            **{"segment": "Loyal", "revenue": 1.0, "expected_purchases": 1.0},
            "first": AS_OF - pd.to_timedelta(days, unit="D"),
            "last": AS_OF - pd.Timedelta(days=40),
            **{"away": 40, "due_days": 10.0, "late_days": 30.0, "second_days": 90},
        },
        index=pd.Index(ids, name="customer"),
    )
    frame["value_at_stake"] = value_at_stake(frame)
    once = frame["purchases"] == 1
    names = np.where(once, "no_rhythm", state or "late")
    return frame.assign(rhythm=pd.Categorical(names))


PEOPLE = [
    ("z", 3, 0.40, 30.0, 300),  # 45 at stake
    ("b", 2, 0.10, 10.0, 300),  # 90
    ("a", 2, 0.10, 10.0, 300),  # 90
    ("c", 5, 0.49, 99.0, 300),  # 103
    ("once", 1, 0.10, 50.0, 91),
    ("new", 1, 0.90, 5.0, 90),
    ("newer", 1, 0.90, 8.0, 1),
    ("best", 9, 0.95, 200.0, 300),  # 11
    ("better", 9, 0.50, 300.0, 300),  # 300
    ("lost", 9, 0.49, 400.0, 300),  # 416
]


def by_id(made: tuple[ActionList, ...]) -> dict[str, ActionList]:
    return {one.id: one for one in made}


def test_what_is_at_stake_is_the_value_of_being_sure_less_the_value() -> None:
    values = pd.DataFrame({"clv": [10.0, 10.0, 0.0, 5.0], "p_alive": [0.25, 1.0, 0.5, 0.0]})
    assert value_at_stake(values).tolist() == [30.0, 0.0, 0.0, 0.0]


def test_lists_are_ranked_by_what_is_at_stake_and_equals_by_id() -> None:
    frame = valued(PEOPLE)
    frame.loc["best", "rhythm"] = np.nan
    frame["rhythm"] = frame["rhythm"].astype(object).fillna("not_due").astype("category")
    made = by_id(action_lists(frame.sample(frac=1, random_state=3)))
    assert list(made) == CORE
    win_back = made["win_back"]
    assert win_back.customers.index.tolist() == ["lost", "better", "c", "a", "b", "z"]
    assert win_back.customers["days_late"].tolist() == [10.0] * 6
    assert made["remind_now"].eligible == 0
    assert made["thank_best"].customers.index.tolist() == ["better", "best"]
    assert made["second_order"].customers.index.tolist() == ["newer", "new"]
    assert made["second_order"].customers["days_left"].tolist() == [89, 0]
    assert made["second_order"].customers.loc["new", "second_by"] == AS_OF
    assert "90 days" in made["second_order"].about
    assert win_back.eligible == 6
    assert win_back.eligible_clv == 30 + 10 + 10 + 99 + 300 + 400
    assert win_back.eligible_at_stake == pytest.approx(
        win_back.customers["value_at_stake"].sum(), rel=1e-12
    )
    assert win_back.customers.loc["b", "value_at_stake"] == pytest.approx(90)


def test_who_is_reminded_is_told_until_when_it_is_early_enough() -> None:
    frame = valued(PEOPLE, "window").assign(late_days=55.0)
    frame.loc["c", "late_days"] = NAN  # beyond the history: no date
    remind = by_id(action_lists(frame))["remind_now"].customers
    assert remind.index.tolist()[:3] == ["lost", "better", "c"]
    assert remind.loc["lost", "due"] == AS_OF - pd.Timedelta(days=30)
    assert remind.loc["lost", "late"] == AS_OF + pd.Timedelta(days=15)
    assert remind.loc["lost", "days_left"] == 15
    assert remind.loc["c", ["late", "days_left"]].isna().all()


def test_a_long_list_ends_but_counts_all() -> None:
    many = valued([(f"c{n:05}", 2, 0.4, float(n), 300) for n in range(MOST + 5)])
    win_back = action_lists(many)[0]
    assert (len(win_back.customers), win_back.eligible) == (MOST, MOST + 5)
    assert win_back.customers["clv"].is_monotonic_decreasing
    assert win_back.customers["clv"].iloc[-1] == 5.0
    assert win_back.eligible_clv == sum(range(MOST + 5))


# --- lists from frames of their own --------------------------------------------------------------


def extras() -> dict[str, pd.DataFrame]:
    day = AS_OF.normalize()
    return {
        "cross_sell": pd.DataFrame(
            {
                "category": ["Tea", "Tea", "Pots"],
                "next_category": ["Pots", "Pots", "=Tea"],
                **{"share": 0.3, "lift": 1.5, "n": 120},
            },
            index=["z", "best", "stranger"],
        ),
        "birthdays": pd.DataFrame(
            {
                "birthday": [
                    day + pd.Timedelta(days=n) for n in (AHEAD_DAYS, 1, 0, AHEAD_DAYS + 1, 1)
                ]
            },
            index=["z", "a", "b", "c", "best"],
        ),
        "anniversaries": pd.DataFrame(
            {"anniversary": [dt.date(2025, 1, 9)], "years": [2]}, index=["lost"]
        ),
    }


def test_frames_make_lists_of_their_own_with_their_own_columns() -> None:
    made = by_id(action_lists(valued(PEOPLE), extras()))
    assert list(made) == [*CORE, "cross_sell", "birthdays", "anniversaries"]
    cross = made["cross_sell"]
    assert cross.customers.index.tolist() == ["best", "z"]
    assert cross.customers.columns.tolist() == [*cross.own, *COLUMNS]
    assert cross.customers.loc["z", "next_category"] == "Pots"
    # from tomorrow on, a month ahead, the next first, and of one day the most valuable
    assert made["birthdays"].customers.index.tolist() == ["best", "a", "z"]
    assert made["anniversaries"].customers["years"].tolist() == [2]


def test_who_is_gone_gets_no_greeting() -> None:
    frame = valued(PEOPLE)
    frame["p_alive"] = 0.01
    assert by_id(action_lists(frame, extras()))["birthdays"].eligible == 0


@pytest.mark.parametrize("extra", [None, {}, {"birthdays": pd.DataFrame({"birthday": []})}])
def test_a_list_without_data_does_not_appear(extra: dict[str, pd.DataFrame] | None) -> None:
    assert [one.id for one in action_lists(valued(PEOPLE), extra)] == CORE


def test_without_a_forecast_only_lists_that_need_none_are_made() -> None:
    found = [one.id for one in action_lists(valued(PEOPLE), extras(), usable=False)]
    assert found == ["cross_sell", "birthdays", "anniversaries"]
    unknown = valued(PEOPLE).assign(
        clv=NAN, p_alive=NAN, value_at_stake=NAN, revenue=range(len(PEOPLE))
    )
    made = action_lists(unknown, extras())
    assert [one.id for one in made] == found
    assert made[0].customers.index.tolist() == ["best", "z"]  # by revenue, then
    assert made[0].everyone["value_at_stake"].eq(0).all()


def test_every_list_has_its_words_columns_and_formats() -> None:
    full = action_lists(valued(PEOPLE), extras())
    empty = action_lists(valued([("x", 2, 0.9, 1.0, 300)], "not_due"))
    for one in (*full, *empty):
        assert actions.one_list(one)
        assert actions.measure(one)
        assert one.about.endswith(".")
        for column in (*one.own, *COLUMNS):
            assert column in files.FORMATS
            assert column in files.LABELS
    assert "nobody" in actions.one_list(by_id(empty)["remind_now"])


# --- lots ----------------------------------------------------------------------------------------


@given(ids=st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=60), seed=st.text())
@settings(max_examples=60)
def test_lots_halve_a_list_and_are_drawn_alike_in_any_order(ids: list[str], seed: str) -> None:
    index = pd.Index(ids, dtype=object)
    lots = draw_lots(index, seed)
    assert (lots == MEASURE).sum() == -(-len(ids) // 2)
    assert (lots == CONTROL).sum() == len(ids) // 2
    assert draw_lots(index[::-1], seed)[index].tolist() == lots.tolist()


def test_another_list_or_day_draws_anew() -> None:
    ids = pd.Index([f"c{n}" for n in range(2_000)])
    one, other = draw_lots(ids, "acme win_back 2024"), draw_lots(ids, "acme win_back 2025")
    assert 0.45 < (one == other).mean() < 0.55
    # no half is better than the other by the way ids are numbered
    low = (one.iloc[:1_000] == MEASURE).mean()
    assert 0.45 < low < 0.55


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("+4722334455", "+4722334455"),
        ("-17", "-17"),
        ("0042", "0042"),
        ("Tea; black, loose", "Tea; black, loose"),
        ("two\nlines", "two lines"),
        ("\t=1", "'\t=1"),
        ("-1\n=2", "'-1 =2"),
    ],
)
def test_a_text_that_a_spreadsheet_would_run_is_told_apart(text: str, written: str) -> None:
    assert safe(text) == written


def test_a_mail_list_is_plain_csv(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "customer": ["0042", "=1+1", 'Åse "A", Ltd'],
            "day": [pd.Timestamp("2024-01-31"), pd.NaT, pd.Timestamp("2024-12-01")],
            "clv": [1234567.891, NAN, 0.5],
            "n": [3.0, NAN, 12.0],
            "p": [0.123456, 1.0, NAN],
        }
    )
    file = tmp_path / "l.csv"
    formats = {"customer": "text", "day": "date", "clv": "currency", "n": "count", "p": "share"}
    write_list(file, frame, formats)
    assert file.read_bytes().decode("utf-8").split("\r\n") == [
        "customer,day,clv,n,p",
        "0042,2024-01-31,1234567.89,3,0.1235",
        "'=1+1,,,,1.0",
        '"Åse ""A"", Ltd",2024-12-01,0.5,12,',
        "",
    ]
    write_list(file, frame.head(0), formats)
    assert file.read_text() == "customer,day,clv,n,p\n"


def test_a_list_longer_than_what_is_written_at_a_time_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_lists, "_BLOCK", 2)
    frame = pd.DataFrame({"customer": list("abcde"), "n": range(5)})
    write_list(tmp_path / "l.csv", frame, {"customer": "text", "n": "count"})
    assert (tmp_path / "l.csv").read_text().split() == [
        "customer,n",
        *["a,0", "b,1", "c,2", "d,3", "e,4"],
    ]


@pytest.fixture(scope="module")
def sample(root: Path) -> Base:
    """A tenth of CDNOW, to June 1998."""
    file = read_client_file(root / "params" / "cdnow-sample.yaml")
    given_ = {"as_of": None, "free_orders": False, "model": "paretonbd"}
    return read_base(file.params.model_copy(update=given_), file.folder)


@pytest.fixture(scope="module")
def made(sample: Base) -> Forecast:
    return make_forecast(sample)


@pytest.fixture(scope="module")
def left(sample: Base, made: Forecast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what a run leaves, with the cross-sell list made of a hand-made frame."""
    folder = tmp_path_factory.mktemp("run")
    table = customer_table(sample, made)
    pairs = extras()["cross_sell"].iloc[:1].loc[["z"] * len(table)].set_axis(table.index)
    to_act_on = action_lists(table, {"cross_sell": pairs.assign(category="=Tea")})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        files.leave(sample, table, to_act_on, Formats("nb", "USD"))
    return folder / OUTPUT


def test_a_run_leaves_workbook_and_a_file_a_list(left: Path) -> None:
    assert {p.relative_to(left).as_posix() for p in left.rglob("*") if p.is_file()} == {
        *("customers.parquet", "actions.xlsx"),
        *(f"lists/{name}.csv" for name in (*CORE, "cross_sell")),
    }


def sheet(left: Path, number: int) -> list[list]:
    """A sheet as another reader than the writer's has it."""
    book = CalamineWorkbook.from_path(str(left / "actions.xlsx"))
    return book.get_sheet_by_index(number).to_python()


@pytest.mark.parametrize(("number", "name"), list(enumerate([*CORE, "cross_sell"], start=1)))
def test_workbook_and_mail_list_say_what_customers_parquet_says(
    left: Path, number: int, name: str
) -> None:
    truth = pd.read_parquet(left / "customers.parquet")
    mail = pd.read_csv(left / "lists" / f"{name}.csv", dtype={"customer": str})
    rows = sheet(left, number)
    if mail.empty:  # nobody has bought for the first time lately in this log
        assert name == "second_order"
        assert len(rows) == 1
        return
    assert mail["customer"].is_unique
    assert [row[0] for row in rows[1:]] == mail["customer"].head(MOST).tolist()
    own = truth.loc[mail["customer"]]
    columns = ["purchases", "revenue", "p_alive", "expected_purchases", "clv", "value_at_stake"]
    for column in columns:
        assert mail[column].tolist() == pytest.approx(own[column].tolist(), abs=0.006), column
    for column in ("first", "last"):
        assert pd.to_datetime(mail[column]).tolist() == own[column].tolist()
    for column in ("segment", "tier"):
        assert mail[column].tolist() == own[column].astype(str).tolist()
    # the workbook's last six columns, in full
    for at, column in enumerate(columns, start=-6):
        found = [row[at] for row in rows[1:]]
        assert found == pytest.approx(own[column].head(MOST).tolist(), rel=1e-12), column
    groups = {"measure": say("Measure"), "control": say("Control")}
    assert [row[1] for row in rows[1:]] == mail["group"].head(MOST).map(groups).tolist()
    assert abs((mail["group"] == "measure").sum() - len(mail) / 2) <= 0.5


def test_the_win_back_list_holds_exactly_the_late_and_says_since_when(left: Path) -> None:
    truth = pd.read_parquet(left / "customers.parquet")
    late = truth[(truth["rhythm"] == "late") & (truth["purchases"] >= 2)]
    mail = pd.read_csv(left / "lists" / "win_back.csv", dtype={"customer": str})
    assert set(mail["customer"]) == set(late.index)
    assert mail["value_at_stake"].is_monotonic_decreasing
    own = late.loc[mail["customer"]]
    assert (own["p_alive"] >= 0.05).all()
    assert pd.to_datetime(mail["late"]).tolist() == own["late"].tolist()
    days = (pd.Timestamp("1998-06-30") - own["late"]).dt.days
    assert mail["days_late"].tolist() == days.tolist()
    assert (days >= 0).all()


def test_the_reminders_window_is_open_today(left: Path) -> None:
    mail = pd.read_csv(left / "lists" / "remind_now.csv", parse_dates=["due", "late"])
    assert (mail["due"] <= "1998-06-30").all()
    assert ((mail["late"] > "1998-06-30") | mail["late"].isna()).all()
    assert (mail["days_left"].dropna() > 0).all()


def test_the_first_sheet_says_what_each_list_is_for_and_what_the_groups_are(left: Path) -> None:
    truth = pd.read_parquet(left / "customers.parquet")
    rows = sheet(left, 0)
    (win_back,) = [row for row in rows if row[0] == say("Win back")]
    late = truth[(truth["rhythm"] == "late") & (truth["purchases"] >= 2)]
    assert win_back[2] == len(late)
    assert win_back[3] == pytest.approx(late["value_at_stake"].sum())
    notes = " ".join(str(row[1]) for row in rows)
    assert "valgt ved loddtrekning, er kontrollgruppe" in notes


def test_the_sheets_have_frozen_headings_filters_and_text_that_stays_text(left: Path) -> None:
    book = openpyxl.load_workbook(left / "actions.xlsx")
    for name in ("Win back", "Remind now", "Cross-sell"):
        page = book[say(name)]
        assert page.freeze_panes == "B2"
        assert page.auto_filter.ref is not None
        assert page["A2"].data_type == "s"
    cell = next(c for c in book[say("Cross-sell")][2] if c.value == "=Tea")
    assert (cell.data_type, cell.quotePrefix) == ("s", True)
    mail = (left / "lists" / "cross_sell.csv").read_text(encoding="utf-8")
    assert next(csv.DictReader(mail.splitlines()))["category"] == "'=Tea"


def test_the_lot_can_be_drawn_again_a_quarter_later(left: Path, sample: Base) -> None:
    mail = pd.read_csv(left / "lists" / "win_back.csv", dtype={"customer": str})
    ids = pd.Index(mail["customer"])
    again = draw_lots(ids[::-1], f"{sample.params.client}\0win_back\0{sample.as_of.isoformat()}")
    assert again[ids].tolist() == mail["group"].tolist()


# --- the report ----------------------------------------------------------------------------------


def test_each_list_says_what_its_customers_do_when_left_alone(sample: Base, made: Forecast) -> None:
    then = earlier_customers(sample, made)
    assert then is not None
    found = list_parts.outcomes(then)
    for one in action_lists(then.customers):
        by_itself = left_alone(sample, then.base, then.months, one.everyone.index)
        assert found.get(one.id) == by_itself
    assert {"win_back", "remind_now"} <= set(found)


def test_no_birthday_is_printed_beside_a_pseudonym() -> None:
    made = action_lists(valued(PEOPLE), extras())
    shown = list_parts.sections(made, Page(Formats(), lambda customer: f"C-{len(customer)}"))
    kinds = [(part.metadata["retention"]["kind"], repr(part)) for part in shown]
    places = [n for n, (kind, text) in enumerate(kinds) if text.startswith("Birthdays:")]
    assert kinds[places[0]][0] == "section"
    after = [kind for kind, _ in kinds[places[0] + 1 :]]
    assert "table" not in after[: after.index("section")]
    tables = [text for kind, text in kinds if kind == "table"]
    assert len(tables) == 5  # win back, best, second order, cross-sell, anniversaries


def test_a_client_without_anything_to_act_on_leaves_a_workbook_that_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "o.csv").write_text("c,d,a\nanna,2024-05-01,5\n")
    params = Params(
        client="acme",
        currency="NOK",
        source="o.csv",
        columns={"customer": "c", "date": "d", "amount": "a"},
    )
    base = read_base(params, tmp_path)
    made = make_forecast(base)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    files.leave(base, customer_table(base, made), (), Formats("en", "NOK"))
    assert openpyxl.load_workbook(tmp_path / OUTPUT / "actions.xlsx").sheetnames == ["About"]
    assert not (tmp_path / OUTPUT / "lists").exists()
