"""Orders and reports that lie elsewhere: read and put there like those here, whatever breaks."""

from __future__ import annotations

import datetime as dt
import gc
import gzip
import itertools
import json
import re
import shutil
import socket
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import made_up_reports as made_up
import pandas as pd
import papermill
import pytest
import yaml
from fsspec.implementations.memory import MemoryFileSystem
from stores import SCHEME, WRITING, Shaky, stores

from retention_lib.data import files, history
from retention_lib.data.handover import VARIABLE
from retention_lib.data.read import open_base, read_base
from retention_lib.data.remote import failures, fetch
from retention_lib.errors import ClientFileError, DataError, RetentionError, UsageError
from retention_lib.keys import addresses
from retention_lib.params import ClientFile, Params, read_client_file
from retention_lib.run import index, remote
from retention_lib.run.check import describe
from retention_lib.run.diff import diff
from retention_lib.run.history import hand_over, keep
from retention_lib.run.init import init
from retention_lib.run.report import injected, report_client

ROWS = [
    (f"c{c}", f"{year}-{1 + (c + k) % 9:02d}-{1 + (7 * c + k) % 28:02d}", f"{10 + c % 7}.50")
    for year in (2024, 2025)
    for c in range(60)
    for k in range(1 + c % 4)
]
COLUMNS = {"customer": "id", "date": "day", "amount": "sum"}
FRAME = pd.DataFrame(ROWS, columns=["id", "day", "sum"])
SECRET = "hunter2"


def csv(rows: list[tuple[str, str, str]] = ROWS, sign: str = ",") -> bytes:
    return "\n".join(sign.join(row) for row in [("id", "day", "sum"), *rows]).encode()


def lines() -> bytes:
    return FRAME.to_json(orient="records", lines=True).encode()


def parquet(folder: Path) -> bytes:
    FRAME.to_parquet(folder / "made.parquet")
    return (folder / "made.parquet").read_bytes()


def workbook(folder: Path) -> bytes:
    FRAME.to_excel(folder / "made.xlsx", index=False)
    return (folder / "made.xlsx").read_bytes()


#: Name → what such a file of the same orders holds.
KINDS: dict[str, Callable[[Path], bytes]] = {
    "orders.csv": lambda _: csv(),
    "orders.tsv": lambda _: csv(sign="\t"),
    "orders.csv.gz": lambda _: gzip.compress(csv()),
    "orders.jsonl": lambda _: lines(),
    "orders.json.gz": lambda _: gzip.compress(lines()),
    "orders.xlsx": workbook,
    "orders.parquet": parquet,
}


@pytest.fixture(autouse=True)
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shaky]:
    """Stores of this test, and a place of its own for what it leaves."""
    with stores() as shaky, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
        yield shaky


@pytest.fixture
def memory() -> MemoryFileSystem:
    return fsspec.filesystem("memory")


def params(source: str | list[str], **given: Any) -> Params:
    return Params.model_validate(
        {"client": "acme", "currency": "NOK", "source": source, "columns": COLUMNS, **given}
    )


def client_file(folder: Path, source: str | list[str], **given: Any) -> ClientFile:
    file = folder / "acme.yaml"
    said = {"client": "acme", "currency": "NOK", "source": source, "columns": COLUMNS, **given}
    file.write_text(yaml.safe_dump(said))
    return read_client_file(file)


def temporary() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("retention-*"))


# Sources -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_a_file_elsewhere_is_read_as_it_is_here(
    tmp_path: Path, memory: MemoryFileSystem, name: str
) -> None:
    content = KINDS[name](tmp_path)
    (tmp_path / name).write_bytes(content)
    memory.pipe_file(f"/bucket/in/{name}", content)
    here = read_base(params(name), tmp_path)
    for address in (f"memory://bucket/in/{name}", f"file://{tmp_path / name}"):
        there = read_base(params(address), tmp_path)
        assert there.names == here.names == (name,)
        assert there.fingerprint == here.fingerprint
        assert there.rows_used == here.rows_used == len(ROWS)
        pd.testing.assert_frame_equal(there.customers(), here.customers())
        assert there.understood == here.understood


def test_lists_and_patterns_mix_with_files_here(tmp_path: Path, memory: MemoryFileSystem) -> None:
    thirds = [csv(ROWS[n::3]) for n in range(3)]
    (tmp_path / "a.csv").write_bytes(thirds[0])
    for n in (1, 2):
        memory.pipe_file(f"/bucket/orders-{n}.csv", thirds[n])
    memory.pipe_file("/bucket/other.csv", b"x")
    base = read_base(
        params(["a.csv", "memory://bucket/orders-*.csv", "memory://bucket/orders-1.csv"]), tmp_path
    )
    assert base.names == ("a.csv", "orders-1.csv", "orders-2.csv")
    assert base.rows_used == len(ROWS)
    # what two entries name is counted once, be it named by a path or an address
    both = read_base(params(["a.csv", f"file://{tmp_path / 'a.csv'}"]), tmp_path)
    assert both.rows_used == len(ROWS[::3])


