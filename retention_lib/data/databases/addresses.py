"""Addresses of databases: which kind, filled from the environment, without their secrets."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from retention_lib.data.files import fill_variables
from retention_lib.errors import DataError
from retention_lib.keys.secrets import is_secret_name, masked


@dataclass(frozen=True)
class Kind:
    """A kind of database.

    Parameters
    ----------
    name : str
        For people.
    extra : str
        The extra of this project that brings what it needs.
    timezone : str or None
        The statement that sets a session's time zone; None where there is none.
    module : str
        The client's module, which has to be installed.
    """

    name: str
    extra: str
    timezone: str | None
    module: str


KINDS: Final = {
    "duckdb": Kind("DuckDB", "", None, "duckdb"),
    "postgres": Kind("PostgreSQL", "postgres", "SET TIME ZONE {zone}", "psycopg"),
    "pyspark": Kind("Spark", "spark", None, "pyspark"),
    "databricks": Kind("Databricks", "databricks", "SET TIME ZONE {zone}", "databricks"),
    "snowflake": Kind(
        "Snowflake", "snowflake", "ALTER SESSION SET TIMEZONE = {zone}", "snowflake.connector"
    ),
    "trino": Kind("Trino", "trino", None, "trino"),
    "bigquery": Kind("BigQuery", "bigquery", None, "google.cloud.bigquery"),
}
_OTHER_NAMES: Final = {"postgresql": "postgres", "spark": "pyspark"}


def kind_of(url: str) -> str:
    """The kind of database that an address is of, as Ibis calls it.

    Raises
    ------
    DataError
        One that isn't read.
    """
    scheme = url.partition("://")[0].lower()
    kind = _OTHER_NAMES.get(scheme, scheme)
    if kind not in KINDS:
        known = ", ".join(f"{name}://" for name in KINDS)
        raise DataError(f"source: {scheme}:// isn't a kind of database that is read; {known} are")
    return kind


def filled(source: str) -> str:
    """The address with its variables; a user or password may hold any sign."""
    scheme, separator, rest = source.partition("://")
    if not separator:
        return fill_variables(source)
    user, at, place = rest.rpartition("@")
    if at:
        user = ":".join(
            quote(fill_variables(part), safe="%" if "${" not in part else "")
            for part in user.split(":", 1)
        )
    return f"{scheme}://{user}{at}{fill_variables(place)}"


def from_anywhere(source: str, folder: Path) -> str:
    """An address that means the same wherever it is read: a database file's whole path.

    Parameters
    ----------
    source : str
        As the client file has it; nothing is filled in.
    folder : Path
        Where a relative path starts.
    """
    scheme, separator, path = source.partition("://")
    if scheme.lower() != "duckdb" or path.startswith(("/", "~", "${")):
        return source
    return f"{scheme}{separator}{quote(str((folder / unquote(path)).resolve()))}"


def secrets_of(url: str) -> tuple[str, ...]:
    """What an address holds that nobody may read, as it stands there and as it is meant."""
    parts = urlsplit(url)
    found = [parts.password or "", *(v for k, v in parse_qsl(parts.query) if is_secret_name(k))]
    return tuple(text for secret in found if secret for text in (secret, unquote(secret)))


def check_installed(kind: str) -> None:
    """The client of a kind of database is installed.

    Raises
    ------
    DataError
        It isn't: which extra brings it.
    """
    try:
        importlib.import_module(KINDS[kind].module)
    except ImportError:
        raise DataError(
            f"source: reading {KINDS[kind].name} needs a package that isn't installed; "
            f"install this project with its extra: pip install -e '.[{KINDS[kind].extra}]'"
        ) from None


def said(error: Exception, secrets: Sequence[str] = ()) -> str:
    """The first line of what a database says, without a secret."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    message = masked(lines[0] if lines else type(error).__name__).rstrip(".")
    for secret in secrets:
        message = message.replace(secret, "***")
    return message
