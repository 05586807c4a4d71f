"""Customers' ids as keyed pseudonyms, for a report that goes out by mail.

HMAC-SHA256 (RFC 2104) of the id under a secret key: the same customer has the same pseudonym in
every report of the same consultant, and nobody without the key can find the id by trying all of
them. The key comes from the environment or from a file outside the reports, made on first use and
readable by its owner only. A key that could be guessed is refused: it would hide nothing.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from retention_lib.errors import UsageError

#: Environment variable with the key, for machines that keep secrets there.
VARIABLE: Final = "RETENTION_PSEUDONYM_KEY"

#: Characters of a key, at least.
SHORTEST: Final = 16

#: Of base 32: 40 bits, so that equal pseudonyms are rare below a million customers.
_LETTERS: Final = 8


def pseudonyms(client: str) -> Callable[[str], str]:
    """The function from a client's customer ids to pseudonyms such as `C-7QK2MZ5P`.

    Parameters
    ----------
    client : str
        Part of what is hashed: the same person has other pseudonyms at other clients.

    Raises
    ------
    UsageError
        A key that is too short, or a key file that can neither be read nor made.
    """
    key = _key()

    def pseudonym(customer: str) -> str:
        digest = hmac.new(
            key, f"{client}\0{customer}".encode(errors="surrogatepass"), hashlib.sha256
        ).digest()
        return "C-" + base64.b32encode(digest).decode("ascii")[:_LETTERS]

    return pseudonym


def key_mark() -> str:
    """What tells two machines whether they have the same key, and nothing of the key."""
    return hmac.new(_key(), b"which key is it?", hashlib.sha256).hexdigest()


def key_file() -> Path:
    """Where the key is kept: the user's own configuration folder."""
    if sys.platform == "win32":
        folder = Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming"))
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return folder / "retention" / "pseudonym.key"


def _key() -> bytes:
    if given := os.environ.get(VARIABLE):
        return _long_enough(given.strip().encode(), VARIABLE)
    file = key_file()
    try:
        if not file.exists():
            _make(file)
        if os.name == "posix" and file.stat().st_mode & 0o077:
            file.chmod(0o600)
        return _long_enough(file.read_bytes().strip(), str(file))
    except OSError as error:
        raise UsageError(
            f"pseudonymise: the key {file} can't be read or made ({error.strerror or error}); mend "
            f"that, or set {VARIABLE}"
        ) from None


def _make(file: Path) -> None:
    """Make the key, whole under another name and linked: two first runs at once agree on one."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()


def _long_enough(key: bytes, place: str) -> bytes:
    if len(key) < SHORTEST:
        raise UsageError(
            f"pseudonymise: the key in {place} has {len(key)} characters and could be guessed; it "
            f"needs {SHORTEST} or more, such as: openssl rand -hex 32"
        )
    return key
