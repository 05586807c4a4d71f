"""Starting and stopping the tests' PostgreSQL server: a temporary folder, loopback only."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from engines import missing
from engines.postgres import PostgresServer

HOST = "127.0.0.1"
_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 30


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """Start a server, and stop it when the block is left, however that happens."""
    programs = _programs()
    as_user = _as_unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="retention-postgres-"))
    server = None
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, *_account())
        password = _password()
        _initialise(programs, as_user, folder, password)
        server, port = _start(programs, as_user, folder, password)
        running = PostgresServer(HOST, port, "keeper", password, "reader", _password(), folder)
        with running.connect() as connection:
            connection.execute(
                sql.SQL(
                    "CREATE ROLE reader LOGIN PASSWORD {}; GRANT pg_read_all_data TO reader"
                ).format(sql.Literal(running.reader_password))
            )
        yield running
    finally:
        if server is not None:
            _stop(server)
        shutil.rmtree(folder)


def _programs() -> Path:
    """The folder of the newest server's programs."""
    installed = [p for p in Path("/usr/lib/postgresql").glob("*/bin") if (p / "initdb").exists()]
    if installed:
        return max(installed, key=lambda p: float(p.parent.name))
    on_path = shutil.which("initdb")
    if on_path is None:
        missing("PostgreSQL's server is missing: apt-get install postgresql")
    return Path(on_path).resolve().parent


def _account() -> tuple[str, str]:
    """User and group that a server started by root runs as: it refuses to run as root."""
    import grp
    import pwd

    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return name, grp.getgrgid(user.pw_gid).gr_name
    missing("no user postgres or nobody to run PostgreSQL as: it refuses to run as root")


def _as_unprivileged_user() -> list[str]:
    """What stands before a command so that it runs without root's rights, and ends with ours."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0:
        return [setpriv, "--pdeathsig", "INT"] if setpriv else []
    if setpriv is None:
        missing("setpriv is missing, and PostgreSQL refuses to run as root")
    user, group = _account()
    return [
        setpriv,
        *("--reuid", user, "--regid", group, "--clear-groups", "--no-new-privs"),
        *("--pdeathsig", "INT"),
    ]


def _password() -> str:
    return f"p@ss/w:rd#1 %2B+ø?&{secrets.token_urlsafe(12)}"


def _initialise(programs: Path, as_user: list[str], folder: Path, password: str) -> None:
    secret = folder / "password"
    secret.touch(0o600)
    secret.write_text(f"{password}\n")
    if os.geteuid() == 0:
        shutil.chown(secret, *_account())
    done = subprocess.run(
        [
            *as_user,
            programs / "initdb",
            *("--pgdata", folder / "data", "--username", "keeper", "--pwfile", secret),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
        ],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    secret.unlink()
    if done.returncode:
        raise RuntimeError(f"initdb failed:\n{done.stdout.decode(errors='replace')}")


def _start(
    programs: Path, as_user: list[str], folder: Path, password: str
) -> tuple[subprocess.Popen[bytes], int]:
    """Start on a free port; again on another where somebody took it in between."""
    settings: dict[str, Any] = {
        "listen_addresses": HOST,
        "unix_socket_directories": folder,
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
        # a container's /dev/shm is small
        "dynamic_shared_memory_type": "mmap",
        "log_statement": "all",
        "timezone": "UTC",
    }
    for _ in range(5):
        port = free_port()
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [
                    *as_user,
                    *(programs / "postgres", "-D", folder / "data", "-p", str(port)),
                    *(part for k, v in settings.items() for part in ("-c", f"{k}={v}")),
                ],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if _answers(server, port, password):
            return server, port
    raise RuntimeError(f"PostgreSQL doesn't start:\n{(folder / 'log').read_text()}")


def _answers(server: subprocess.Popen[bytes], port: int, password: str) -> bool:
    """Wait until it takes connections; False where it ended instead."""
    deadline = time.monotonic() + _SECONDS_TO_START
    login = {"host": HOST, "port": port, "user": "keeper", "password": password}
    while server.poll() is None:
        try:
            psycopg.connect(**login, dbname="postgres").close()
            return True
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                _stop(server)
                return False
            time.sleep(0.05)
    return False


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Close every connection and end; without a clean ending where it takes too long."""
    for ending in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        server.send_signal(ending)
        try:
            server.wait(_SECONDS_TO_STOP)
            return
        except subprocess.TimeoutExpired:
            continue


def free_port() -> int:
    """A port of the loopback interface on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
