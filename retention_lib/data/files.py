"""Which files a client's `source` names, and how to speak of them without giving a secret away.

A path may hold `${NAME}`, filled from the environment when the source is opened. What it is filled
with appears nowhere: a file found through it is spoken of as the client file writes it. A file that
lies elsewhere is fetched (`data.remote`), and spoken of by its address.
"""

from __future__ import annotations

import difflib
import glob
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from retention_lib.errors import DataError
from retention_lib.keys.addresses import READ, is_of_files

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

Kind = Literal["csv", "parquet", "workbook", "json"]

_KINDS: Final[dict[str, Kind]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "workbook",
    ".xlsm": "workbook",
    ".xls": "workbook",
    ".ods": "workbook",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
}
#: Kinds that are also read packed with gzip.
_PACKABLE: Final = ("csv", "json")


@dataclass(frozen=True)
class NamedFile:
    """A file of a source.

    Parameters
    ----------
    path : Path
    entry : str
        The path or pattern through which it was found, as the client file writes it.
    address : str or None
        Where it was fetched from.
    """

    path: Path
    entry: str
    address: str | None = None

    @property
    def shown(self) -> str:
        """The path as it may be printed: as written where the environment filled it."""
        place = self.address or str(self.path)
        return _printable(self.entry if _VARIABLE.search(self.entry) else place)

    @property
    def name(self) -> str:
        """The name without its folders, as it may be printed."""
        written = re.split(r"[/\\]", self.entry)[-1]
        own = re.split("/", self.address)[-1] if self.address else self.path.name
        return _printable(written if _VARIABLE.search(written) else own)


