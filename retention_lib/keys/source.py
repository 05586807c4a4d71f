"""The key `source`: where a client's orders are."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import PlainValidator

from retention_lib.keys import addresses
from retention_lib.keys.refusals import Allowed, conflict, nearest, refused, shown
from retention_lib.keys.secrets import SECRET_FOUND, VARIABLE, holds_secret
from retention_lib.keys.values import checked_line

BUILTINS = ("builtin:cdnow", "builtin:cdnow-sample", "builtin:completejourney")
_ADDRESSES = f"a path on this machine, {addresses.READ}, or a database's address"


def source_kind(source: str | list[str]) -> Literal["builtin", "files", "database", "unknown"]:
    """What a source is; unknown where only the environment can tell, as for `${ORDERS}`."""
    if isinstance(source, list):
        return "files"
    if source.startswith("builtin:"):
        return "builtin"
    if "://" in source:
        return "files" if addresses.is_of_files(source) else "database"
    return "unknown" if source.startswith("${") else "files"


def _source(value: object, builtins: tuple[str, ...] = BUILTINS) -> str | list[str]:
    if isinstance(value, list) and value:
        for number, item in enumerate(value, start=1):
            if not isinstance(item, str):
                raise refused("a list of paths", f"item {number} is {shown(item)}")
            _one_source(item, builtins)
            if source_kind(item) in ("builtin", "database"):
                raise conflict(f"item {number} is {shown(item)}; a list holds paths of files only")
        return list(value)
    if isinstance(value, str):
        return _one_source(value, builtins)
    raise ValueError


def _one_source(value: str, builtins: tuple[str, ...]) -> str:
    is_of_files = addresses.is_of_files(value)
    if is_of_files and not addresses.is_unread(value) and (fault := addresses.fault(value)):
        raise conflict(fault)
    if holds_secret(value, settings=True):
        raise conflict(SECRET_FOUND)
    if "${" in VARIABLE.sub("", value):
        raise refused("${NAME}, a name of letters, digits and _ in braces, for the environment")
    if value.startswith("builtin:") and value not in builtins:
        near = nearest(value, builtins)
        allowed = ", ".join(builtins) or _ADDRESSES
        raise refused(allowed, f"did you mean {near}?" if near else "")
    if is_of_files and addresses.is_unread(value):
        raise refused(_ADDRESSES, "fetch the file first")
    if not is_of_files and (near := addresses.near_store(addresses.scheme_of(value))):
        raise refused(_ADDRESSES, f"did you mean {near}://?")
    return checked_line(value)


Source = Annotated[
    str | list[str],
    PlainValidator(_source, json_schema_input_type=str | list[str]),
    Allowed(
        "a path, glob or list of paths, also at s3://, gs:// or abfs://, builtin:cdnow or "
        "builtin:completejourney, or a database's address"
    ),
]


def further_source(*builtins: str) -> Any:
    """The type of the source of a further data set, with the built-in ones that it can be."""
    named = f", {' or '.join(builtins)}" if builtins else ""
    return Annotated[
        str | list[str],
        PlainValidator(
            lambda value: _source(value, builtins), json_schema_input_type=str | list[str]
        ),
        Allowed(
            f"a path, glob or list of paths, also at s3://, gs:// or abfs://{named}, or a "
            "database's address"
        ),
    ]
