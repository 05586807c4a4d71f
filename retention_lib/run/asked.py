"""What the user says to `retention init`, checked before anything is read."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from retention_lib.data.mapping import FIELDS
from retention_lib.errors import UsageError
from retention_lib.keys import addresses
from retention_lib.keys.parts import CsvFormat
from retention_lib.keys.refusals import shown

#: Where client files are, in the working directory.
PARAMS: Final = "params"
#: The keys that the command takes with --set.
SETTABLE: Final = (
    *("title", "language", "currency", "timezone"),
    *(f"columns.{field}" for field in FIELDS),
    *(f"csv.{field}" for field in CsvFormat.model_fields),
)
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def said(settings: Sequence[str]) -> dict[str, str]:
    """Key → value of settings written as `key=value`.

    Raises
    ------
    UsageError
        A setting without its sign, without a value, or of a key that can't be set.
    """
    given = {}
    for setting in settings:
        key, sign, value = setting.partition("=")
        key = key.strip()
        if not sign or not value:
            raise UsageError(
                f"--set: found {shown(setting)}; write KEY=VALUE, such as columns.customer=Kundenr"
            )
        if key not in SETTABLE:
            near = difflib.get_close_matches(key, SETTABLE, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else "one that can is columns.customer"
            raise UsageError(f"--set: {shown(key)} is no key that can be set here; {hint}")
        given[key] = value
    return given


def check_client(client: str, here: Path) -> None:
    """The name is one, and no client file of that name is there.

    Raises
    ------
    UsageError
    """
    if not _SLUG.fullmatch(client):
        near = re.sub(r"[^a-z0-9_]+", "-", _ascii(client.lower())).strip("-_")[:64]
        raise UsageError(
            f"CLIENT: found {shown(client)}; allowed is a short name of a-z, 0-9, _ and -"
            + (f", such as {near}" if _SLUG.fullmatch(near) else ", such as acme")
        )
    for ending in ("yaml", "yml"):
        name = f"{PARAMS}/{client}.{ending}"
        if os.path.lexists(here / name):
            raise UsageError(
                f"{name} is there already and stays as it is; edit it, or take another name"
            )


def _ascii(text: str) -> str:
    for letter, plain in (("æ", "ae"), ("ø", "o"), ("å", "a"), ("ä", "a"), ("ö", "o"), ("ü", "u")):
        text = text.replace(letter, plain)
    return text


def check_data(data: str, here: Path) -> None:
    """The data file is there; a pattern is looked up later.

    Raises
    ------
    UsageError
    """
    if addresses.is_of_files(data):
        if fault := addresses.fault(data):
            raise UsageError(f"DATA: {fault}")
        return
    if "://" in data or data.startswith("builtin:"):
        raise UsageError(
            f"DATA: {shown(data)} is no file; init looks at files, and docs/client-file.md says "
            "how a client file names other sources"
        )
    path = here / os.path.expanduser(data)  # noqa: PTH111 - a pattern stays as it is written
    if path.is_dir():
        raise UsageError(f"DATA: {data} is a folder; name a file in it, or a pattern in quotes")
    if not path.exists() and not re.search(r"[*?\[]", data):
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, beside, 1)
        hint = f"; did you mean {path.with_name(near[0]).name}?" if near else ""
        raise UsageError(f"DATA: there is no file {data}{hint or '; check the path'}")


def how_to_say(client: str, data: str, sentences: Sequence[str]) -> str:
    """How the key that a sentence asks for is given to the command; empty where none does."""
    keys = re.findall(r"\b(?:columns|csv)\.[a-z_]+", " ".join(sentences))
    key = next((k for k in keys if k in SETTABLE), None)
    if key is None:
        return ""
    return (
        "Nothing is written. What the file doesn't tell, the command takes: "
        f"retention init {client} {_in_shell(data)} --set {key}=…"
    )


def _in_shell(text: str) -> str:
    return text if re.fullmatch(r"[\w./:-]+", text) else "'" + text.replace("'", "'\\''") + "'"