def fill_variables(text: str) -> str:
    """`${NAME}` filled from the environment.

    Raises
    ------
    DataError
        A name that the environment doesn't have.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise DataError(
                f"source: ${{{name}}} isn't set in the environment; set it before the run, "
                f"for instance with: export {name}=…"
            )
        return os.environ[name]

    return _VARIABLE.sub(value, text)


def named_files(
    source: str | Sequence[str], folder: Path, room: Callable[[], Path] | None = None
) -> tuple[NamedFile, ...]:
    """The files that `source` names, in a stable order, each once.

    Parameters
    ----------
    source : str or sequence of str
        Paths or patterns.
    folder : Path
        Where relative ones start.
    room : callable, optional
        Gives the folder for what lies elsewhere, where no run keeps it (`remote.fetch.kept_in`).

    Raises
    ------
    DataError
        A path or pattern that matches no file, a folder, a kind of file that isn't read, an unset
        variable, a file elsewhere that can't be fetched.
    """
    entries = [source] if isinstance(source, str) else list(source)
    # by path, so that a file that two entries name isn't counted twice
    files: dict[str, NamedFile] = {}
    for entry in entries:
        text = fill_variables(entry)
        if is_of_files(text):
            named = _fetched(text, entry, room)
        else:
            named = {str(path): NamedFile(path, entry) for path in _matches(text, folder)}
        for key, file in named.items():
            files.setdefault(key, file)
    found = tuple(files.values())
    for file in found:
        _check(file)
    if len({kind(file) for file in found}) > 1:
        names = ", ".join(dict.fromkeys(file.name for file in found))
        raise DataError(
            f"source: the files are of different kinds ({names}); name files of one kind"
        )
    return found


def states(source: str | Sequence[str], folder: Path) -> list[tuple[str | int, ...]]:
    """The files that `source` names, each with what changes when it does: its size, time or tag.

    Parameters
    ----------
    source, folder
        As for `named_files`. Nothing is fetched.

    Raises
    ------
    DataError
        As `named_files`.
    OSError
        A file that goes meanwhile.
    """
    found: list[tuple[str | int, ...]] = []
    for entry in [source] if isinstance(source, str) else source:
        text = fill_variables(entry)
        if is_of_files(text):
            # imported here: most clients' files lie on this machine
            from retention_lib.data.remote import fetch

            found += fetch.states(text, _shown(entry, text))
        else:
            told = ((file.path, file.path.stat()) for file in named_files(entry, folder))
            found += [(str(path.absolute()), at.st_size, at.st_mtime_ns) for path, at in told]
    return found


def lies_elsewhere(source: str | Sequence[str]) -> bool:
    """Whether a file of a source has to be fetched before it is read.

    Raises
    ------
    DataError
        An unset variable.
    """
    entries = [source] if isinstance(source, str) else source
    return any(is_of_files(fill_variables(entry)) for entry in entries)


def resolve_files(source: str | Sequence[str], folder: Path) -> tuple[Path, ...]:
    """The paths of `named_files`."""
    return tuple(file.path for file in named_files(source, folder))


def kind(file: NamedFile) -> Kind:
    """How a file is read, by its name.

    Raises
    ------
    DataError
        A name that says nothing, or a kind that isn't read.
    """
    suffixes = [suffix.lower() for suffix in file.path.suffixes]
    is_packed = suffixes[-1:] == [".gz"]
    found = _KINDS.get(suffixes[-2] if is_packed and len(suffixes) > 1 else "".join(suffixes[-1:]))
    if found is None or (is_packed and found not in _PACKABLE):
        raise DataError(
            f"source: {file.name} isn't a kind of file that is read; "
            "CSV (.csv, .tsv, .txt), JSON lines (.jsonl, .json), both also with .gz, Excel (.xlsx) "
            "and Parquet (.parquet) are"
        )
    return found


def empty(file: NamedFile) -> DataError:
    """The sentence on a file that holds nothing."""
    return DataError(f"source: {file.shown} is empty; export or fetch it again")


def _fetched(text: str, entry: str, room: Callable[[], Path] | None) -> dict[str, NamedFile]:
    # imported here: most clients' files lie on this machine
    from retention_lib.data.remote import fetch

    place = fetch.kept()
    if place is None:
        if room is None:
            raise DataError(f"source: {_shown(entry, text)} lies elsewhere; name files here")
        place = room()

    def check(name: str) -> None:
        kind(NamedFile(Path(name), entry, name))

    found = fetch.fetch(text, _shown(entry, text), place, check)
    return {one.key: NamedFile(Path(one.file), entry, one.address) for one in found}


def _shown(entry: str, text: str) -> str:
    return _printable(entry if _VARIABLE.search(entry) else text)


def _matches(text: str, folder: Path) -> list[Path]:
    if "://" in text:
        raise DataError(
            "source: an address stands among the files that is none of files; a list is of paths "
            f"and of addresses such as {READ}, and a database's address stands alone"
        )
    try:
        relative = Path(text).expanduser()
    except RuntimeError:
        raise DataError(
            f"source: there is no user {text.partition('/')[0]}; write the path without ~"
        ) from None
    path = relative if relative.is_absolute() else folder / relative
    # a file's own name may hold the signs of a pattern: orders [2024].csv
    if _exists(path):
        return [path]
    pattern = relative if relative.is_absolute() else Path(glob.escape(str(folder))) / relative
    return [Path(p) for p in sorted(glob.glob(str(pattern), recursive=True))] or [path]  # noqa: PTH207


def _check(file: NamedFile) -> None:
    path, shown = file.path, file.shown
    if path.is_dir():
        raise DataError(
            f"source: {shown} is a folder; name a file, or a pattern such as {shown}/*.csv"
        )
    if path.is_symlink() and not path.exists():
        raise DataError(
            f"source: {shown} is a link to a file that isn't there; name the file itself"
        )
    if not path.exists():
        that = "that matches " if glob.has_magic(file.entry) else ""
        raise DataError(f"source: there is no file {that}{shown}{_hint(file)}")
    if not path.is_file():
        raise DataError(f"source: {shown} is no file; save the orders as one, and name that")
    if not os.access(path, os.R_OK):
        raise DataError(
            f"source: {shown} can't be read; its permissions don't allow it: change them, or copy "
            "the file"
        )
    if path.name.startswith("~$"):
        raise DataError(
            f"source: {shown} is the mark of a workbook that is open in Excel; close it there"
        )
    if path.stat().st_size == 0:
        raise empty(file)
    kind(file)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # a name that no file can have
        reason = (error.strerror or type(error).__name__).lower()
        raise DataError(
            f"source: {_printable(path.name[:40])}… can't be a file: {reason}; name the order "
            "export"
        ) from None


def _printable(name: str) -> str:
    """A name that moves no cursor, ends no line and can be written in any encoding of Unicode."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name)


def _hint(file: NamedFile) -> str:
    path = file.path
    # a name close to a secret says too much of it
    if file.name == path.name and path.parent.is_dir():
        beside = [p.name for p in path.parent.glob("*")]
        if near := difflib.get_close_matches(path.name, beside, 1):
            return f"; did you mean {near[0]}?"
    return "; paths are relative to the client file"
