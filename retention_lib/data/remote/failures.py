"""What stores and their packages raise, as the end of a sentence that names the remedy.

The packages are known by the names of what they raise: none of them is imported where it isn't
installed, and none has to be for a sentence on another.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Final

from retention_lib.keys.addresses import Kind
from retention_lib.keys.secrets import masked

_NO_CREDENTIALS: Final = {
    # botocore, google-auth, azure-identity
    *("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"),
    *("ProfileNotFound", "TokenRetrievalError", "UnauthorizedSSOTokenError", "SSOTokenLoadError"),
    *("DefaultCredentialsError", "RefreshError", "CredentialUnavailableError"),
}
_NETWORK: Final = {
    # botocore, aiohttp, requests, azure-core, fsspec, and Python's own
    *("HTTPClientError", "EndpointConnectionError", "ConnectionError", "ClientConnectionError"),
    *("ClientConnectorError", "ServerDisconnectedError", "Timeout", "TransportError"),
    *("ServiceRequestError", "ServiceResponseError", "FSTimeoutError", "TimeoutError", "gaierror"),
}
#: How adlfs and azure-identity say that there are none.
_NONE_FOUND: Final = ("connection_string or account_name", "failed to retrieve a token")
#: A key or signature that is none, as stores say it.
_REJECTED: Final = {"ClientAuthenticationError", "InvalidAccessKeyId"}


def missing_package(kind: Kind) -> str:
    """What a kind of store needs."""
    return (
        f"{kind.name} needs a package that isn't installed; install this project with its extra: "
        f"pip install -e '.[{kind.extra}]'"
    )


def is_missing(error: BaseException) -> bool:
    """Whether what was asked for isn't there."""
    return any(
        isinstance(one, FileNotFoundError) or "ResourceNotFoundError" in _names(one)
        for one in _chain(error)
    )


def why(error: BaseException, kind: Kind) -> str:
    """Why a store didn't do what it was asked for, and what can be done.

    Parameters
    ----------
    error : Exception
        What its package raised.
    kind : Kind
        Of the store.

    Returns
    -------
    str
        A clause, without a secret.
    """
    names = {name for one in _chain(error) for name in _names(one)}
    statuses = {_status(one) for one in _chain(error)}
    text = str(error)
    where = f"; {kind.name} is opened with {kind.credentials}" if kind.credentials else ""
    if is_missing(error):
        return "there is no such file, or no such bucket or container; check the address"
    is_none_found = any(one in text for one in _NONE_FOUND)
    if names & _NO_CREDENTIALS or 401 in statuses or is_none_found:
        return f"no valid credentials are found{where}"
    if (
        isinstance(error, PermissionError)
        or names & _REJECTED
        or 403 in statuses
        or (text.startswith("Forbidden"))
    ):
        return f"access is denied{where}" if where else "its permissions don't allow it"
    if names & _NETWORK:
        return "the store can't be reached; check the network and try again"
    if any(getattr(one, "errno", None) == errno.ENOSPC for one in _chain(error)):
        return "there is no room left for it; make some in the folder that TMPDIR names"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = lines[0] if lines else type(error).__name__
    return f"{kind.name} says: {masked(said)[:300].rstrip('.')}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those that it was raised from."""
    one: BaseException | None = error
    for _ in range(10):
        if one is None:
            return
        yield one
        one = one.__cause__


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _status(error: BaseException) -> int | None:
    """The status of an HTTP answer, where the error has one."""
    for name in ("status_code", "code", "status"):
        found = getattr(error, name, None)
        if isinstance(found, int | str) and str(found).isdecimal():
            return int(found)
    return None
