"""The client file: what it says, what is wrong with it, and what is derived from it."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import nbformat
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from papermill.inspection import inspect_notebook
from papermill.iorw import read_yaml_file
from papermill.translators import PythonTranslator
from pydantic import ValidationError

from retention_lib import derived
from retention_lib.errors import ClientFileError
from retention_lib.keys.secrets import holds_secret, masked
from retention_lib.params import EXAMPLE, Params, params_from_notebook, read_client_file

ROOT = Path(__file__).resolve().parents[1]

OWN = """\
client: acme
source: orders.csv
currency: NOK
columns: {customer: id, date: day, amount: sum}
"""
OWN_VALUES = yaml.safe_load(OWN)
SURVEY = "source: s.csv, columns: {customer: a, date: d, csat: c}"
MAIL = "source: e.csv, columns: {customer: id, start: d, group: g}"


@pytest.fixture
def errors_of(tmp_path):
    """The sentences about a client file with this text, without the folder."""

    def sentences(text: str | bytes) -> list[str]:
        path = tmp_path / "acme.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ClientFileError) as caught:
            read_client_file(path)
        return [s.replace(f"{tmp_path}/", "") for s in caught.value.sentences]

    return sentences


@pytest.fixture
def error_of(errors_of):
    """The one sentence about a client file of its own data with more lines."""

    def sentence(more: str) -> str:
        found = errors_of(OWN + more)
        assert len(found) == 1, found
        return found[0]

    return sentence


# What a file says ----------------------------------------------------------------------------


def test_four_lines_are_a_client_file(tmp_path):
    path = tmp_path / "acme.yaml"
    path.write_text(OWN, encoding="utf-8")
    file = read_client_file(path)
    assert file.folder == tmp_path
    assert file.params.client == file.params.title == "acme"
    assert file.params.columns.amount == "sum"
    assert file.params.tiers == {"gold": 0.05, "silver": 0.20, "bronze": 0.75}
    assert file.params.csv.delimiter is None
    assert (file.params.language, file.params.holdout_months) == ("en", None)


@pytest.mark.parametrize("name", ["cdnow", "cdnow-sample"])
def test_the_examples_pass_the_model_and_the_schema(name):
    path = ROOT / "params" / f"{name}.yaml"
    assert read_client_file(path).params.client == name
    jsonschema.validate(read_yaml_file(str(path)), derived.json_schema())
    assert path.read_text().startswith("# yaml-language-server: $schema=retention.schema.json\n")


def test_the_sample_is_seen_as_published():
    params = read_client_file(ROOT / "params/cdnow-sample.yaml").params
    assert params.as_of == dt.date(1997, 9, 30)
    assert (params.time_unit, params.model) == ("week", "bgnbd")


def test_every_example_of_the_docs_page_is_a_client_file(tmp_path):
    page = (ROOT / derived.DOCS).read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    whole = [text for text in examples if "client:" in text]
    assert len(whole) == 2
    for text in whole:
        (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
        assert read_client_file(tmp_path / "x.yaml").params


def test_values_are_read_as_papermill_reads_them(tmp_path):
    path = tmp_path / "acme.yaml"
    path.write_text(
        OWN + "as_of: 2024-02-29\nacquisition_cost: 1_000\npseudonymise: off\n"
        'guest_ids: [0, -1, guest, "007", 0815]\n'
        "programme:\n  members: &b {source: m.csv, columns: {customer: id, joined: day}}\n"
        "  ledger: {<<: *b, columns: {customer: id, date: day, cost: cost}}\n",
        encoding="utf-8",
    )
    params = read_client_file(path).params
    assert params == params_from_notebook(read_yaml_file(str(path)))
    assert params.guest_ids == ["0", "-1", "guest", "007", "0815"]
    assert (params.as_of, params.acquisition_cost) == (dt.date(2024, 2, 29), 1000)
    programme = params.programme
    assert (programme.ledger.source, programme.ledger.columns.cost) == ("m.csv", "cost")
    assert programme.members.columns.joined == "day"


def test_the_order_of_tiers_is_kept_and_is_part_of_what_they_say():
    tiers = {"bronze": 0.75, "silver": 0.20, "gold": 0.05}
    params = Params(**OWN_VALUES, tiers=tiers)
    assert list(params.as_parameters()["tiers"]) == ["bronze", "silver", "gold"]


def test_a_variable_stays_as_it_is(monkeypatch):
    monkeypatch.setenv("ACME_PASSWORD", "hunter2")
    source = "postgresql://me:${ACME_PASSWORD}@host/shop"
    assert Params(**OWN_VALUES | {"source": source, "table": "orders"}).source == source


@pytest.mark.parametrize("more", [{}, {"table": "orders"}])
def test_a_source_known_only_to_the_environment_may_have_a_table_or_none(more):
    assert Params(**OWN_VALUES | {"source": "${ORDERS}"} | more).source == "${ORDERS}"


def test_params_do_not_change():
    with pytest.raises(ValidationError):
        Params(**EXAMPLE).margin = 0.5


# What is wrong with it -----------------------------------------------------------------------


def test_five_mistakes_give_five_sentences_in_the_order_of_the_lines(errors_of):
    assert errors_of(
        "client: Acme AS\n"
        "curency: NOK\n"
        "source: orders.csv\n"
        "columns: {customer: id, date: day, amount: sum}\n"
        "language: no\n"
        "margin: 0,45\n"
        "as_of: 31.12.2024\n"
    ) == [
        'acme.yaml, line 1, client: found "Acme AS"; allowed is a short name of a-z, 0-9, _ and -, '
        "such as acme.",
        "acme.yaml, line 2, curency: unknown key; did you mean currency?",
        "acme.yaml, line 5, language: YAML reads a bare no as false; write nb for Norwegian.",
        'acme.yaml, line 6, margin: found "0,45"; allowed is a number above 0 and at most 1, such '
        "as 0.45; write it as 0.45.",
        'acme.yaml, line 7, as_of: found "31.12.2024"; allowed is a date such as 2024-12-31; '
        "write it as 2024-12-31.",
    ]


def test_a_missing_key_is_named_last_and_without_a_line(errors_of):
    assert errors_of("margin: 2\nclient: acme\nsource: orders.csv\n") == [
        "acme.yaml, line 1, margin: found 2; allowed is a number above 0 and at most 1, such as "
        "0.45.",
        "acme.yaml, currency: the key is missing; allowed is a three-letter ISO 4217 code such as "
        "NOK.",
        "acme.yaml, columns: the key is missing; allowed is a mapping from fields to columns, "
        "such as {customer: id, date: day, amount: sum}.",
    ]


REFUSED = {
    "language: 'no'": 'line 5, language: found "no"; allowed is en, da, nb or sv; did you mean nb?',
    "timezone: Oslo": "did you mean Europe/Oslo?",
    "timezone: ../etc/passwd": "allowed is an IANA time zone",
    "title: 2024": "title: found 2024; allowed is text; put it in quotes",
    "title: yes": "title: found yes, which YAML reads as true; allowed is text; put it in quotes",
    'title: " "': "title: found",
    "returns: gross": 'found "gross"; allowed is net or drop.',
    "returns:": "returns: found nothing; allowed is net or drop.",
    "deduplicate: true": "deduplicate: found true; allowed is none or exact.",
    "cohort_period: weeks": "allowed is month, quarter or year.",
    "model: bg/nbd": "allowed is auto, bgnbd, mbgnbd or paretonbd; did you mean bgnbd?",
    "time_unit: weeks": "did you mean week?",
    "period_months: 0": "found 0; allowed is a whole number of months, from 1 to 1200.",
    "active_months: 1.5": "active_months: found 1.5",
    "horizon_months: true": "horizon_months: found true",
    "holdout_months: -3": "holdout_months: found -3",
    "holdout_months: 08": 'found "08"; allowed is a whole number of months, from 1 to 1200; '
    "write it as 8.",
    "period_months: 012": "found 012, which YAML reads as 10; write the number plainly",
    "acquisition_cost: 1:30": "found 1:30, which YAML reads as 90",
    "discount_rate: 10": "found 10; allowed is a number from 0 and below 10",
    "discount_rate: .nan": "discount_rate: found .nan; allowed is a number",
    "margin: 45 %": 'found "45 %"; allowed is a number above 0 and at most 1, such as 0.45; '
    "write it as 0.45.",
    "margin: 0": "margin: found 0; allowed",
    "margin: false": "margin: found false; allowed",
    "retention_cost: -1": "allowed is a number, 0 or more.",
    "pseudonymise: 1": "pseudonymise: found 1; allowed is true or false.",
    "dimensions: [market, chanel]": "dimensions, item 2: found",
    "dimensions: [market, market]": "dimensions: market stands twice; keep one.",
    "dimensions: market": 'dimensions: found "market"; allowed is a list',
    "guest_ids: [x, 1.0]": "guest_ids, item 2: found 1.0; allowed is an id",
    "guest_ids: [no]": "found no, which YAML reads as false",
    "guest_ids: [010]": "guest_ids, item 1: found 010, which YAML reads as 8",
    "fx: {QQQ: 2}": 'fx.QQQ: found "QQQ"; allowed is a three-letter ISO 4217 code such as NOK.',
    "fx: {EUR: 0}": "fx.EUR: found 0; allowed is a number above 0.",
    "fx: {NOK: 2}": "fx: NOK is the report's own currency",
    "tiers: {gold: 0.2, rest: 0.7}": "tiers: the shares add up to 0.9; allowed is a total of 1.",
    "tiers: {gold: 0, rest: 1}": "tiers.gold: found 0; allowed is a number above 0",
    "tiers: [0.2, 0.8]": "tiers: found a list; allowed is a mapping from names, best first",
    "targets: {loyalty: 0.4}": 'found "loyalty"; allowed is a metric\'s name',
    "targets: {retention.rate: 40%}": 'targets.retention.rate: found "40%"; allowed is a number; '
    "write it as 0.4.",
    "benchmarks: [{metric: churn.rate, value: 0.2}]": "benchmarks, item 1, source: the key is "
    "missing; allowed is text.",
    "benchmarks: [0.2]": "benchmarks, item 1: found 0.2; allowed is a mapping with metric",
    "brand: {accent: blue}": 'brand.accent: found "blue"; allowed is a colour such as "#1f4e79"',
    "brand:\n  accent: #1f4e79": "line 6, brand.accent: found nothing; allowed is a colour",
    "csv: {delimiter: ;;}": "csv.delimiter: found",
    "csv: {decimal: ',', thousands: ','}": 'found ",", which is the sign under decimal already',
    "csv: {encoding: klingon}": "allowed is an encoding such as utf-8 or windows-1252.",
    "csv: {date_format: yyyy-mm-dd}": "allowed is a strptime pattern",
    "start: 2024-02-30": 'start: found "2024-02-30"; allowed is a date such as 2024-12-31.',
    "as_of: 20241231": "as_of: found 20241231; allowed is a date",
    "start: 2024-05-01\nas_of: 2024-05-01": "line 6, as_of: found 2024-05-01; allowed is a day "
    "after start, which is 2024-05-01.",
    "table: orders": "table: found a table, but source isn't a database; leave table out.",
    "programme: members.csv": 'programme: found "members.csv"; allowed is a mapping with members, '
    "and ledger where there is one.",
    "programme: {members: {source: m.csv, columns: {customer: id, joind: d}}}": "5, "
    "programme.members.columns.joind: unknown key; did you mean joined?",
    "survey: {source: s.csv, columns: {customer: a, date: d}}": "line 5, survey.columns: needs one "
    "of nps, csat and ces.",
    "survey: {source: s.csv}": "survey.columns: the key is missing; allowed is a mapping such as "
    "{customer: id, date: day, nps: score}.",
    f"survey: {{{SURVEY}, csat_scale: [5, 1]}}": "survey.csat_scale: found a list; allowed is a "
    "list of the lowest and the highest score, such as [1, 5].",
    f"survey: {{{SURVEY}, table: x}}": "survey.table: found a table, but source isn't a database",
    f"experiments: {{a: {{{MAIL}}}}}": "experiments.a.control: the key is missing; name the group "
    "that was left alone, or write assigned: chosen where no lot drew the groups.",
    "experiments: {a: {source: e.csv, columns: {customer: id, start: d}, control: b}}": "line 5, "
    "experiments.a.assigned: columns needs group where a lot drew the groups; name it, or write",
    f"experiments: {{a b: {{{MAIL}, control: x}}}}": 'experiments.a b: found "a b"; allowed is a '
    "short name of a-z, 0-9 and _, such as spring_mail.",
    f"experiments: {{a: {{{MAIL}, control: x, split: {{x: 0.5, y: 0.4}}}}}}": "experiments.a.split"
    ": the shares add up to 0.9; allowed is a total of 1.",
    f"experiments: {{a: {{{MAIL}, controls: x}}}}": "experiments.a.controls: unknown key; did you "
    "mean control?",
    "experiments: {a: {source: 'builtin:cdnow', control: x}}": "allowed is "
    "builtin:completejourney-campaigns",
    "languge: nb": "line 5, languge: unknown key; did you mean language?",
    "as-of: 2024-01-01": "unknown key; did you mean as_of?",
    "horizon: 6": "unknown key; did you mean horizon_months?",
    "product: sku": "product: unknown key here; it belongs under columns, indented.",
    "zzz: 1": "zzz: unknown key; docs/client-file.md lists the known ones.",
    "brand: {colour: red}": "brand.colour: unknown key; allowed are logo, accent.",
    "client: beta": "line 5, client: the key stands twice, on lines 1 and 5; keep one.",
    "brand:\n  logo: a\n  logo: b": "line 7, brand.logo: the key stands twice, on lines 6 and 7",
    '"a\\nb": 1': "acme.yaml, line 5, a\\nb: unknown key",
    "title: !!binary YQ==": "title: found a value that starts with !; put the text in quotes.",
}


@pytest.mark.parametrize("more", REFUSED)
def test_one_mistake_gives_one_sentence(error_of, more):
    assert REFUSED[more] in error_of(more + "\n")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("{date: d, amount: a}", "line 4, columns.customer: the key is missing; allowed is text."),
        ("{customer: c, date: d}", "line 4, columns: needs amount, or both quantity and unit_pri"),
        ("{customer: c, date: d, quantity: q}", "columns: needs amount, or both quantity and unit"),
        ("{customer: c, date: d, amount: a, quantity: q}", "columns: found both amount and quanti"),
        ("{custmer: c, date: d, amount: a}", "columns.custmer: unknown key; did you mean custom"),
        ("{customer: c, date: d, amuont: a}", "columns.amuont: unknown key; did you mean amount?"),
        ("{customer: c, date: d, amount: 3}", "columns.amount: found 3; allowed is text"),
        ("[c, d, a]", "columns: found a list; allowed is a mapping from fields to columns"),
        ("", "columns: the key is missing"),
    ],
)
def test_columns_say_who_when_and_how_much(errors_of, columns, expected):
    found = errors_of(OWN.replace("{customer: id, date: day, amount: sum}", columns))
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "builtin:cdnw",
            'found "builtin:cdnw"; allowed is builtin:cdnow, builtin:cdnow-sample, '
            "builtin:completejourney; did you mean builtin:cdnow?",
        ),
        ("7", "source: found 7; allowed is a path, glob or list of paths"),
        ("[]", "source: found a list; allowed is a path"),
        ("[a.csv, 3]", "allowed is a list of paths; item 2 is 3."),
        ("[a.csv, builtin:cdnow]", 'item 2 is "builtin:cdnow"; a list holds paths of files only'),
        ("https://acme.example/a.csv", "allowed is a path on this machine"),
        ("${1X}/a.csv", "allowed is ${NAME}"),
        ("postgresql://me@host/shop", "table: the key is missing; source is a database"),
    ],
)
def test_a_source_is_files_a_builtin_or_a_database(errors_of, source, expected):
    found = errors_of(OWN.replace("orders.csv", source))
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize("slug", ["../up", "a/b", "A", "", "-a", "a" * 65, "a.b", "æ"])
def test_a_client_never_leaves_its_folder(slug):
    with pytest.raises(ClientFileError, match="client"):
        params_from_notebook(EXAMPLE | {"client": slug})
    with pytest.raises(ClientFileError, match="client"):
        params_from_notebook(EXAMPLE | {"client": "a\n"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "acme.yaml: the file is empty; it needs at least client, source and currency."),
        ("# nothing\n", "acme.yaml: the file is empty"),
        ("- a\n", "line 1: found no keys; allowed are lines such as `client: acme`"),
        ("client:acme\n", "with a space after the colon"),
        (b"client: x\ntitle: \xe6\n", "line 2: found the byte 0xE6, which isn't UTF-8; save the"),
        ("client: x\x00\n", "line 1: found the control character U+0000; delete it."),
        ("a: b: c\n", "line 1, column 5: found a colon that isn't expected"),
        ('a: 1\nb: "C:\\data"\n', "line 2, column 8: found a backslash in double quotes; use sin"),
        ("a: 'x\nb: 2\n", "line 1, column 4: found a quote that is never closed; close it."),
        ("a: {b: 1\nc: 2\n", "line 1, column 4: found a bracket that is never closed"),
        ("a:\n\t- b\n", "line 2, column 1: found a tab; indent with spaces."),
        ("a: @x\n", "line 1, column 4: found a value that starts with a special sign; put the te"),
        ("a: ,\n", "line 1, column 4: found a value that starts with a special sign; put the te"),
        ("a: *x\n", "found a value that starts with * or & but isn't an alias"),
        ("a: &a [*a]\n", "line 1, column 4: found a value that contains itself; write it out."),
        ("a: 1\n---\nb: 1\n", "line 2, column 1: found a second document after ---"),
        ("a: 1\n- b\n", "line 2, column 1: found something that isn't YAML; check indentation"),
        ("a: " + "[" * 1500, "the values are nested too deeply; write them flatter."),
        ("a: " + "1" * 5000, "found a number that is too long; put it in quotes."),
    ],
)
def test_a_file_that_is_no_yaml_mapping_gets_one_plain_sentence(errors_of, text, expected):
    found = errors_of(text)
    assert len(found) == 1
    assert expected in found[0]


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ClientFileError, match=r"nope\.yaml: there is no such file; check the path"):
        read_client_file(tmp_path / "nope.yaml")
    with pytest.raises(ClientFileError, match="this is a folder; name a client file in it"):
        read_client_file(tmp_path)


def test_a_bad_client_file_ends_the_command_with_2(tmp_path):
    with pytest.raises(ClientFileError) as caught:
        read_client_file(tmp_path / "nope.yaml")
    assert caught.value.exit_code == 2


# Passwords -----------------------------------------------------------------------------------

SECRET = "hunter2"


@pytest.mark.parametrize(
    "line",
    [
        f"source: postgresql://me:{SECRET}@host/shop\ntable: t",
        f"source: postgresql://me:12/{SECRET}@host/shop\ntable: t",
        f"source: postgresql://me:a?{SECRET}@host/shop\ntable: t",
        f"source: postgresql://me:x${{NAME}}{SECRET}@host/shop\ntable: t",
        f"source: snowflake://host/shop?user=me&password={SECRET}\ntable: t",
        f"source: md:shop?motherduck_token={SECRET}",
        f"source: [a.csv, 'https://me:{SECRET}@host/a.csv']",
        f"source: host=db password={SECRET}",
        f"source: {{password: {SECRET}}}",
        f"password: {SECRET}",
        f"title: https://me:{SECRET}@host",
        f"client: https://me:{SECRET}@host",
        f"model: mysql://me:{SECRET}@host",
        f"programme: {{source: 'mysql://me:{SECRET}@host/db'}}",
        f"programme: mysql://me:{SECRET}@host/db",
        f"dimensions: [mysql://me:{SECRET}@host/db]",
        f"mysql://me:{SECRET}@host/db: 1",
        f"title: 'mysql://me:{SECRET}@host/db",
        f"title: a: {SECRET}",
        f"programme: {{source: a.csv, db_password: {SECRET}}}",
        f"title: *{SECRET}",
        f"title: !{SECRET} x",
    ],
)
def test_no_error_prints_a_secret(errors_of, line):
    kept = [own for own in OWN.splitlines() if own.split(":")[0] != line.split(":")[0]]
    assert SECRET not in "\n".join(errors_of("\n".join([*kept, line]) + "\n"))


def test_a_literal_password_is_an_error_that_says_what_to_write(errors_of):
    assert errors_of(OWN.replace("orders.csv", "mysql://me:hunter2@host/shop")) == [
        "acme.yaml, line 2, source: found a literal password; write ${NAME} and set it in the "
        "environment."
    ]


def test_a_password_that_is_a_number_is_not_printed_either(errors_of):
    assert "0123" not in "".join(errors_of(OWN + "password: 0123\n"))
    assert "0123" not in "".join(errors_of(OWN + "survey: {token: 0123}\n"))


def test_a_data_set_may_name_its_password(tmp_path):
    columns = {"customer": "id", "date": "day", "nps": "score"}
    survey = {"source": "postgresql://me:${PW}@host/shop", "table": "answers", "columns": columns}
    assert Params(**OWN_VALUES, survey=survey).survey.source == survey["source"]


def test_pydantics_own_error_shows_no_input():
    with pytest.raises(ValidationError) as caught:
        Params(**EXAMPLE | {"source": f"mysql://me:{SECRET}@host/shop"})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:${PW}@host:5432/shop",
        "postgresql://me@host/shop",
        "postgresql://host:5432/shop?application=a@b",
        "postgresql://me:${PW}@one:5432,two:5432/shop",
        "postgresql://host:${PORT}/shop",
        "snowflake://host/shop?password=${PW}&role=reader",
        "${ADDRESS}",
        "orders.csv",
    ],
)
def test_an_address_without_a_literal_password_is_no_secret(address):
    assert not holds_secret(address, settings=True)


def test_a_mask_leaves_what_helps():
    assert masked("mysql://me:hunter2@host/shop") == "mysql://me:***@host/shop"
    assert masked("mysql://me:${PW}@host/shop") == "mysql://me:${PW}@host/shop"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1))
def test_no_password_survives_the_mask(password):
    address = f"mysql://me:<{password}>@host/shop"
    assert masked(address) == "mysql://me:***@host/shop"
    assert holds_secret(address)


# Notebooks -----------------------------------------------------------------------------------


def _defaults() -> dict[str, object]:
    """The variables that a notebook's parameters cell sets."""
    namespace: dict[str, object] = {}
    exec(derived.parameters_cell(), namespace)
    return namespace


