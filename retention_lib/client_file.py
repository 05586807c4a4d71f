"""Reading a client file: YAML with the lines that its keys stand on, and what is wrong with it.

Values are read as papermill reads them, by YAML 1.1 with dates left as text, so that
`retention report` and plain papermill see the same. What YAML takes in silence is refused: a key
that stands twice, a key that isn't text, a number such as 010 that means 8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from retention_lib.errors import ClientFileError
from retention_lib.keys.findings import Finding, Key, Place
from retention_lib.keys.secrets import is_secret_name

_TEXT = "tag:yaml.org,2002:str"
_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class Document:
    """A client file as read: its values, the place of each, and what YAML alone would let pass."""

    values: dict[str, Any]
    places: Mapping[Key, Place]
    findings: tuple[Finding, ...]


def read_document(path: Path) -> Document:
    """Read a client file.

    Raises
    ------
    ClientFileError
        A file that can't be read, isn't UTF-8 or isn't a YAML mapping.
    """
    text = _read_text(path)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise _refusal(path, "the file is empty; it needs at least client, source and currency")
        if not isinstance(node, yaml.MappingNode):
            raise _refusal(
                path,
                "found no keys; allowed are lines such as `client: acme`, with a space after the "
                "colon",
                node.start_mark.line,
            )
        places: dict[Key, Place] = {}
        findings = tuple(_walk(node, (), places, ()))
        return Document(loader.construct_document(node), places, findings)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(path, error) from None
    except ValueError:  # Python reads no whole number of more than 4,300 digits
        raise _refusal(path, "found a number that is too long; put it in quotes") from None
    except RecursionError:
        raise _refusal(path, "the values are nested too deeply; write them flatter") from None
    finally:
        loader.dispose()


def _refusal(path: Path, clause: str, line: int | None = None) -> ClientFileError:
    """One sentence about the whole file; `line` counts from 0."""
    return ClientFileError(
        Finding((), clause, None if line is None else line + 1).sentence(str(path))
    )


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise _refusal(path, "there is no such file; check the path") from None
    except IsADirectoryError:
        raise _refusal(path, "this is a folder; name a client file in it") from None
    except PermissionError:
        what = "is a folder" if path.is_dir() else "can't be read for lack of permission"
        raise _refusal(path, f"the file {what}; name a client file that you may read") from None
    except OSError as error:
        raise _refusal(path, f"the file can't be read ({error.strerror}); check the path") from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refusal(
            path,
            f"found the byte 0x{data[error.start]:02X}, which isn't UTF-8; save the file as UTF-8",
            data[: error.start].count(b"\n"),
        ) from None
    if bad := yaml.reader.Reader.NON_PRINTABLE.search(text):
        raise _refusal(
            path,
            f"found the control character U+{ord(bad[0]):04X}; delete it",
            text[: bad.start()].count("\n"),
        )
    return text


# YAML ----------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML 1.1 with dates left as text, as papermill reads it."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way to say it
        first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith(":timestamp")]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_RESOLVER = _Loader("")


def _walk(
    node: yaml.Node, key: Key, places: dict[Key, Place], above: tuple[int, ...]
) -> Iterator[Finding]:
    """Note the place of every value below `node` and yield what YAML alone would let pass."""
    if id(node) in above:
        raise yaml.MarkedYAMLError(
            problem="a value that contains itself", problem_mark=node.start_mark
        )
    above = (*above, id(node))
    if isinstance(node, yaml.MappingNode):
        yield from _walk_mapping(node, key, places, above)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            places[(*key, number)] = _place(item, item)
            yield from _walk(item, (*key, number), places, above)
    yield from _misread(node, key)


def _misread(node: yaml.Node, key: Key) -> Iterator[Finding]:
    """A value that YAML reads as another than stands there: a forced type, 010, 1:30."""
    line = node.start_mark.line + 1
    plain = not isinstance(node, yaml.ScalarNode) or node.style is None
    usual = _RESOLVER.resolve(type(node), node.value, (plain, not plain))
    if node.tag not in (usual, _TEXT):
        yield Finding(key, "found a value that starts with !; put the text in quotes", line)
        node.tag = usual
    if not isinstance(node, yaml.ScalarNode):
        return
    octal = node.tag == _INT and not re.fullmatch(r"[-+]?(0|[1-9][0-9_]*)", node.value)
    if octal or (node.tag == _FLOAT and ":" in node.value):
        number = _Loader("").construct_object(node)
        secret = any(is_secret_name(str(part)) for part in key)
        found = "a number" if secret else f"{node.value}, which YAML reads as {number}"
        yield Finding(
            key,
            f"found {found}; write the number plainly, or in quotes where text is meant",
            line,
        )


def _walk_mapping(
    node: yaml.MappingNode, key: Key, places: dict[Key, Place], above: tuple[int, ...]
) -> Iterator[Finding]:
    first_line: dict[str, int] = {}
    kept = []
    for name, value in node.value:
        line = name.start_mark.line + 1
        if name.tag == _MERGE:
            merged: dict[Key, Place] = {}
            parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for part in parts:
                yield from _walk(part, key, merged, above)
            places.update({k: v for k, v in merged.items() if k not in places})
            kept.append((name, value))
            continue
        if not isinstance(name, yaml.ScalarNode):
            yield Finding(key, "found braces or brackets as a key; put the text in quotes", line)
            continue
        if name.tag != _TEXT:
            yield Finding((*key, name.value), "this key isn't text to YAML; put it in quotes", line)
            name.tag = _TEXT
        inner = (*key, name.value)
        if name.value in first_line:
            yield Finding(
                inner,
                f"the key stands twice, on lines {first_line[name.value]} and {line}; keep one",
                line,
            )
        first_line.setdefault(name.value, line)
        places[inner] = _place(name, value)
        kept.append((name, value))
        yield from _walk(value, inner, places, above)
    node.value = kept


def _place(start: yaml.Node, value: yaml.Node) -> Place:
    bare = isinstance(value, yaml.ScalarNode) and value.style is None
    return Place(start.start_mark.line + 1, value.value if bare else None)


#: What PyYAML says, and what a person can do about it. PyYAML's own words may quote the file.
_SYNTAX = (
    (r"escape character", "a backslash in double quotes; use single quotes or forward slashes"),
    (r"character '\\t'", "a tab; indent with spaces"),
    (r"cannot start any token", "a value that starts with a special sign; put the text in quotes"),
    (
        r"mapping values are not",
        "a colon that isn't expected; put text with a colon in quotes, and "
        "start each key in the same column",
    ),
    (r"quoted scalar", "a quote that is never closed; close it"),
    (
        r"flow (sequence|mapping|node)",
        "a bracket that is never closed, or a comma that is missing; close "
        "it, and put text with # in quotes",
    ),
    (r"node content", "a value that starts with a special sign; put the text in quotes"),
    (
        r"undefined alias|anchor",
        "a value that starts with * or & but isn't an alias; put it in quotes",
    ),
    (r"tag", "a value that starts with !; put the text in quotes"),
    (r"another document", "a second document after ---; write one file per client"),
    (r"could not find expected ':'", "a line without its colon; write it as `key: value`"),
    (r"contains itself", "a value that contains itself; write it out"),
)


def _syntax_error(path: Path, error: yaml.MarkedYAMLError) -> ClientFileError:
    said = f"{error.context or ''} {error.problem or ''}"
    what = next(
        (words for pattern, words in _SYNTAX if re.search(pattern, said)),
        "something that isn't YAML; check indentation, colons, quotes and brackets",
    )
    opened = "quoted scalar" in said or "flow " in said
    mark = (error.context_mark if opened and "escape" not in said else None) or error.problem_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}, " if mark else ""
    return ClientFileError(f"{path}, {place}".removesuffix(", ") + f": found {what}.")