def test_a_name_may_hold_the_signs_of_a_pattern(tmp_path: Path, memory: MemoryFileSystem) -> None:
    memory.pipe_file("/bucket/orders [2025].csv", csv())
    memory.pipe_file("/bucket/orders 2.csv", csv(ROWS[:9]))
    base = read_base(params("memory://bucket/orders [2025].csv"), tmp_path)
    assert base.rows_used == len(ROWS)


@pytest.mark.parametrize(
    "source", ["${PLACE}/orders.csv", "${WHOLE}", "memory://${BUCKET}/orders.csv", ["${WHOLE}"]]
)
def test_an_address_is_filled_from_the_environment_and_not_told(
    tmp_path: Path,
    memory: MemoryFileSystem,
    monkeypatch: pytest.MonkeyPatch,
    source: str | list[str],
) -> None:
    memory.pipe_file(f"/{SECRET}/orders.csv", csv())
    monkeypatch.setenv("BUCKET", SECRET)
    monkeypatch.setenv("PLACE", f"memory://{SECRET}")
    monkeypatch.setenv("WHOLE", f"memory://{SECRET}/orders.csv")
    file = client_file(tmp_path, source)
    assert f"{len(ROWS)} of {len(ROWS)} rows are used" in "\n".join(told := [*describe(file)])
    assert SECRET not in "\n".join(told)
    given = injected(file)["source"]
    assert given == source
    memory.rm_file(f"/{SECRET}/orders.csv")
    with pytest.raises(DataError) as caught:
        [*describe(file)]
    assert SECRET not in str(caught.value)
    assert "there is no file" in str(caught.value)


def test_what_is_fetched_goes_with_what_was_read_of_it(
    tmp_path: Path, memory: MemoryFileSystem
) -> None:
    memory.pipe_file("/bucket/orders.csv", csv())
    before = temporary()
    base = read_base(params("memory://bucket/orders.csv"), tmp_path)
    fetched = temporary() - before
    assert [path for folder in fetched for path in folder.rglob("*.csv")]
    assert base.rows.count().to_pyarrow().as_py() == len(ROWS)
    del base
    gc.collect()
    assert not fetched & temporary()