def test_a_notebook_opened_by_hand_has_the_example_client():
    assert params_from_notebook(_defaults()) == Params(**EXAMPLE)
    assert params_from_notebook(_defaults() | {"margin": 0.4}).margin == 0.4
    file = read_client_file(ROOT / "params/cdnow.yaml").params
    assert {k: v for k, v in file.as_parameters().items() if k != "time_unit"} == EXAMPLE


def test_a_notebook_gives_what_its_client_file_gives():
    for path in sorted((ROOT / "params").glob("cdnow*.yaml")):
        namespace = _defaults() | read_yaml_file(str(path)) | {"Path": Path, "json": json}
        assert params_from_notebook(namespace) == read_client_file(path).params


def test_a_notebook_says_what_is_wrong_in_the_same_words():
    with pytest.raises(ClientFileError) as caught:
        params_from_notebook(_defaults() | OWN_VALUES | {"language": False, "currency": "kroner"})
    assert caught.value.sentences == (
        "notebook parameters, language: YAML reads a bare no as false; write nb for Norwegian.",
        'notebook parameters, currency: found "kroner"; allowed is a three-letter ISO 4217 code '
        "such as NOK.",
    )
    with pytest.raises(ClientFileError, match="notebook parameters, source: the key is missing"):
        params_from_notebook({"client": "acme", "currency": "NOK"})


