"""The further data sets: read like the orders, what can't be used counted, refused in sentences."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from retention_lib.data.base import Base
from retention_lib.data.prepared import from_prepared, prepare
from retention_lib.data.read import read_base
from retention_lib.errors import DataError
from retention_lib.params import Params

ORDERS = "customer;day;sum\n1;2024-01-05;10\n2;2024-02-05;20\n1;2024-06-30;5\n"
OWN = {
    "client": "acme",
    "source": "orders.csv",
    "currency": "NOK",
    "columns": {"customer": "customer", "date": "day", "amount": "sum"},
}


def opened(folder: Path, **further: object) -> Base:
    (folder / "orders.csv").write_text(ORDERS, encoding="utf-8")
    return read_base(Params(**OWN, **further), folder)


def days(column: pd.Series) -> list[str | None]:
    return [None if pd.isna(day) else f"{day:%Y-%m-%d}" for day in column]


def test_members_as_a_nordic_shop_exports_them(tmp_path: Path) -> None:
    text = (
        "Kundenr;Innmeldt;Utmeldt;Nivå\n"
        "1;13.01.2024;;Gull\n"
        "2;31.01.2024;01.05.2024;Sølv\n"
        ";31.01.2024;;Gull\n"
        "3;20.12.2024;;Gull\n"
        "4;i fjor;;\n"
        "5;14.02.2024;snart;\n"
        "gjest;14.02.2024;;\n"
    )
    (tmp_path / "members.csv").write_text(text, encoding="windows-1252")
    columns = {"customer": "Kundenr", "joined": "Innmeldt", "left": "Utmeldt", "tier": "Nivå"}
    members = {"source": "members.csv", "columns": columns}
    base = opened(tmp_path, programme={"members": members}, guest_ids=["gjest"])
    found = base.dataset("members")
    assert found is not None
    frame = found.frame().sort_values("customer")
    assert frame["customer"].tolist() == ["1", "2"]
    assert days(frame["joined"]) == ["2024-01-13", "2024-01-31"]
    assert days(frame["left"]) == [None, "2024-05-01"]
    assert frame["tier"].tolist() == ["Gull", "Sølv"]
    causes = dict(zip(found.left_out["cause"], found.left_out["rows"], strict=True))
    assert causes == {"no_customer": 1, "no_date": 2, "outside_window": 1, "guest": 1}
    assert found.rows_in == found.rows_used + sum(causes.values()) == 7
    assert base.dataset("ledger") is None


def test_a_ledger_with_decimal_commas_and_blanks(tmp_path: Path) -> None:
    text = "id;dag;opptjent;kost\n1;2024-01-05;1 250,5;\n1;2024-02-05;;12,25\n2;2024-02-06;x;1,00\n"
    (tmp_path / "ledger.csv").write_text(text, encoding="utf-8")
    (tmp_path / "m.csv").write_text("id;fra\n1;2024-01-01\n", encoding="utf-8")
    ledger = {
        "source": "ledger.csv",
        "columns": {"customer": "id", "date": "dag", "earned": "opptjent", "cost": "kost"},
    }
    members = {"source": "m.csv", "columns": {"customer": "id", "joined": "fra"}}
    found = opened(tmp_path, programme={"members": members, "ledger": ledger}).dataset("ledger")
    assert found is not None
    frame = found.frame().sort_values("date")
    assert frame[["earned", "redeemed", "expired", "cost"]].to_numpy().tolist() == [
        [1250.5, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 12.25],
    ]
    assert found.left_out.to_dict("records") == [{"cause": "no_number", "rows": 1}]
    assert found.mapped == ("customer", "date", "earned", "cost")


def test_a_blank_score_is_a_question_without_an_answer(tmp_path: Path) -> None:
    pd.DataFrame(
        {"who": [1, 2, 3], "when": ["2024-03-01"] * 3, "score": [9.0, None, 3.0]}
    ).to_parquet(tmp_path / "answers.parquet")
    columns = {"customer": "who", "date": "when", "nps": "score"}
    base = opened(tmp_path, survey={"source": "answers.parquet", "columns": columns})
    found = base.dataset("survey")
    assert found is not None
    frame = found.frame().sort_values("customer")
    assert frame["customer"].tolist() == ["1", "2", "3"]
    assert frame["nps"].isna().tolist() == [False, True, False]
    assert frame["csat"].isna().all()
    assert found.left_out.empty


def test_subscriptions_in_a_workbook_and_assignments_in_a_database(tmp_path: Path) -> None:
    pd.DataFrame(
        {
            "Customer": ["a", "b"],
            "From": [dt.date(2023, 1, 1), dt.date(2023, 5, 1)],
            "To": [None, dt.date(2024, 8, 1)],
            "Price": [99.5, 49.0],
        }
    ).to_excel(tmp_path / "subs.xlsx", index=False)
    con = duckdb.connect(str(tmp_path / "shop.duckdb"))
    con.execute(
        "create table mails as select * from (values (1, 'mail', date '2024-02-01'), "
        "(2, 'none', date '2024-02-01'), (3, null, date '2024-12-01')) as t(id, arm, day)"
    )
    con.close()
    base = opened(
        tmp_path,
        subscriptions={
            "source": "subs.xlsx",
            "columns": {"customer": "Customer", "start": "From", "end": "To", "amount": "Price"},
        },
        experiments={
            "mail": {
                "source": "duckdb://shop.duckdb",
                "table": "mails",
                "columns": {"customer": "id", "group": "arm", "start": "day"},
                "control": "none",
            }
        },
    )
    subscriptions, mail = base.dataset("subscriptions"), base.dataset("experiment.mail")
    assert subscriptions is not None
    assert mail is not None
    frame = subscriptions.frame().sort_values("customer")
    assert frame["amount"].tolist() == [99.5, 49.0]
    assert days(frame["end"]) == [None, "2024-08-01"]  # an end that is known beforehand
    groups = mail.frame().sort_values("customer")
    assert groups[["customer", "group"]].to_numpy().tolist() == [["1", "mail"], ["2", "none"]]
    assert days(groups["start"]) == ["2024-02-01"] * 2
    assert mail.left_out.to_dict("records") == [{"cause": "outside_window", "rows": 1}]


@pytest.mark.parametrize(
    ("text", "columns", "told"),
    [
        (
            "",
            {"customer": "id", "date": "day", "nps": "nps"},
            "a.csv is empty; export or",
        ),
        (
            "id,day,nps\n",
            {"customer": "id", "date": "day", "nps": "nps"},
            "survey.source: there isn't a single row in a.csv",
        ),
        (
            "id,day,nps\n1,2024-01-05,9\n",
            {"customer": "id", "date": "day", "nps": "mps"},
            'survey.columns.nps: the source has no column "mps"; did you mean "nps"? It has "id", '
            '"day", "nps".',
        ),
        (
            "id,day,nps\n1,2024-12-45,9\n2,,9\n,2024-01-05,9\n",
            {"customer": "id", "date": "day", "nps": "nps"},
            "survey.source: no row of a.csv can be used (no date, or an impossible one: 2; no "
            "customer id: 1); check the names under columns",
        ),
        (
            "id,day,nps\n1,01.02.2024,9\n1,02.01.2024,9\n",
            {"customer": "id", "date": "day", "nps": "nps"},
            "survey.csv.date_format: ",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    tmp_path: Path, text: str, columns: dict[str, str], told: str
) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as error:
        opened(tmp_path, survey={"source": "a.csv", "columns": columns})
    assert len(error.value.sentences) == 1
    assert told in error.value.sentences[0]


def test_what_comes_after_the_reports_day_is_not_known_yet(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,day,nps\n1,2024-12-05,9\n", encoding="utf-8")
    columns = {"customer": "id", "date": "day", "nps": "nps"}
    found = opened(tmp_path, survey={"source": "a.csv", "columns": columns}).dataset("survey")
    assert found is not None
    assert found.frame().empty
    assert found.left_out.to_dict("records") == [{"cause": "outside_window", "rows": 1}]


def test_every_data_set_that_cannot_be_read_has_its_sentence(tmp_path: Path) -> None:
    columns = {"customer": "id", "start": "a", "end": "b", "amount": "c"}
    with pytest.raises(DataError) as error:
        opened(
            tmp_path,
            survey={"source": "x.csv", "columns": {"customer": "a", "date": "b", "ces": "c"}},
            subscriptions={"source": "y.csv", "columns": columns},
        )
    places = [sentence.partition(": ")[0] for sentence in error.value.sentences]
    assert places == ["survey.source", "subscriptions.source"]


def test_a_chapter_finds_what_the_run_has_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,day,nps\n1,2024-01-05,9\n,2024-01-05,9\n", encoding="utf-8")
    columns = {"customer": "id", "date": "day", "nps": "nps"}
    survey = {"source": "a.csv", "columns": columns}
    base = opened(tmp_path, survey=survey)
    prepare(base, tmp_path / "run")
    again = from_prepared(base.params, tmp_path / "run", lambda: base)
    assert again is not None
    read, found = base.dataset("survey"), again.dataset("survey")
    assert read is not None
    assert found is not None
    assert found == read
    pd.testing.assert_frame_equal(found.frame(), read.frame())
    pd.testing.assert_frame_equal(found.left_out, read.left_out)
    # of another file or of other columns it isn't what was read
    other = Params(**OWN, survey={**survey, "columns": {**columns, "nps": "id"}})
    assert from_prepared(other, tmp_path / "run", lambda: base) is None


def test_where_nothing_else_tells_days_are_written_as_in_the_orders(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("customer;day;sum\n1;13.01.2024;1 000,5\n1;5.6.2024;2,0\n")
    (tmp_path / "a.csv").write_text("id;dag;arm\n1;01.02.2024;x\n2;01.02.2024;y\n")
    mail = {
        "source": "a.csv",
        "columns": {"customer": "id", "start": "dag", "group": "arm"},
        "control": "x",
    }
    found = read_base(Params(**OWN, experiments={"mail": mail}), tmp_path)
    mails = found.dataset("experiment.mail")
    assert mails is not None
    assert days(mails.frame()["start"]) == ["2024-02-01"] * 2
