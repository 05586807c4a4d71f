"""Whether the query under `table` does nothing but read.

The rights of whoever connects decide what a database lets happen. Before that, a client file can
ask for no more than rows: one statement, a SELECT (WITH, UNION), with nothing in it that writes.
The embedded engine would otherwise run `SELECT …; COPY … TO 'file'` as it stands.
"""

from __future__ import annotations

from typing import Any, Final

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from retention_lib.data.databases.addresses import said
from retention_lib.errors import DataError
from retention_lib.keys.secrets import SECRET_FOUND, holds_secret

#: What changes something, wherever in a statement it stands.
_WRITING: Final = (exp.DML, exp.DDL, exp.Into, exp.Command, exp.Set, exp.Copy, exp.Attach)
#: Functions that change the session, so that what follows could write.
_FUNCTIONS: Final = frozenset({"set_config"})
#: Ibis's name of an engine, where sqlglot has another.
_DIALECTS: Final = {"pyspark": "spark"}


def check_reads_only(kind: str, query: str) -> None:
    """Refuse a query that is more than one statement, or that could write.

    Parameters
    ----------
    kind : str
        Of the database, as Ibis calls it.
    query : str

    Raises
    ------
    DataError
        Also for a literal password inside, and for what isn't SQL of that kind of database.
    """
    if kind == "duckdb":
        _check_as_the_engine_reads_it(query)
    try:
        parsed = sqlglot.parse(query, read=_DIALECTS.get(kind, kind))
    except SqlglotError as error:
        if kind == "postgres":
            return  # it says best what is wrong, and is asked for one statement only
        place = getattr(error, "errors", None) or [{}]
        at = f", line {place[0]['line']}" if place[0].get("line") else ""
        raise DataError(
            f"table: the query can't be read as SQL{at}; see that it is one SELECT, its brackets "
            "and quotes closed"
        ) from None
    statements = [s for s in parsed if s is not None and not isinstance(s, exp.Semicolon)]
    if len(statements) != 1:
        raise DataError(
            f"table: found {len(statements)} statements; a query is one SELECT, without a "
            "semicolon inside"
        )
    (statement,) = statements
    if not isinstance(statement, exp.Query):
        raise DataError(
            f"table: found {statement.key.upper()}; a query is one SELECT, which only reads"
        )
    for node in statement.walk():
        is_query = isinstance(node, exp.Query)
        if (isinstance(node, _WRITING) and not is_query) or _name(node) in _FUNCTIONS:
            what = _name(node) or node.key.upper()
            raise DataError(f"table: found {what} in the query; a query may only read")
        if isinstance(node, exp.Literal) and holds_secret(str(node.this), settings=True):
            raise DataError(f"table: {SECRET_FOUND}")


def _check_as_the_engine_reads_it(query: str) -> None:
    """The engine that runs it on this machine has the last word on where a statement ends."""
    try:
        found = [statement.type for statement in duckdb.extract_statements(query)]
    except duckdb.Error as error:
        raise DataError(f"table: DuckDB can't run the query: {said(error)}") from None
    if found != [duckdb.StatementType.SELECT]:
        raise DataError(
            f"table: found {len(found)} statements that DuckDB would run; a query is one SELECT"
        )


def _name(node: Any) -> str:
    """What a function is called that isn't one of SQL's own."""
    return str(node.name).lower() if isinstance(node, exp.Anonymous) else ""