def test_papermill_recognises_every_key(tmp_path, caplog):
    cell = nbformat.v4.new_code_cell(derived.parameters_cell(), metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata.kernelspec = {"name": "python3", "language": "python", "display_name": "x"}
    nbformat.write(notebook, tmp_path / "01.ipynb")
    with caplog.at_level(logging.WARNING):
        found = inspect_notebook(str(tmp_path / "01.ipynb"))
    assert not caplog.records
    assert list(found) == list(Params.model_fields)
    for name, field in Params.model_fields.items():
        assert found[name]["help"].startswith(field.description)
        assert re.fullmatch("str|int|float|bool|list|dict", found[name]["inferred_type_name"])
        default = _defaults()[name]
        assert eval(found[name]["default"]) == default
        kind = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}
        assert default is None or type(default) is kind[found[name]["inferred_type_name"]]


def test_the_parameters_cell_fits_the_line():
    assert max(map(len, derived.parameters_cell().splitlines())) <= 100


# There and back ------------------------------------------------------------------------------

_names = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1).filter(
    lambda text: bool(text.strip()) and not holds_secret(text)
)
_months = st.integers(1, 1200)
_members = st.fixed_dictionaries(
    {
        "source": st.just("m.csv"),
        "columns": st.fixed_dictionaries(
            {"customer": _names, "joined": _names}, optional={"left": _names, "tier": _names}
        ),
    },
    optional={"csv": st.just({"delimiter": ";"})},
)
_experiment = st.fixed_dictionaries(
    {
        "source": st.just(["e.csv"]),
        "columns": st.fixed_dictionaries({"customer": _names, "start": _names, "group": _names}),
        "control": _names,
    },
    optional={"days": st.integers(1, 1000), "split": st.just({"a": 0.25, "b": 0.75})},
)
_survey = st.fixed_dictionaries(
    {
        "source": st.just("s.csv"),
        "columns": st.fixed_dictionaries({"customer": _names, "date": _names, "csat": _names}),
    },
    optional={"csat_scale": st.just([0, 10])},
)
_values = st.fixed_dictionaries(
    {
        "client": st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True),
        "currency": st.sampled_from(["NOK", "DKK", "SEK", "EUR"]),
        "source": st.just("orders.csv") | st.just(["a.csv", "b/*.parquet"]),
        "columns": st.fixed_dictionaries(
            {"customer": _names, "date": _names, "amount": _names}, optional={"order": _names}
        ),
    },
    optional={
        "title": _names,
        "language": st.sampled_from(["en", "nb", "da", "sv"]),
        "start": st.dates(max_value=dt.date(1999, 12, 31)),
        "as_of": st.dates(min_value=dt.date(2000, 1, 1)).map(dt.date.isoformat),
        "guest_ids": st.lists(_names | st.integers()),
        "csv": st.fixed_dictionaries({}, optional={"delimiter": st.sampled_from([";", "\t"])}),
        "fx": st.dictionaries(st.sampled_from(["USD", "GBP"]), st.floats(1e-6, 1e6)),
        "tiers": st.permutations([("a", 0.5), ("b", 0.25), ("c", 0.25)]).map(dict),
        "dimensions": st.permutations(["market", "channel", "category"]).map(lambda x: x[:2]),
        "benchmarks": st.lists(
            st.fixed_dictionaries(
                {"metric": st.just("churn.rate"), "value": st.floats(0, 1), "source": _names}
            ),
            max_size=2,
        ),
        "period_months": _months,
        "holdout_months": _months | st.none(),
        "margin": st.floats(0, 1, exclude_min=True),
        "pseudonymise": st.booleans(),
        "brand": st.just({"accent": "#1f4e79"}) | st.just({}),
        "programme": st.fixed_dictionaries(
            {"members": _members}, optional={"point_value": st.floats(1e-6, 100)}
        )
        | st.none(),
        "experiments": st.dictionaries(st.sampled_from(["mail", "spring_2"]), _experiment),
        "survey": _survey | st.none(),
    },
)


