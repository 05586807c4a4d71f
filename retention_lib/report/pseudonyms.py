"""Customers' ids as keyed pseudonyms, for a report that goes out by mail.

HMAC-SHA256 (RFC 2104) of the id under a secret key: the same customer has the same pseudonym in
every report of the same consultant, and nobody without the key can find the id by trying all of
them. The key comes from the environment or from a file outside the reports, made on first use.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

#: Environment variable with the key, for machines that keep secrets there.
VARIABLE: Final = "RETENTION_PSEUDONYM_KEY"

_LETTERS: Final = (
    8  # of base 32: 40 bits, so that equal pseudonyms are rare below a million customers
)


def pseudonyms(client: str) -> Callable[[str], str]:
    """The function from a client's customer ids to pseudonyms such as `C-7QK2MZ5P`.

    Parameters
    ----------
    client : str
        Part of what is hashed: the same person has other pseudonyms at other clients.

    Raises
    ------
    OSError
        The key file can neither be read nor made.
    """
    key = _key()

    def pseudonym(customer: str) -> str:
        digest = hmac.new(key, f"{client}\0{customer}".encode(), hashlib.sha256).digest()
        return "C-" + base64.b32encode(digest).decode("ascii")[:_LETTERS]

    return pseudonym


def key_file() -> Path:
    """Where the key is kept: the user's own configuration folder."""
    if sys.platform == "win32":
        folder = Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming"))
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return folder / "retention" / "pseudonym.key"


def _key() -> bytes:
    if given := os.environ.get(VARIABLE):
        return given.encode()
    file = key_file()
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        # made whole under another name and linked, so that two first runs at once agree on one key
        draft = file.with_name(f".{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(32))
        try:
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_bytes().strip()
