"""Executors by address, for a batch on a cluster.

An executor is whatever has the `submit` of `concurrent.futures` and gives its futures: a cluster's
library usually has one. Every worker needs the project's folder, the client files' sources and the
folder of the reports at the same paths, the same versions, and the same key of pseudonyms.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, Final

from retention_lib.errors import UsageError
from retention_lib.report.pseudonyms import key_mark
from retention_lib.run.fingerprint import program

_ADDRESS: Final = re.compile(r"dask://([\w.-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})")
#: In which a scheduler has to answer, and its first worker to have come.
_SECONDS: Final = 10


@contextmanager
def executor_at(address: str) -> Iterator[Executor]:
    """The executor at an address.

    Parameters
    ----------
    address : str
        `dask://host:port`, that of a Dask scheduler.

    Raises
    ------
    UsageError
        Another address, a package that isn't installed, nobody at the address, no workers, or
        workers that would make other reports than this machine.
    """
    found = _ADDRESS.fullmatch(address)
    if not found:
        raise UsageError(
            f"--executor: {address} isn't an address that is known; a Dask scheduler's is "
            "dask://host:port"
        )
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(
            "--executor: Dask isn't installed; install it with: pip install -e '.[dask]'"
        ) from None
    host = f"{found[1]}:{found[2]}"
    # it would tell each try to connect, and that a scheduler went
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = Client(f"tcp://{host}", timeout=_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--executor: no Dask scheduler answers at {host} ({_first_line(error)}); "
            "start one with: dask scheduler"
        ) from None
    with client:
        _check_workers(client, host)
        # A task whose worker dies is begun again elsewhere, as often as the scheduler allows.
        yield client.get_executor(pure=False)


def _check_workers(client: Any, host: str) -> None:
    """Refuse workers that would make other reports than this machine."""
    try:
        client.wait_for_workers(1, timeout=_SECONDS)
    except TimeoutError:
        raise UsageError(
            f"--executor: the scheduler at {host} has no workers; start some with: "
            f"dask worker tcp://{host} --nthreads 1"
        ) from None
    own = about()
    try:
        workers: Mapping[str, tuple[str, str]] = client.run(about)
    except Exception as error:  # whatever goes wrong there comes here
        raise UsageError(
            f"--executor: a worker of the scheduler at {host} can't run this program "
            f"({type(error).__name__}: {_first_line(error)}); install the same versions there"
        ) from None
    for n, what in enumerate((_OTHER_PROGRAM, _OTHER_KEY)):
        other = sorted(worker for worker, told in workers.items() if told[n] != own[n])
        if other:
            named = ", ".join(other[:3]) + (f" and {len(other) - 3} more" if other[3:] else "")
            raise UsageError(f"--executor: {named}: {what}")


_OTHER_PROGRAM: Final = (
    "another version of this program, of its libraries or of Python than here, which would make "
    "other reports; install the same everywhere"
)
_OTHER_KEY: Final = (
    "another key of pseudonyms than here, so that a customer would go by several; start the "
    "workers with the RETENTION_PSEUDONYM_KEY of this machine, or with its key file"
)


def about() -> tuple[str, str]:
    """What has to be the same on every machine: digests of the program and of the key."""
    return program(), key_mark()


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
