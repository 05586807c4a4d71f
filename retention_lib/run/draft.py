"""A proposed client file as text: short, commented, and read back as it was meant.

A name that a column has in the file can be anything: it is quoted wherever YAML would read it
otherwise, and a comment never runs over its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import yaml

#: Text that needs no quotes: words of letters, digits and a few signs.
_PLAIN = re.compile(r"[^\W\d_][\w./-]*(?: [\w./-]+)*")
_WIDTH = 100


@dataclass(frozen=True)
class Draft:
    """What a client file is to say.

    Attributes
    ----------
    source : str or list of str
    columns, csv : mapping
        As in the client file.
    guests : mapping
        Id → why it is likely nobody in particular.
    currencies : sequence of str
        Foreign ones in the data, which need a rate.
    why : mapping
        Key, such as `currency` or `columns.amount` → comment.
    deduplicate : bool
        Whether copies are dropped; `copies` is a comment on them where they are not.
    """

    client: str
    title: str
    language: str
    currency: str
    timezone: str
    source: str
    columns: Mapping[str, str]
    csv: Mapping[str, str]
    guests: Mapping[str, str] = field(default_factory=dict)
    currencies: Sequence[str] = ()
    why: Mapping[str, str] = field(default_factory=dict)
    deduplicate: bool = False
    copies: str = ""


def text_of(draft: Draft) -> str:
    """The client file's text."""
    lines = [
        "# yaml-language-server: $schema=retention.schema.json",
        "# Proposed by `retention init`: change what isn't right. Every key: docs/client-file.md",
    ]
    lines += [
        _line(f"{key}: {scalar(getattr(draft, key))}", draft.why.get(key, ""))
        for key in ("client", "title", "language", "currency", "timezone", "source")
    ]
    lines.append("columns: # our name for it: its name in the file")
    lines += _mapping("columns", draft.columns, draft.why)
    if draft.csv:
        lines.append("csv: # as understood, so that a file in another format is noticed")
        lines += _mapping("csv", draft.csv, draft.why)
    if draft.guests:
        lines.append("guest_ids: # nobody in particular; delete a line where it is a customer")
        lines += [_line(f"  - {quoted(i)}", why) for i, why in draft.guests.items()]
    if draft.deduplicate:
        lines.append(_line("deduplicate: exact", draft.copies))
    elif draft.copies:
        lines.append(_line("# deduplicate: exact", draft.copies))
    if draft.currencies:
        rates = ", ".join(f"{code}: 1.0" for code in draft.currencies)
        why = f"write what one unit is worth in {draft.currency}, without the first #"
        lines.append(_line(f"# fx: {{{rates}}}", why))
    lines.append("# margin: 0.45 # share of revenue; without it, lifetime value is in revenue")
    return "\n".join(lines) + "\n"


def _mapping(key: str, values: Mapping[str, str], why: Mapping[str, str]) -> list[str]:
    return [
        _line(f"  {name}: {scalar(value)}", why.get(f"{key}.{name}", ""))
        for name, value in values.items()
    ]


def _line(text: str, comment: str) -> str:
    """A line with its comment; one that is too long for it has it above."""
    if not comment:
        return text
    comment = escaped(comment)
    if len(text) + len(comment) + 3 <= _WIDTH:
        return f"{text} # {comment}"
    indent = text[: len(text) - len(text.lstrip())]
    return f"{indent}# {comment}\n{text}"


def scalar(text: str) -> str:
    """Text as YAML, in quotes only where it needs them."""
    if _PLAIN.fullmatch(text) and text.isprintable() and yaml.safe_load(text) == text:
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """Text in double quotes, as YAML reads it back unchanged."""
    return '"' + escaped(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def escaped(text: str) -> str:
    r"""Text on one line: what can't be printed is written as \x, \u or \U."""
    return "".join(c if c.isprintable() else _escape(ord(c)) for c in text)


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