@given(_values)
def test_parameters_survive_papermill_json_and_yaml(values):
    params = Params(**values)
    carried = params.as_parameters()
    assert Params(**carried) == params
    assert [*Params(**carried).tiers] == [*params.tiers]
    assert Params(**json.loads(json.dumps(carried))) == params
    assert params_from_notebook(yaml.safe_load(yaml.safe_dump(carried))) == params
    assert json.loads(json.dumps(carried)) == carried
    injected: dict[str, object] = {}
    exec(PythonTranslator.codify(carried), injected)
    assert params_from_notebook(_defaults() | injected) == params


def test_only_what_differs_from_the_default_is_a_parameter():
    written = OWN_VALUES | {"title": "acme", "margin": 1.0, "csv": {}, "as_of": "2024-01-31"}
    assert Params(**written).as_parameters() == OWN_VALUES | {"as_of": "2024-01-31"}


# What is derived -----------------------------------------------------------------------------


def test_nothing_that_is_derived_has_drifted():
    assert derived.drift(ROOT) == []


def test_the_schema_is_one_and_refuses_what_the_model_refuses():
    schema = derived.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    assert check.is_valid(dict(EXAMPLE))
    assert check.is_valid(OWN_VALUES)
    database = OWN_VALUES | {"source": "duckdb://shop.db"}
    wrong = [
        EXAMPLE | {"langauge": "nb"},
        EXAMPLE | {"language": "no"},
        EXAMPLE | {"client": "../up"},
        EXAMPLE | {"margin": 0},
        EXAMPLE | {"fx": {"kroner": 1}},
        EXAMPLE | {"brand": {"accent": "red"}},
        EXAMPLE | {"source": "orders.csv"},
        OWN_VALUES | {"columns": {"customer": "c", "date": "d"}},
        database,
    ]
    for values in wrong:
        assert not check.is_valid(dict(values)), values
        with pytest.raises(ValidationError):
            Params(**values)
    assert check.is_valid(database | {"table": "orders"})
    assert {"description"} <= set.intersection(*map(set, schema["properties"].values()))


