"""A batch tells how each client ended, also where what stands around a client's run fails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from retention_lib.params import read_client_file
from retention_lib.run.batch import Batch
from retention_lib.run.job import Job, Result
from retention_lib.run.remote import Here

CLIENT = "client: {}\ncurrency: NOK\nsource: o.csv\ncolumns: {{customer: a, date: b, amount: c}}\n"


class Broken(Here):
    """Reports that can't be fetched, for a reason that nobody foresaw."""

    def fetch(self, client: str) -> None:
        raise ValueError(f"odd {client} in {self.folder}")

    def told(self, sentence: str) -> str:
        return sentence.replace(str(self.folder), "s3://bucket")


class Listening:
    def __init__(self) -> None:
        self.told: dict[str, Result] = {}

    def ended(self, job: Job, result: Result) -> None:
        self.told[job.client] = result

    def began(self, job: Job, why: str) -> None:
        pass


class Losing(Executor):
    """Has a signal come while it takes the first job, and loses the signal's exception."""

    interrupt: Callable[[], None]

    def __init__(self) -> None:
        self.taken: list[str] = []

    def submit(self, function: Any, /, *args: Any, **_: Any) -> Future[Any]:
        self.taken.append(args[0].client)
        self.interrupt()
        future: Future[Any] = Future()
        future.set_result(Result(args[0].client, "made"))
        return future


@pytest.fixture
def jobs(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    monkeypatch.chdir(root)
    made = []
    for name in ("acme", "beta"):
        file = tmp_path / f"{name}.yaml"
        file.write_text(CLIENT.format(name))
        made.append(Job(read_client_file(file), tmp_path / "reports"))
    return made


@pytest.mark.parametrize("at_once", [1, 2])
def test_an_interruption_that_a_library_loses_is_heeded(jobs: list[Job], at_once: int) -> None:
    heard, executor = Listening(), Losing()
    batch = Batch(jobs, heard, at_once, executor=executor)  # type: ignore[arg-type]
    executor.interrupt = batch.interrupt
    with pytest.raises(KeyboardInterrupt):
        list(batch.run())
    assert executor.taken == ["acme"]
    assert batch.stopping.is_set()


def test_what_nobody_foresaw_is_told_of_each_client(tmp_path: Path, jobs: list[Job]) -> None:
    heard = Listening()
    results = list(Batch(jobs, heard, 2, reports=Broken(tmp_path / "reports")).run())  # type: ignore[arg-type]
    assert heard.told == {result.client: result for result in results}
    assert {(r.client, r.outcome, r.exit_code) for r in results} == {
        ("acme", "failed", 1),
        ("beta", "failed", 1),
    }
    assert heard.told["acme"].sentences == (
        "acme: the run was lost (ValueError: odd acme in s3://bucket); run it again",
    )
