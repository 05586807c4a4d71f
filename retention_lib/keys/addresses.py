"""Addresses of files that lie elsewhere: which are read, and what none of them may hold.

Only stores that hold files and nothing else are read. What runs a program on the way, reaches other
machines of the network or unpacks one address out of another (`ssh://`, `https://`, `a::b`) is
refused: a client file comes from others, and reading it must reach no further than its orders.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Kind:
    """A kind of store.

    Parameters
    ----------
    name : str
        For people.
    extra : str
        The extra of this project that brings what it needs; empty where nothing is needed.
    credentials : str
        The environment variables that hold what opens it, in words; empty where nothing does.
    """

    name: str
    extra: str = ""
    credentials: str = ""


_S3: Final = Kind(
    "S3", "s3", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, in the environment"
)
_GS: Final = Kind("Google Cloud Storage", "gs", "GOOGLE_APPLICATION_CREDENTIALS in the environment")
_ABFS: Final = Kind(
    "Azure Storage",
    "abfs",
    "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_CONNECTION_STRING, "
    "in the environment",
)
_STORES: Final = {
    **{"s3": _S3, "s3a": _S3, "gs": _GS, "gcs": _GS},
    **{"abfs": _ABFS, "abfss": _ABFS, "az": _ABFS},
    "file": Kind("this machine"),
}
#: The addresses that are read, as sentences name them.
READ: Final = "s3://, gs:// or abfs://"
#: Addresses of files all the same, not of databases.
_NOT_READ: Final = frozenset(
    [
        "http",
        "https",
        "ftp",
        "ftps",
        "sftp",
        "ssh",
        "scp",
        "smb",
        "webdav",
        "hdfs",
        "webhdfs",
        "dbfs",
        "adl",
        "wasb",
        "wasbs",
        "s3n",
        "oss",
        "oci",
        "tos",
        "hf",
        "github",
        "gist",
        "git",
        "jupyter",
        "jlab",
        "dask",
        "reference",
        "generic",
        "dir",
        "data",
        "memory",
        "local",
        "root",
        "zip",
        "tar",
        "libarchive",
        "cached",
        "simplecache",
        "filecache",
        "blockcache",
        "dropbox",
        "gdrive",
        "box",
        "lakefs",
        "dvc",
        "wandb",
    ]
)
_ADDRESS: Final = re.compile(r"([^/?#\s]*?)://(.*)", re.DOTALL)


@contextmanager
def also_read(scheme: str, kind: Kind) -> Iterator[None]:
    """Have a further kind of address read for a while, such as one that only a test has."""
    _STORES[scheme] = kind
    try:
        yield
    finally:
        del _STORES[scheme]


def scheme_of(address: str) -> str:
    """What stands before `://`, in small letters; empty where nothing does."""
    found = _ADDRESS.match(address)
    return found[1].lower() if found else ""


def is_of_files(address: str) -> bool:
    """Whether an address is of files, be it read or not; a database's isn't, nor is a path."""
    scheme = scheme_of(address)
    return bool(scheme) and (scheme in _STORES or scheme in _NOT_READ or "::" in scheme)


def kind_of(address: str) -> Kind:
    """The kind of store that an address without a `fault` is of."""
    return _STORES[scheme_of(address)]


def near_store(scheme: str) -> str | None:
    """The kind of address that was likely meant by one that nobody knows, such as `s4`."""
    least = 0.5 if len(scheme) <= 2 else 0.7
    return next(iter(difflib.get_close_matches(scheme, _STORES, 1, least)), None)


def is_unread(address: str) -> bool:
    """Whether an address of files is of a kind that isn't read."""
    return "::" not in address and scheme_of(address) not in _STORES


def fault(address: str) -> str | None:
    """Why an address of files isn't read, as a clause that repeats no secret; None where it is."""
    scheme = scheme_of(address)
    if "::" in address:
        return "addresses that are chained with :: aren't read; name the file itself"
    if scheme not in _STORES:
        return f"{scheme}:// isn't read, only a path, {READ}; fetch the file first"
    kind = _STORES[scheme]
    place = address.partition("://")[2]
    host = re.split(r"[/?#]", place, maxsplit=1)[0]
    user, at, _ = host.rpartition("@")
    # abfs://container@account names no user
    is_container = kind is _ABFS and bool(user) and ":" not in host
    if ":" in host or (at and not is_container) or re.search(r"[?&][\w.-]+=", place):
        where = f"; what opens the store is taken from {kind.credentials}" * bool(kind.credentials)
        return (
            f"an address of {scheme}:// holds no user, password, port or setting such as ?name=…"
            f"{where}"
        )
    if scheme == "file" and not place.startswith("/"):
        return "an address of file:// holds the whole path, as in file:///data/orders.csv"
    if scheme != "file" and not host:
        return f"{scheme}:// is followed by the bucket or container and the file's path in it"
    return None