def _project(folder: Path) -> Path:
    """A project with the docs pages and one notebook, nothing derived in it yet."""
    for name in ("docs", "params", "notebooks"):
        (folder / name).mkdir()
    for page in (derived.DOCS, derived.ADVICE, derived.METHOD, derived.LANGUAGES):
        (folder / page).write_text(
            f"# Before\n\n{derived.START}\n{derived.END}\n\nÆfter\n", encoding="utf-8"
        )
    cells = [
        nbformat.v4.new_markdown_cell("# Ås\n\n<b>", id="a"),
        nbformat.v4.new_code_cell("x", id="b", metadata={"tags": ["z", "parameters"]}),
        nbformat.v4.new_code_cell("print(1)\n\n", id="c"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"z": 1, "a": {"ø": "€"}})
    nbformat.write(notebook, folder / "notebooks/01_data.ipynb")
    return folder


def test_what_differs_is_said_and_written(tmp_path):
    root = _project(tmp_path)
    before = nbformat.read(root / "notebooks/01_data.ipynb", as_version=4)
    assert [s.partition(":")[0].removeprefix(f"{root}/") for s in derived.drift(root)] == [
        "params/retention.schema.json",
        "docs/client-file.md",
        "docs/advice.md",
        "docs/method.md",
        "docs/languages.md",
        "notebooks/01_data.ipynb",
    ]
    assert len(derived.write_all(root)) == 6
    assert derived.drift(root) == []
    assert derived.write_all(root) == []
    page = (root / derived.DOCS).read_text(encoding="utf-8")
    assert page.startswith("# Before\n")
    assert page.endswith("\n\nÆfter\n")
    # the notebook is, byte for byte, what nbformat writes with only this cell changed
    before.cells[1].source = derived.parameters_cell()
    nbformat.write(before, root / "expected.ipynb")
    written = (root / "notebooks/01_data.ipynb").read_bytes()
    assert written == (root / "expected.ipynb").read_bytes()


def test_a_notebook_without_its_parameters_cell_is_named(tmp_path):
    root = _project(tmp_path)
    derived.write_all(root)
    nbformat.write(nbformat.v4.new_notebook(), root / "notebooks/02_x.ipynb")
    (sentence,) = derived.drift(root)
    assert "02_x.ipynb: found 0 cells tagged `parameters`; it needs one." in sentence


def test_the_reference_names_every_key_once():
    rows = re.findall(r"^\| `([a-z_.]+)` \|", derived.reference_table(), re.MULTILINE)
    assert [row for row in rows if "." not in row] == list(Params.model_fields)
    assert len(rows) == len(set(rows))
    assert {"columns.customer", "csv.decimal", "brand.accent", "benchmarks.value"} <= set(rows)


def test_the_model_loads_without_the_data_libraries():
    code = (
        "import sys, retention_lib.params; "
        "print(*{'pandas', 'ibis', 'numpy', 'babel', 'papermill'} & sys.modules.keys())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.strip() == ""
