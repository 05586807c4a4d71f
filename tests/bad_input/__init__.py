"""Inputs that are broken, or odd: how each is made, and what its consultant has to be told."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

HEADER = "kunde;dato;sum\n"
ROW = "anna;2024-01-01;5\n"
TWO = HEADER + "Åse;31.12.2024;1 234,50\nbo;30.12.2024;7,50\n"
COLUMNS = {"customer": "kunde", "date": "dato", "amount": "sum"}

#: What stands in no output: in addresses, in the environment, in the names of folders.
SECRET = "Tr0ub4dor-Pa55"

Content = bytes | str | Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """An input, and what has to come of it.

    Parameters
    ----------
    files : mapping
        Name → content; a callable is given the path and makes what lies there.
    says : tuple of str
        Words of the sentences on standard error, or on standard output where the code is 0.
    given : mapping
        Keys of the client file beside or instead of the usual ones; None takes a key out.
    code : int
        What the command ends with.
    lines : int
        Sentences on standard error.
    never : tuple of str
        What is in no output.
    env : mapping
        Of the environment; `{folder}` is the folder of the files.
    client : str or bytes, optional
        The client file's whole content.
    xfail : str
        Why the case can't pass yet.
    """

    files: Mapping[str, Content]
    says: tuple[str, ...]
    given: Mapping[str, Any] = field(default_factory=dict)
    code: int = 3
    lines: int = 1
    never: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    client: str | bytes | None = None
    xfail: str = ""

    def make(self, folder: Path) -> Path:
        """The files of the case in a folder; its client file is returned."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if callable(content):
                content(path)
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        values = {
            **{"client": "acme", "currency": "NOK", "source": "o.csv", "columns": COLUMNS},
            **self.given,
        }
        text = self.client
        if text is None:
            text = yaml.safe_dump({k: v for k, v in values.items() if v is not None})
        file = folder / "acme.yaml"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def environment(self, folder: Path) -> dict[str, str]:
        return {name: value.replace("{folder}", str(folder)) for name, value in self.env.items()}


def refused(content: Content, *says: str, name: str = "o.csv", **more: Any) -> Case:
    """A file that can't be used: exit 3, one sentence with these words."""
    given = {"source": name, **more.pop("given", {})}
    return Case({name: content}, says, given, **more)


def read(content: Content, *says: str, name: str = "o.csv", **more: Any) -> Case:
    """A file that is odd, and read: exit 0, and these words on standard output."""
    return refused(content, *says, name=name, code=0, lines=0, **more)


def rows(*lines: str, header: str = HEADER) -> str:
    """Lines of a text file under the usual header."""
    return header + "".join(f"{line}\n" for line in lines)


def snapshot(folder: Path) -> dict[str, tuple[str, bytes]]:
    """Everything in a folder: where links point to, and what files hold."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path)] = ("link", os.fsencode(path.readlink()))
        elif path.is_file() and os.access(path, os.R_OK):
            found[str(path)] = ("file", path.read_bytes())
        else:
            found[str(path)] = ("other", oct(path.stat().st_mode).encode())
    return found
