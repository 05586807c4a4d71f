"""Where the orders are said to be: paths, patterns, folders, addresses, variables; client files."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from bad_input import HEADER, SECRET, TWO, Case, rows

YAML = "client: acme\ncurrency: NOK\nsource: o.csv\ncolumns: {customer: kunde, date: dato, "


def link(to: str):
    return lambda path: path.symlink_to(to)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def source(entry: object, *says: str, files: dict | None = None, **more: object) -> Case:
    """A source as the client file names it."""
    return Case(files or {}, says, {"source": entry}, **more)  # type: ignore[arg-type]


PATHS = {
    "no such file": source(
        "order.csv",
        "there is no file",
        "order.csv",
        "did you mean orders.csv?",
        files={"orders.csv": TWO},
    ),
    "no such folder": source("deep/er/o.csv", "there is no file", "relative to the client file"),
    "a pattern without a match": source(
        "2024-*.csv", "there is no file that matches", "2024-*.csv", "relative to the client file"
    ),
    "a folder": source(
        "data",
        "data is a folder",
        "name a file, or a pattern such as",
        "data/*.csv",
        files={"data/o.csv": TWO},
    ),
    "a folder that is named like a file": source(
        "data.csv", "data.csv is a folder", files={"data.csv/o.csv": TWO}
    ),
    "a pattern that matches a folder": source("da*", "data is a folder", files={"data/o.csv": TWO}),
    "a file with a slash behind it": source(
        "o.csv/", "2 of 2 rows are used", files={"o.csv": TWO}, code=0, lines=0
    ),
    "a file in a file": source("o.csv/p.csv", "there is no file", files={"o.csv": TWO}),
    "a link to nothing": source(
        "o.csv", "o.csv is a link to a file that isn't there", files={"o.csv": link("none")}
    ),
    "a link to itself": source(
        "o.csv", "o.csv is a link to a file that isn't there", files={"o.csv": link("o.csv")}
    ),
    "links in a circle": source(
        "a.csv", "a.csv is a link", files={"a.csv": link("b.csv"), "b.csv": link("a.csv")}
    ),
    "a pipe": source("o.csv", "o.csv is no file", "save", files={"o.csv": pipe}),
    "a device": source("/dev/null", "/dev/null is no file", "save"),
    "a name of 5,000 letters": source("x" * 5000 + ".csv", "source", "too long", never=("x" * 99,)),
    "a name with NUL": source("o\0.csv", "acme.yaml, line", "source", code=2),
    "a name with a line break": source("o\no.csv", "acme.yaml, line", "source", code=2),
    "a name with a line break that a pattern matches": source(
        "*.csv", "o\ufffdo.csv is empty", files={"o\no.csv": b""}
    ),
    "a name that moves the cursor": source(
        "*.csv", "o\ufffd[2J.csv, line 2", files={"o\x1b[2J.csv": HEADER + "a;1\n"}, never=("\x1b",)
    ),
    "the home of nobody": source("~nobody-of-that-name/o.csv", "source", "~nobody-of-that-name"),
    "no entry": source([], "acme.yaml, line", "source", code=2),
    "an empty entry": source("", "acme.yaml, line", "source", code=2),
    "a number": source(5, "acme.yaml, line", "source", code=2),
    "nothing": source(None, "acme.yaml", "source", code=2),
    "a builtin that isn't": source(
        "builtin:cdnov", "source", "builtin:cdnov", "builtin:cdnow", code=2
    ),
    "Excel's mark of an open workbook": source(
        "*.xlsx",
        "~$o.xlsx",
        "open in Excel; close it",
        files={"~$o.xlsx": b"\x04acme" + bytes(160)},
    ),
    "a name that isn't UTF-8": source(
        "*.csv",
        "o\ufffd.csv is empty",
        files={"x": lambda p: p.with_name("o\udcff.csv").write_bytes(b"")},
    ),
}

KINDS = {
    "a letter": source(
        "o.docx",
        "o.docx isn't a kind of file that is read",
        ".csv",
        ".xlsx",
        files={"o.docx": b"PK\x03\x04"},
    ),
    "no ending": source("orders", "orders isn't a kind of file", "CSV", files={"orders": TWO}),
    "an archive": source("o.zip", "o.zip isn't a kind of file", files={"o.zip": b"PK\x03\x04"}),
    "packed Parquet": source(
        "o.parquet.gz",
        "o.parquet.gz isn't a kind of file",
        files={"o.parquet.gz": gzip.compress(b"PAR1")},
    ),
    "nothing but .gz": source(
        "o.gz", "o.gz isn't a kind of file", files={"o.gz": gzip.compress(TWO.encode())}
    ),
    "several": source(
        "o.*",
        "of different kinds (o.csv, o.json)",
        "name files of one kind",
        files={"o.csv": TWO, "o.json": "{}"},
    ),
}

SEVERAL = {
    "one lacks a column": source(
        ["1.csv", "2.csv"],
        *('columns.amount: 2.csv has no column "sum"', "which other files of the source have"),
        files={"1.csv": TWO, "2.csv": "kunde;dato;total\na;2024-01-01;1\n"},
    ),
    "two lack a column": source(
        "*.csv",
        "1.csv has no column",
        "3.csv has no column",
        lines=2,
        files={
            "1.csv": "kunde;datum;sum\na;2024-01-01;1\n",
            "2.csv": TWO,
            "3.csv": "kunde;dato;total\na;2024-01-01;1\n",
        },
    ),
    "one has further columns": source(
        "*.csv",
        "3 of 3 rows are used",
        code=0,
        lines=0,
        files={"1.csv": TWO, "2.csv": "note;kunde;dato;sum\nx;a;01.02.2024;1\n"},
    ),
    "one is empty": source("*.csv", "2.csv is empty", files={"1.csv": TWO, "2.csv": b""}),
    "one is a header": source(
        "*.csv", "2 of 2 rows are used", code=0, lines=0, files={"1.csv": TWO, "2.csv": HEADER}
    ),
    "one is missing": source(["1.csv", "2.csv"], "there is no file", "2.csv", files={"1.csv": TWO}),
    "one is broken": source(
        "*.csv",
        "source: 2.csv, line 2",
        "found 2 columns",
        files={"1.csv": TWO, "2.csv": HEADER + "a;1\n"},
    ),
    "day and month differ between them": source(
        "*.csv",
        "csv.date_format",
        "write %d/%m/%Y or %m/%d/%Y",
        files={"1.csv": rows("a;31/12/2024;1", "b;02/03/2024;1"), "2.csv": rows("a;12/31/2024;1")},
    ),
    "named twice": source(
        ["o.csv", "*.csv", "./o.csv"], "2 of 2 rows are used", code=0, lines=0, files={"o.csv": TWO}
    ),
}

SECRETS = {
    "a variable that isn't set": source(
        "${ACME_NOWHERE}/o.csv",
        "source: ${ACME_NOWHERE} isn't set in the environment",
        "export ACME_NOWHERE=",
    ),
    "a variable that is half written": source("${ACME", "acme.yaml, line", "${NAME}", code=2),
    "a folder out of the environment": source(
        "${ACME_FOLDER}/o.csv",
        "there is no file ${ACME_FOLDER}/o.csv",
        env={"ACME_FOLDER": f"{{folder}}/{SECRET}"},
        never=(SECRET,),
    ),
    "a bad file in a folder out of the environment": source(
        "${ACME_FOLDER}/o.csv",
        "o.csv, line 2",
        "found 2 columns",
        files={f"{SECRET}/o.csv": HEADER + "a;1\n"},
        env={"ACME_FOLDER": f"{{folder}}/{SECRET}"},
        never=(SECRET,),
    ),
    "a name out of the environment": source(
        "${ACME_NAME}.csv",
        "source: ${ACME_NAME}.csv is empty",
        files={f"{SECRET}.csv": b""},
        env={"ACME_NAME": SECRET},
        never=(SECRET,),
    ),
    "an address with a password": source(
        f"postgresql://anna:{SECRET}@127.0.0.1:1/shop",
        "acme.yaml, line",
        "source",
        "${",
        code=2,
        never=(SECRET,),
    ),
    "an address out of the environment": source(
        "${ACME_DB}",
        "source",
        env={"ACME_DB": f"postgresql://anna:{SECRET}@127.0.0.1:1/shop"},
        never=(SECRET,),
    ),
    "an address of no kind that is read": source(
        "${ACME_DB}",
        "source",
        env={"ACME_DB": f"gopher://anna:{SECRET}@127.0.0.1:1/shop"},
        never=(SECRET,),
    ),
    "a file's address": source("file:///nowhere/o.csv", "source", "there is no file file:///nowh"),
    "a web address": source("https://127.0.0.1:1/o.csv", "source", "fetch the file first", code=2),
}

CLIENT_FILES = {
    "nothing in it": Case({}, ("acme.yaml", "empty"), client=b"", code=2),
    "a list": Case(
        {}, ("acme.yaml, line 1", "found no keys", "client: acme"), client="- a\n- b\n", code=2
    ),
    "no YAML": Case({}, ("acme.yaml, line 2",), client="client: acme\n\tcurrency: NOK\n", code=2),
    "binary": Case({}, ("acme.yaml",), client=bytes(range(256)), code=2),
    "Windows-1252": Case(
        {"o.csv": TWO},
        ("acme.yaml", "UTF-8"),
        client="client: acme\ntitle: Åse\n".encode("cp1252"),
        code=2,
    ),
    "a key twice": Case(
        {"o.csv": TWO},
        ("acme.yaml, line 2", "client", "twice"),
        client="client: acme\nclient: bo\ncurrency: NOK\nsource: builtin:cdnow\n",
        code=2,
    ),
    "a column's field twice": Case(
        {"o.csv": TWO},
        ("acme.yaml, line 4", "customer"),
        client=YAML + "amount: sum, customer: dato}\n",
        code=2,
    ),
    "an unknown field": Case(
        {"o.csv": TWO},
        ("columns.amout", "did you mean amount?"),
        client=YAML + "amout: sum}\n",
        code=2,
    ),
    "no amount": Case(
        {"o.csv": TWO},
        ("columns", "needs amount, or both quantity and unit_price"),
        client=YAML.rstrip(", ") + "}\n",
        code=2,
    ),
    "an amount in two ways": Case(
        {"o.csv": TWO},
        ("columns", "found both amount and quantity"),
        client=YAML + "amount: sum, quantity: n, unit_price: p}\n",
        code=2,
    ),
    "no columns": Case({"o.csv": TWO}, ("acme.yaml", "columns"), {"columns": None}, code=2),
    "a format that isn't": Case(
        {"o.csv": TWO}, ("csv.delimiter", '";;"'), {"csv": {"delimiter": ";;"}}, code=2
    ),
    "the same sign for two things": Case(
        {"o.csv": TWO},
        ("csv.thousands", '","', "under decimal"),
        {"csv": {"decimal": ",", "thousands": ","}},
        code=2,
    ),
}

CASES: dict[str, Case] = {
    f"{group}: {name}": case
    for group, cases in (
        ("path", PATHS),
        ("kind", KINDS),
        ("several files", SEVERAL),
        ("secret", SECRETS),
        ("client file", CLIENT_FILES),
    )
    for name, case in cases.items()
}