def test_a_run_fetches_a_file_once_for_all_its_kernels(
    tmp_path: Path, store: Shaky, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.pipe_file("/bucket/orders.csv", csv())
    one = params(f"{SCHEME}://bucket/orders.csv")
    run = tmp_path / "run"
    with fetch.kept_in(run / fetch.FETCHED):
        assert read_base(one, tmp_path).rows_used == len(ROWS)
    store.rm_file("/bucket/orders.csv")
    run = run.rename(tmp_path / "moved")
    # as a chapter's kernel has it
    monkeypatch.setenv(VARIABLE, str(run))
    assert open_base(one, tmp_path).rows.count().to_pyarrow().as_py() == len(ROWS)
    assert [what for what, _ in store.asked].count("get_file") == 1


def test_a_file_is_fetched_as_it_is_at_one_moment(tmp_path: Path, store: Shaky) -> None:
    store.pipe_file("/bucket/orders.csv", csv(ROWS[:30]))
    changes = iter([csv(ROWS[:40])])

    def another_writes(what: str, path: str) -> None:
        if what == "get_file" and (content := next(changes, None)):
            MemoryFileSystem.pipe_file(store, path, content)

    Shaky.before = another_writes
    one = params(f"{SCHEME}://bucket/orders.csv")
    assert read_base(one, tmp_path).rows_used == 40
    changes = (csv(ROWS[:n]) for n in itertools.count(50))
    with pytest.raises(DataError, match=r"shaky://bucket/orders\.csv: it changes while"):
        read_base(one, tmp_path)


def test_a_change_is_known_without_reading_anything(tmp_path: Path, store: Shaky) -> None:
    for n in (1, 2):
        store.pipe_file(f"/bucket/orders-{n}.csv", csv(ROWS[n::2]))
    (tmp_path / "a.csv").write_bytes(csv())
    for source in (
        f"{SCHEME}://bucket/orders-1.csv",
        [f"{SCHEME}://bucket/orders-*.csv", "a.csv"],
    ):
        store.asked.clear()
        before = files.states(source, tmp_path)
        assert files.states(source, tmp_path) == before
        assert {what for what, _ in store.asked} <= {"info"}
        store.pipe_file("/bucket/orders-1.csv", csv(ROWS[1::2]))
        assert files.states(source, tmp_path) != before
    with pytest.raises(DataError, match="there is no file"):
        files.states(f"{SCHEME}://bucket/orders.csv", tmp_path)


def test_a_large_file_is_never_whole_in_memory(tmp_path: Path) -> None:
    large = 60_000_000
    with (tmp_path / "orders.csv").open("wb") as file:
        file.truncate(large)
    tracemalloc.start()
    (found,) = fetch.fetch(
        address := f"file://{tmp_path / 'orders.csv'}",
        address,
        tmp_path / "room",
        lambda name: None,
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert Path(found.file).stat().st_size == large
    assert peak < large / 3


ADDRESSES = {
    # as the client file has it: refused with its line, exit code 2
    "ssh://host/orders.csv": "fetch the file first",
    "sftp://host/orders.csv": "fetch the file first",
    "https://host/orders.csv": "fetch the file first",
    "github://org/orders.csv": "fetch the file first",
    "dask://orders.csv": "fetch the file first",
    "reference://orders.csv": "fetch the file first",
    "jupyter://host/orders.csv": "fetch the file first",
    "simplecache::s3://bucket/orders.csv": "chained with ::",
    "zip://orders.csv::s3://bucket/orders.zip": "chained with ::",
    "s3://bucket/orders::2.csv": "chained with ::",
    f"s3://key:{SECRET}@bucket/orders.csv": "AWS_ACCESS_KEY_ID",
    f"s3://{SECRET}@bucket/orders.csv": "AWS_ACCESS_KEY_ID",
    "s3://${KEY}:${SECRET}@bucket/orders.csv": "AWS_ACCESS_KEY_ID",
    f"s3://bucket/orders.csv?secret={SECRET}": "AWS_ACCESS_KEY_ID",
    f"gs://bucket/orders.csv?X-Goog-Signature={SECRET}": "GOOGLE_APPLICATION_CREDENTIALS",
    f"abfs://orders@acme.dfs.core.windows.net/o.csv?sv=2&sig={SECRET}": "AZURE_STORAGE_ACCOUNT",
    f"az://orders:{SECRET}@acme/o.csv": "AZURE_STORAGE_ACCOUNT",
    "s4://bucket/orders.csv": "did you mean s3://?",
    "gss://bucket/orders.csv": "did you mean gs://?",
    "s3:///orders.csv": "the bucket",
    "file://orders.csv": "the whole path",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_isnt_read_is_refused_in_a_sentence(tmp_path: Path, address: str) -> None:
    with pytest.raises(ClientFileError, match=re.escape(ADDRESSES[address])) as caught:
        client_file(tmp_path, address)
    assert "acme.yaml, line" in caught.value.sentences[0]
    assert SECRET not in str(caught.value)
    assert len(caught.value.sentences) == 1


@pytest.mark.parametrize("address", [a for a in ADDRESSES if "${" not in a])
def test_nor_is_it_where_the_environment_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("ORDERS", address)
    file = client_file(tmp_path, ["${ORDERS}"])
    with pytest.raises(DataError, match="source: ") as caught:
        [*describe(file)]
    assert SECRET not in str(caught.value)


def test_a_database_is_still_one(tmp_path: Path) -> None:
    for address in ("postgresql://me@host/shop", "mongodb://host/shop", "duckdb://shop.duckdb"):
        with pytest.raises(ClientFileError, match="table: the key is missing; source is a data"):
            client_file(tmp_path, address)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("memory://bucket/ordes.csv", "no file memory://bucket/ordes.csv; did you mean orders.csv"),
        ("memory://bucket/2025-*.csv", "no file that matches memory://bucket/2025-*.csv; check"),
        ("memory://bucket", "memory://bucket is a folder; name a file, or a pattern such as mem"),
        ("memory://bucket/orders.docx", "orders.docx isn't a kind of file that is read"),
        ("memory://bucket/empty.csv", "memory://bucket/empty.csv is empty"),
        ("memory://bucket/cut.csv.gz", "memory://bucket/cut.csv.gz can't be read"),
        ("memory://bucket/bad.parquet", "bad.parquet"),
        ("file:///nowhere/orders.csv", "there is no file file:///nowhere/orders.csv"),
        (["memory://bucket/orders.csv", "memory://bucket/bad.parquet"], "different kinds"),
    ],
)
def test_a_file_that_cant_be_read_is_told_by_its_address(
    tmp_path: Path, memory: MemoryFileSystem, address: str, said: str
) -> None:
    for name, content in (
        ("orders.csv", csv()),
        ("empty.csv", b""),
        ("orders.docx", b"x"),
        ("cut.csv.gz", gzip.compress(csv())[:99]),
        ("bad.parquet", b"PAR1 no"),
    ):
        memory.pipe_file(f"/bucket/{name}", content)
    before = temporary()
    with pytest.raises(DataError, match=re.escape(said)) as caught:
        read_base(params(address), tmp_path)
    told = "\n".join(caught.value.sentences)
    assert tempfile.gettempdir() not in told
    caught = None
    gc.collect()
    assert temporary() <= before


class NoCredentialsError(Exception):
    """As botocore calls it."""


class EndpointConnectionError(Exception):
    """As botocore calls it."""


class HttpError(Exception):
    """As gcsfs has it."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__("Anonymous caller does not have storage.objects.get access")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError("Access Denied"), "access is denied; S3 is opened with AWS_ACCESS_KEY_ID"),
        (NoCredentialsError(), "no valid credentials are found; S3 is opened with AWS_ACCESS_KEY_"),
        (HttpError(401), "no valid credentials are found"),
        (HttpError(403), "access is denied"),
        (OSError("Forbidden: https://x\nno"), "access is denied"),
        (EndpointConnectionError("Could not connect"), "can't be reached; check the network"),
        (TimeoutError(), "can't be reached; check the network"),
        (ConnectionResetError(), "can't be reached; check the network"),
        (socket.gaierror(-2, "Name or service not known"), "can't be reached; check the network"),
        (OSError(28, "No space left on device"), "there is no room left for it"),
        (FileNotFoundError("The specified bucket does not exist"), "there is no such file"),
        (ValueError(f"bad token=s{SECRET}"), "S3 says: bad token=***"),
        (RuntimeError(), "S3 says: RuntimeError"),
    ],
)
def test_what_a_store_says_is_a_sentence_with_a_remedy(
    tmp_path: Path, store: Shaky, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    assert failures.why(error, addresses.kind_of("s3://bucket/x")).startswith(said) or (
        said in failures.why(error, addresses.kind_of("s3://bucket/x"))
    )
    store.pipe_file("/bucket/orders.csv", csv())

    def fail(what: str, path: str) -> None:
        if what == "get_file":
            raise error

    Shaky.before = fail
    with pytest.raises(DataError, match=r"^source: .*shaky://bucket/orders\.csv") as caught:
        read_base(params(f"{SCHEME}://bucket/orders.csv"), tmp_path)
    assert len(caught.value.sentences) == 1
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "extra"),
    [("s3://b/o.csv", "s3"), ("gs://b/o.csv", "gs"), ("abfs://c@a.dfs.core.windows.net/o", "abfs")],
)
def test_a_package_that_isnt_installed_is_named_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, extra: str
) -> None:
    for name in ("s3fs", "gcsfs", "adlfs"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DataError, match=re.escape(f"pip install -e '.[{extra}]'")):
        read_base(params(address), tmp_path)


def test_what_is_injected_is_addresses_and_whole_paths(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv())
    file = client_file(tmp_path, ["a.csv", "memory://bucket/orders-*.csv"])
    own = str((tmp_path / "a.csv").resolve())
    assert injected(file)["source"] == [own, "memory://bucket/orders-*.csv"]


def test_init_proposes_a_client_file_from_a_file_elsewhere(
    tmp_path: Path, memory: MemoryFileSystem, store: Shaky
) -> None:
    store.pipe_file("/bucket/orders.csv", csv())
    before = temporary()
    said = {"currency": "NOK", "columns.customer": "id"}
    made = init("acme", f"{SCHEME}://bucket/orders.csv", tmp_path, said)
    assert [what for what, _ in store.asked].count("get_file") == 1
    assert f"{len(ROWS)} rows" in made.lines[0]
    file = read_client_file(tmp_path / made.path)
    assert file.params.source == f"{SCHEME}://bucket/orders.csv"
    assert "from this file's folder" not in (tmp_path / made.path).read_text()
    assert [*describe(file)]
    gc.collect()
    assert temporary() <= before
    with pytest.raises(UsageError, match="DATA: an address of s3:// holds no user") as caught:
        init("other", f"s3://a:{SECRET}@b/x.csv", tmp_path, {})
    assert SECRET not in str(caught.value)


@pytest.mark.slow
def test_a_chapter_by_plain_papermill_reads_an_address(tmp_path: Path, root: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(csv())
    given = {"client": "acme", "currency": "NOK", "columns": COLUMNS}
    given |= {"source": f"file://{tmp_path / 'orders.csv'}"}
    output = tmp_path / "out.ipynb"
    papermill.execute_notebook(
        str(root / "notebooks" / "01_data.ipynb"), str(output), given, progress_bar=False
    )
    assert "orders.csv" in output.read_text()


# Reports -------------------------------------------------------------------------------------

OUT = f"{SCHEME}://bucket/reports"


def made_here(folder: Path, *days: str, client: str = "acme", **given: Any) -> None:
    """What runs left of these days, and the history that they kept."""
    for day in days:
        made_up.report(folder, client, day, **given)
    assert keep(folder / client, client) == ()


def there(store: Shaky, below: str = "") -> dict[str, bytes]:
    """What lies in the store, but for hidden files: name from the reports → content."""
    root = f"/bucket/reports/{below}"
    return {
        name.removeprefix("/bucket/reports/"): store.cat_file(name)
        for name in store.find(root)
        if not any(part.startswith(".") for part in name.split("/"))
    }


def days_in_history(file: Path) -> set[str]:
    return {*history.read(file, "acme")["as_of"]}


def test_a_report_is_put_there_with_its_page_last(store: Shaky) -> None:
    with remote.opened(OUT) as reports:
        reports.fetch("acme")
        made_here(reports.folder, "2025-03-31")
        store.asked.clear()
        assert reports.publish("acme") == ()
        put = [
            path.removeprefix("/bucket/reports/")
            for what, path in store.asked
            if what == "put_file"
        ]
        here = {
            path.relative_to(reports.folder).as_posix(): path.read_bytes()
            for path in remote._files(reports.folder)
        }
        shown = reports.shown(reports.folder / "acme" / "2025-03-31" / "report.html")
    assert there(store) == here
    day = "acme/2025-03-31"
    assert [name for name in put if name.startswith(day)][-2:] == [
        f"{day}/report.html",
        f"{day}/run.json",
    ]
    assert shown == f"{OUT}/acme/2025-03-31/report.html"


def test_the_folder_has_what_a_run_reads_and_names_the_rest(store: Shaky, tmp_path: Path) -> None:
    with remote.opened(OUT) as reports:
        made_here(reports.folder, "2025-03-31", "2025-06-30")
        for day in ("2025-03-31", "2025-06-30"):
            for name in ("customers.parquet", "model.json"):
                (reports.folder / "acme" / day / name).write_text(f"{day} {name}")
        reports.publish("acme")
    store.asked.clear()
    with remote.opened(OUT) as reports:
        reports.fetch("acme")
        place = reports.folder / "acme"
        assert days_in_history(place / history.FILE_NAME) == {"2025-03-31", "2025-06-30"}
        for day in ("2025-03-31", "2025-06-30"):
            assert (place / day / "model.json").read_text() == f"{day} model.json"
            assert json.loads((place / day / "metrics.json").read_text())["as_of"] == day
            assert (place / day / "report.html").read_bytes() == b""
            assert (place / day / "customers.parquet").read_bytes() == b""
        fetched = {path for what, path in store.asked if what == "get_file"}
        assert not [path for path in fetched if "customers" in path or "html" in path]
        # the customers of the last report before the one at work, and of no other
        handover = tmp_path / "handover"
        handover.mkdir()
        hand_over(place, "acme", dt.date(2025, 6, 30), handover)
        assert [p.read_text() for p in handover.glob("*customers.parquet")] == [
            "2025-03-31 customers.parquet"
        ]
        assert (place / "2025-06-30" / "customers.parquet").read_bytes() == b""
        with pytest.raises(UsageError, match="did you mean acme"):
            diff(reports.folder, "acne")
        found = diff(reports.folder, "acme")
        assert (str(found.then.as_of), str(found.now.as_of)) == ("2025-03-31", "2025-06-30")
        # nothing was made: nothing is put there
        store.asked.clear()
        assert reports.publish("acme") == ()
        assert not [what for what, _ in store.asked if what in WRITING]


def test_files_keep_the_time_at_which_the_store_has_them(store: Shaky) -> None:
    """By which a later run knows that an earlier report is as it was."""
    with remote.opened(OUT) as reports:
        made_here(reports.folder, "2025-03-31")
        reports.publish("acme")
    times = []
    for _ in range(2):
        with remote.opened(OUT) as reports:
            reports.fetch("acme")
            file = reports.folder / "acme" / "2025-03-31" / "metrics.json"
            times.append(file.stat().st_mtime_ns)
        time.sleep(0.02)
    assert times[0] == times[1]


def test_a_report_that_is_made_anew_replaces_all_of_the_old_one(store: Shaky) -> None:
    with remote.opened(OUT) as reports:
        made_here(reports.folder, "2025-03-31")
        (reports.folder / "acme" / "2025-03-31" / "report.pdf").write_text("old")
        made_up.failed(reports.folder, "acme")
        reports.publish("acme")
    assert "acme/data.failed/run.json" in there(store)
    with remote.opened(OUT) as reports:
        reports.fetch("acme")
        place = reports.folder / "acme"
        # as a run puts it in place, and forgets that the one before failed
        shutil.rmtree(place / "2025-03-31")
        shutil.rmtree(place / "data.failed")
        made_here(reports.folder, "2025-03-31", finished="2026-05-05T00:00:00+00:00")
        reports.publish("acme")
        here = {
            p.relative_to(reports.folder).as_posix(): p.read_bytes()
            for p in remote._files(reports.folder)
        }
    assert there(store) == here
    assert not [name for name in there(store) if name.endswith(".pdf") or ".failed" in name]
    assert not [name for name in store.find("/bucket") if "/." in name]


def test_a_chapter_alone_and_a_failed_run_are_put_there_too(store: Shaky) -> None:
    with remote.opened(OUT) as reports:
        made_here(reports.folder, "2025-03-31")
        place = reports.folder / "acme"
        (place / "2025-03-31-03_cltv.html").write_text("a")
        (place / "2025-03-31-03_cltv.pdf").write_text("b")
        reports.publish("acme")
        (place / "2025-03-31-03_cltv.html").write_text("later")
        (place / "2025-03-31-03_cltv.pdf").unlink()
        made_up.failed(reports.folder, "acme", "2025-03-31")
        reports.publish("acme")
    found = there(store)
    assert found["acme/2025-03-31-03_cltv.html"] == b"later"
    assert "acme/2025-03-31-03_cltv.pdf" not in found
    assert {"acme/2025-03-31.failed/run.log", "acme/2025-03-31/report.html"} <= {*found}


def broken_at(step: int, *, for_good: bool) -> Callable[[str, str], None]:
    """A store that fails at the n-th change, or from then on."""
    counted = itertools.count()

    def before(what: str, path: str) -> None:
        if what not in WRITING:
            return
        now = next(counted)
        if now == step or (for_good and now > step):
            raise ConnectionResetError

    return before


def test_wherever_it_breaks_off_a_reader_has_the_old_report_or_the_new_one(store: Shaky) -> None:
    with remote.opened(OUT) as reports:
        made_here(reports.folder, "2025-03-31")
        (reports.folder / "acme" / "2025-03-31" / "report.pdf").write_text("old")
        reports.publish("acme")
    kept = dict(store.store)
    old = there(store, "acme/2025-03-31")

    def again(before: Callable[[str, str], None] | None) -> tuple[dict[str, bytes], bool, int]:
        """Make it anew while the store breaks: what is there then, whether it was said."""
        store.store.clear()
        store.store.update(kept)
        with remote.opened(OUT) as reports:
            reports.fetch("acme")
            shutil.rmtree(reports.folder / "acme" / "2025-03-31")
            made_here(
                reports.folder,
                "2025-03-31",
                finished="2026-05-05T00:00:00+00:00",
                figures=made_up.metrics(7),
            )
            for name in ("report.html", "actions.xlsx"):
                (reports.folder / "acme" / "2025-03-31" / name).write_text("new")
            (reports.folder / "acme" / "2025-03-31" / "added.txt").write_text("new")
            store.asked.clear()
            Shaky.before = before
            failed = False
            try:
                reports.publish("acme")
            except RetentionError as error:
                failed = True
                kept_at = re.search(r"lies in (\S+)$", error.sentences[0])
                assert kept_at
                assert (Path(kept_at[1]) / "2025-03-31" / "report.html").read_text() == "new"
                shutil.rmtree(kept_at[1])
            changes = len([what for what, _ in store.asked if what in WRITING])
            Shaky.before = None
        return there(store, "acme/2025-03-31"), failed, changes

    new, failed, changes = again(None)
    assert not failed
    assert new != old
    assert changes > 20
    ends = []
    for step in range(changes):
        found, failed, _ = again(broken_at(step, for_good=False))
        assert found == (old if failed else new), step
        ends.append(failed)
        # and the history can be read, and made whole
        with remote.opened(OUT) as reports:
            reports.fetch("acme")
            assert days_in_history(reports.folder / "acme" / history.FILE_NAME) == {"2025-03-31"}
            assert keep(reports.folder / "acme", "acme") == ()
    assert {True, False} == {*ends}
    # while the files are on their way, nothing there has changed
    for step in range(len(new)):
        assert again(broken_at(step, for_good=True))[0] == old
    # and where not even the old one can be put back, it isn't lost
    assert again(broken_at(3 * len(new) - 3, for_good=True))[1]
    aside = [name for name in store.find("/bucket") if "/.replaced-" in name]
    assert {store.cat_file(name) for name in aside} <= {*old.values()}
    assert any(name.endswith("/report.html") for name in aside)


def test_a_new_report_that_breaks_off_is_none(store: Shaky) -> None:
    with remote.opened(OUT) as reports:
        made_here(reports.folder, "2025-03-31")
        reports.publish("acme")
        made_here(reports.folder, "2025-06-30")
        Shaky.before = broken_at(4, for_good=True)
        with pytest.raises(RetentionError, match="can't be reached; check the network") as caught:
            reports.publish("acme")
        Shaky.before = None
        shutil.rmtree(re.search(r"lies in (\S+)$", caught.value.sentences[0])[1])
    with remote.opened(OUT) as reports:
        reports.fetch("acme")
        assert {p.name for p in (reports.folder / "acme").glob("*-*")} == {"2025-03-31"}
        assert reports.publish_index() == ()
    assert b"2025-06-30" not in there(store)["index.html"]


def test_runs_at_the_same_time_lose_no_history(store: Shaky) -> None:
    with remote.opened(OUT) as first:
        # a report that was removed since: only the history has it
        made_here(first.folder, "2024-12-31")
        first.publish("acme")
    for name in store.find("/bucket/reports/acme/2024-12-31"):
        store.rm_file(name)
    with remote.opened(OUT) as one, remote.opened(OUT) as other:
        one.fetch("acme")
        other.fetch("acme")
        made_here(one.folder, "2025-03-31")
        made_here(other.folder, "2025-06-30")
        assert one.publish("acme") == other.publish("acme") == ()
        assert one.publish_index() == other.publish_index() == ()
    with remote.opened(OUT) as reports:
        reports.fetch("acme")
        days = {"2024-12-31", "2025-03-31", "2025-06-30"}
        assert days_in_history(reports.folder / "acme" / history.FILE_NAME) == days
    assert b"2025-06-30" in there(store)["index.html"]


def test_a_damaged_history_stays_and_is_told(store: Shaky) -> None:
    store.pipe_file("/bucket/reports/acme/history.parquet", b"no")
    with remote.opened(OUT) as reports:
        reports.fetch("acme")
        made_up.report(reports.folder, "acme", "2025-03-31")
        (said,) = keep(reports.folder / "acme", "acme")
        assert reports.told(said).startswith(f"{OUT}/acme/history.parquet: this isn't a whole")
        assert reports.publish("acme") == ()
    assert store.cat_file("/bucket/reports/acme/history.parquet") == b"no"
    assert "acme/2025-03-31/run.json" in there(store)
    # a run that has none is told of one that another damaged meanwhile
    with remote.opened(OUT) as reports:
        made_here(reports.folder, "2025-06-30")
        (said,) = reports.publish("acme")
        assert "isn't a whole Parquet file" in said
    assert store.cat_file("/bucket/reports/acme/history.parquet") == b"no"


def test_the_page_of_all_clients_is_that_of_a_folder_here(store: Shaky, tmp_path: Path) -> None:
    made_up.many(tmp_path, 12, 5)
    made_up.failed(tmp_path, "never-made")
    for lists in tmp_path.glob("*/*/lists"):
        (lists / "slipping.csv").write_text("x")  # a store has no empty folders
    (tmp_path / "client-000" / "2025-03-31-03_cltv.html").write_text("x")
    with remote.opened(OUT) as reports:
        shutil.copytree(tmp_path, reports.folder, dirs_exist_ok=True)
        for client in sorted(path.name for path in tmp_path.iterdir() if path.is_dir()):
            reports.publish(client)
    store.asked.clear()
    with remote.opened(OUT) as reports:
        assert reports.publish_index() == ()
    fetched = [path for what, path in store.asked if what == "get_file"]
    assert not [path for path in fetched if path.endswith((".html", ".xlsx", ".ipynb"))]
    assert len([path for path in fetched if path.endswith("metrics.json")]) == 12
    assert index.write(tmp_path) == ()

    def without_clock(page: bytes) -> str:
        return re.sub(r"\d\d?:\d\d|datetime=\"[^\"]*\"", "", page.decode())

    here = (tmp_path / index.FILE_NAME).read_bytes()
    assert without_clock(there(store)["index.html"]) == without_clock(here)


def test_the_page_that_is_written_last_has_what_others_made_meanwhile(store: Shaky) -> None:
    with remote.opened(OUT) as slow, remote.opened(OUT) as fast:
        made_here(slow.folder, "2025-03-31", client="slow")
        made_here(fast.folder, "2025-03-31", client="fast")
        slow.publish("slow")
        meanwhile = [fast]

        def another_ends(what: str, path: str) -> None:
            if what == "mv" and path.endswith("index.html") and meanwhile:
                run = meanwhile.pop()
                Shaky.before = None
                store._lock.release()  # it is the same store
                try:
                    run.publish("fast")
                    run.publish_index()
                finally:
                    store._lock.acquire()

        Shaky.before = another_ends
        assert slow.publish_index() == ()
    page = there(store)["index.html"]
    assert b"client-fast" in page
    assert b"client-slow" in page


def test_a_folder_here_is_worked_in_as_it_is(tmp_path: Path) -> None:
    with remote.opened(str(tmp_path)) as reports:
        assert reports.folder == tmp_path
        reports.fetch("acme")
        made_here(reports.folder, "2025-03-31")
        assert reports.publish("acme") == reports.publish_index() == ()
        assert reports.shown(tmp_path / "acme") == str(tmp_path / "acme")
    assert (tmp_path / "index.html").exists()


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("ssh://host/reports", "--out: ssh:// isn't read"),
        ("postgres://host/reports", "--out: postgres:// isn't a folder or s3://"),
        ("s4://bucket/reports", "did you mean s3://?"),
        (f"s3://a:{SECRET}@bucket/reports", "AWS_ACCESS_KEY_ID"),
        ("memory://bucket/*", "is a pattern"),
        ("simplecache::s3://bucket", "chained with ::"),
    ],
)
def test_where_nothing_is_written_is_refused_before_the_run(out: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as caught, remote.opened(out):
        pass
    assert SECRET not in str(caught.value)


def test_a_store_that_lets_nobody_write_is_told_before_the_run(store: Shaky) -> None:
    def refuse(what: str, path: str) -> None:
        if what in WRITING:
            raise PermissionError

    Shaky.before = refuse
    with (
        pytest.raises(UsageError, match=f"--out: nothing can be written to {OUT}: its permissions"),
        remote.opened(OUT),
    ):
        pass


def test_an_unknown_client_is_told_the_nearest_of_those_there(store: Shaky) -> None:
    with remote.opened(OUT) as reports:
        made_here(reports.folder, "2025-03-31", "2025-06-30")
        reports.publish("acme")
    with remote.opened(OUT) as reports:
        store.asked.clear()
        reports.name_all()
        for client in ("acne", "../acme"):
            reports.fetch(client)
            with pytest.raises(UsageError, match=r"of whom .* no report; did you mean acme"):
                diff(reports.folder, client)
        assert not [what for what, _ in store.asked if what == "get_file"]
        assert {path.name for path in reports.folder.iterdir()} == {"acme", "acne"}


def test_names_in_a_store_lead_nowhere_else(store: Shaky) -> None:
    with remote.opened(OUT) as reports:
        made_here(reports.folder, "2025-03-31")
        reports.publish("acme")
    for name in ("../../up", "2025-03-31/../../../up", ".hidden/run.json", "a\\..\\b", "x\nrun"):
        store.store[f"/bucket/reports/acme/{name}"] = store.store[
            "/bucket/reports/acme/2025-03-31/run.json"
        ]
    with remote.opened(OUT) as reports:
        reports.fetch("acme")
        outside = set(reports.folder.parent.glob("up*"))
        found = {p.name for p in (reports.folder / "acme").iterdir()}
        assert reports.publish_index() == ()
    assert not outside
    assert found == {"2025-03-31", "history.parquet", ".elsewhere.json"}


def test_a_folder_by_its_address_is_a_store_like_any(tmp_path: Path) -> None:
    out = f"file://{tmp_path / 'reports'}"
    for finished in ("2026-03-02T07:15:00+00:00", "2026-05-05T00:00:00+00:00"):
        with remote.opened(out) as reports:
            reports.fetch("acme")
            for day in ("2025-03-31", "2025-06-30"):
                shutil.rmtree(reports.folder / "acme" / day, ignore_errors=True)
            made_here(reports.folder, "2025-03-31", "2025-06-30", finished=finished)
            assert reports.publish("acme") == reports.publish_index() == ()
            here = {
                p.relative_to(reports.folder).as_posix(): p.read_bytes()
                for p in remote._files(reports.folder)
                if p.parent != reports.folder
            }
    there = tmp_path / "reports"
    assert (
        here.items()
        <= {
            p.relative_to(there).as_posix(): p.read_bytes() for p in there.rglob("*") if p.is_file()
        }.items()
    )
    assert not [*there.rglob(".*")]
    assert "client-acme" in (there / "index.html").read_text()


@pytest.mark.slow
def test_two_reports_of_a_client_go_round(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(csv())
    there = "memory://bucket/reports"
    source = f"file://{tmp_path / 'orders.csv'}"  # which a chapter's kernel reads too
    for day in ("2025-03-31", "2025-06-30"):
        file = client_file(tmp_path, source, as_of=day, model="bgnbd")
        with remote.opened(there) as reports:
            reports.fetch("acme")
            made = report_client(file, reports.folder)
            assert reports.publish("acme") == reports.publish_index() == ()
            assert reports.shown(made.report) == f"{there}/acme/{day}/report.html"
        here = report_client(file, tmp_path / "here")
        # what the second says of the first is in its figures
        assert made.metrics == here.metrics
    left = {name.partition("reports/")[2] for name in fsspec.filesystem("memory").find(there)}
    local = {p.relative_to(tmp_path / "here").as_posix() for p in remote._files(tmp_path / "here")}
    assert left == local
    with remote.opened(there) as reports:
        reports.fetch("acme")
        found = diff(reports.folder, "acme")
        assert [str(one.as_of) for one in (found.then, found.now)] == ["2025-03-31", "2025-06-30"]
        assert found.same_data
        whole = history.read(reports.folder / "acme" / history.FILE_NAME, "acme")
    expected = history.read(tmp_path / "here" / "acme" / history.FILE_NAME, "acme")
    pd.testing.assert_frame_equal(whole.drop(columns="made_at"), expected.drop(columns="made_at"))
