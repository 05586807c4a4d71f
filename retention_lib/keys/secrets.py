"""Passwords in text: found, so that none gets in, and masked, so that none gets out.

A client file says `${NAME}` where a password belongs, and the environment fills it when the source
is opened. What stands there literally would be copied into notebooks and reports.
"""

from __future__ import annotations

import re

#: What the environment fills in.
VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")

#: The clause that a literal password gets.
SECRET_FOUND = "found a literal password; write ${NAME} and set it in the environment"

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")
# an unescaped password may hold / ? # and @ itself, so the mask reaches to the last @
_USER_PART = re.compile(rf"({_SCHEME.pattern}[^\s:/@?#]*:)(.*)(@)", re.DOTALL)
_NAMES = (
    r"[a-z_-]*(?:password|passwd|passphrase|pwd|secret|token|api_?key|access_?key|private_?key"
    r"|credentials?)"
)
_SETTING = re.compile(rf"((?:^|[^a-z]){_NAMES}[a-z_-]*\s*=\s*)(\S+)", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether a key's name says that its value is a password."""
    return re.fullmatch(_NAMES, name, re.IGNORECASE) is not None


def masked(text: str) -> str:
    """`text` with `***` for the passwords in it; rather too much than a part."""
    text = _USER_PART.sub(lambda m: m[1] + _unless_variable(m[2]) + m[3], text)
    return _SETTING.sub(lambda m: m[1] + _unless_variable(m[2]), text)


def holds_secret(text: str, settings: bool = False) -> bool:
    """Whether a password stands literally in `text`.

    Parameters
    ----------
    text : str
    settings : bool
        Look also for `password=…` and its kin; not in a query, where that may be a condition.
    """
    if any(_secret_address(part) for part in _SCHEME.split(text)[1:]):
        return True
    return settings and any(
        not VARIABLE.fullmatch(re.split("[&;]", value)[0]) for _, value in _SETTING.findall(text)
    )


def _unless_variable(secret: str) -> str:
    return secret if VARIABLE.fullmatch(secret) else "***"


def _secret_address(address: str) -> bool:
    """Whether an address, its scheme cut off, has a literal password."""
    host, rest = re.fullmatch(r"([^/?#]*)(.*)", address, re.DOTALL).groups()  # type: ignore[union-attr]
    user, at, _ = host.rpartition("@")
    if at:
        password = user.partition(":")[2]
        return bool(password) and not VARIABLE.fullmatch(password)
    # no @ where it belongs: a password with an unescaped / ? or # has pushed it back
    port = host.partition(":")[2]
    is_port = port.isdigit() or VARIABLE.fullmatch(port)
    return bool(port) and "@" in rest and (not is_port or "@" in re.split("[?#]", rest)[0])
