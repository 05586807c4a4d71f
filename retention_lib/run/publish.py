"""Writing a client file: one that reads back, all at once, and never over another."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from retention_lib.errors import ClientFileError, UsageError
from retention_lib.params import read_client_file


def write(target: Path, text: str) -> None:
    """Write a client file.

    Nothing is left where it can't be written, or where it wouldn't be read.

    Raises
    ------
    UsageError
        A file that is there already, a folder that can't be written to, a path that isn't UTF-8.
    ClientFileError
        A text that is no client file.
    """
    shown = f"{target.parent.name}/{target.name}"
    _check(text, target.name)
    is_new = not target.parent.exists()
    draft = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        draft.write_text(text, encoding="utf-8", newline="\n")
        _publish(draft, target, text)
    except FileExistsError:
        found = "is there already" if target.parent.is_dir() else "can't be made: a file is there"
        what = shown if target.parent.is_dir() else f"the folder {target.parent.name}"
        raise UsageError(f"{what} {found}; it stays as it is") from None
    except OSError as error:
        raise UsageError(f"{shown} can't be written ({error.strerror})") from None
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)
        if is_new and target.parent.is_dir() and not any(target.parent.iterdir()):
            target.parent.rmdir()


def _check(text: str, name: str) -> None:
    """The text reads as a client file, before it stands where one is looked for."""
    with tempfile.TemporaryDirectory(prefix="retention-") as folder:
        file = Path(folder) / name
        try:
            file.write_text(text, encoding="utf-8", newline="\n")
        except UnicodeEncodeError:
            raise UsageError("DATA: the path or a column isn't valid text; rename it") from None
        try:
            read_client_file(file)
        except ClientFileError as error:
            told = (sentence.replace(str(file), "the proposal") for sentence in error.sentences)
            raise ClientFileError(*told) from None


def _publish(draft: Path, target: Path, text: str) -> None:
    """Move a whole file to where none is."""
    try:
        os.link(draft, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        with target.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
