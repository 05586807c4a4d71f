"""What is derived from the code, and whether it still agrees with it.

From the client file's model: the `parameters` cell of every notebook, the JSON Schema that editors
use, and the reference table in the docs. From the rules of advice: their tables in the docs. From
the definitions that the report prints: their table in the docs.
`python -m retention_lib.derived` (or `make derived`) writes them anew.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from retention_lib.errors import UsageError
from retention_lib.keys.refusals import (
    allowed_phrase,
    choices,
    holds_named,
    is_model,
    nested_model,
    types_within,
)
from retention_lib.markdown import table
from retention_lib.params import Params

SCHEMA = Path("params/retention.schema.json")
DOCS = Path("docs/client-file.md")
ADVICE = Path("docs/advice.md")
METHOD = Path("docs/method.md")
LANGUAGES = Path("docs/languages.md")
START, END = "<!-- reference:start -->", "<!-- reference:end -->"
REMEDY = "run `make derived`"


# The notebooks' parameters cell --------------------------------------------------------------


def parameters_cell() -> str:
    """The source of a notebook's cell tagged `parameters`, one line a key.

    papermill finds parameters line by line with a pattern (`papermill.translators`): a type of one
    plain word, one equals sign, no number sign before the help.
    """
    lines = ["# One client's parameters; None where the client file leaves a key out."]
    for name, field in Params.model_fields.items():
        words = choices(field)
        meaning = f"{field.description}: {', '.join(words)}" if words else field.description
        lines.append(f"{name}: {_word(field)} = {_literal(field)}  # {meaning}")
    return "\n".join(lines)


_WORDS = {Literal: "str", dt.date: "str"} | {t: t.__name__ for t in (str, int, float, bool)}
_WORDS |= {list: "list", dict: "dict"}


def _word(field: FieldInfo) -> str:
    """The Python type of a field in one plain word."""
    kinds = (get_origin(kind) or kind for kind in types_within(field.annotation))
    return next(_WORDS.get(k, "dict") for k in kinds if k in _WORDS or is_model(k))


def _literal(field: FieldInfo) -> str:
    """A field's default as Python and as ruff writes it; None for a required key."""
    default = _default(field)
    if default is None or isinstance(default, bool):
        return repr(default)
    return json.dumps(default)


def _default(field: FieldInfo) -> Any:
    if field.is_required():
        return None
    default = field.default
    return default.model_dump(exclude_none=True) if isinstance(default, BaseModel) else default


# The JSON Schema -----------------------------------------------------------------------------


def json_schema() -> dict[str, Any]:
    """The client file as JSON Schema, draft 2020-12.

    Checks between two keys that editors can show are in it: columns are needed unless the source
    is built in, a table where it is a database, and one way to the amount.
    """
    schema = _untitled(Params.model_json_schema())
    for name, field in Params.model_fields.items():
        if not field.is_required():
            schema["properties"][name]["default"] = _default(field)
    del schema["properties"]["title"]["default"]  # it is the client key
    columns = schema["$defs"]["Columns"]
    columns["oneOf"] = [
        {"required": ["amount"], "not": {"anyOf": [_needs("quantity"), _needs("unit_price")]}},
        {"required": ["quantity", "unit_price"], "not": _needs("amount")},
    ]
    schema["allOf"] = [
        {"if": _source_matches("^builtin:"), "else": {"required": ["columns"]}},
        {"if": _source_matches("://"), "then": {"required": ["table"]}},
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Client file",
        "description": "One client's parameters for retention reports.",
    }


def _needs(key: str) -> dict[str, Any]:
    return {"required": [key]}


def _source_matches(pattern: str) -> dict[str, Any]:
    source = {"type": "string", "pattern": pattern}
    return {"properties": {"source": source}, "required": ["source"]}


def _untitled(node: Any, names: bool = False) -> Any:
    """A schema without pydantic's titles, which repeat the keys; `names` marks a map of keys."""
    if isinstance(node, dict):
        if "patternProperties" in node:  # no key but those that fit the pattern
            node = {**node, "additionalProperties": False}
        return {
            key: _untitled(inner, names=key in ("properties", "$defs") and not names)
            for key, inner in node.items()
            if names or key != "title"
        }
    return [_untitled(item) for item in node] if isinstance(node, list) else node


# The reference table -------------------------------------------------------------------------


def reference_table() -> str:
    """The keys as a Markdown table: key, type, default, meaning."""
    return table(("key", "type", "default", "meaning"), _rows(Params, ""))


def _rows(model: type[BaseModel], above: str) -> Iterator[tuple[str, str, str, str]]:
    for name, field in model.model_fields.items():
        default = _default(field)
        shown = "required" if field.is_required() else "" if default is None else _yaml(default)
        yield f"`{above}{name}`", allowed_phrase(field), shown, f"{field.description}"
        if inner := nested_model(field):
            named = "<name>." if holds_named(field) else ""
            yield from _rows(inner, f"{above}{name}.{named}")


def _yaml(default: Any) -> str:
    """A default as YAML has it, on one line."""
    if isinstance(default, str):
        return f"`{default}`"
    return f"`{json.dumps(default).replace(chr(34), '')}`"


# Writing and checking ------------------------------------------------------------------------


@dataclass(frozen=True)
class Derived:
    """A file that holds something derived: `make` gives its text as it should be."""

    path: Path
    what: str
    make: Callable[[], str]


def derived_files(root: Path) -> list[Derived]:
    """Every file under the project's folder `root` that holds something derived."""
    from retention_lib.advice.reference import advice_tables
    from retention_lib.catalogs import (
        TEMPLATE,
        collected,
        glossary_table,
        written,
    )
    from retention_lib.languages import SOURCE, catalog_file, languages
    from retention_lib.report.reference import definitions_table

    notebooks = sorted((root / "notebooks").glob("[0-9]*.ipynb"))
    return [
        Derived(root / SCHEMA, "the JSON Schema", _schema_text),
        *(
            Derived(root / page, what, partial(_with_block, root / page, make))
            for page, what, make in (
                (DOCS, "the reference table", reference_table),
                (ADVICE, "the tables of rules and thresholds", advice_tables),
                (METHOD, "the table of definitions", definitions_table),
                (LANGUAGES, "the glossary", glossary_table),
            )
        ),
        Derived(TEMPLATE, "the template of the catalogs", lambda: written(collected())),
        *(
            Derived(catalog_file(one), f"the messages of {one}", partial(_catalog, one))
            for one in languages()
            if one != SOURCE and catalog_file(one).exists()
        ),
        *(Derived(n, "the cell tagged `parameters`", partial(_with_cell, n)) for n in notebooks),
    ]


def write_all(root: Path) -> list[Path]:
    """Write all that is derived.

    Returns
    -------
    list of Path
        The files that changed.

    Raises
    ------
    UsageError
        A notebook without a cell tagged `parameters`, a docs page without its markers.
    """
    changed = []
    for derived in derived_files(root):
        if _read(derived.path) != (text := derived.make()):
            # whole or not at all: a catalog that is read half written would lose translations
            draft = derived.path.with_name(f".{derived.path.name}.{os.getpid()}")
            draft.write_text(text, encoding="utf-8", newline="\n")
            draft.replace(derived.path)
            changed.append(derived.path)
    return changed


def drift(root: Path) -> list[str]:
    """A sentence for every file that doesn't agree with the model; empty where all do."""
    sentences: list[str] = []
    for derived in derived_files(root):
        try:
            agrees = _read(derived.path) == derived.make()
        except UsageError as error:
            sentences += error.sentences
            continue
        if not agrees:
            sentences.append(
                f"{derived.path}: {derived.what} differs from the code behind it; {REMEDY}."
            )
    return sentences


def _read(path: Path) -> str | None:
    # the bytes, so that a change of line ends is seen too
    return path.read_bytes().decode("utf-8") if path.exists() else None


def _catalog(language: str) -> str:
    from retention_lib.catalogs import updated, written

    return written(updated(language))


def _schema_text() -> str:
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _with_block(path: Path, make: Callable[[], str]) -> str:
    """A docs page with what stands between its markers as it should be."""
    before, start, rest = (_read(path) or "").partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise UsageError(f"{path}: found no {START} followed by {END}; put both lines back.")
    return f"{before}{START}\n{make()}\n{END}{after}"


def _with_cell(path: Path) -> str:
    """A notebook with the cell as it should be, in the form that nbformat writes."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = [c for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", [])]
    if len(cells) != 1:
        raise UsageError(f"{path}: found {len(cells)} cells tagged `parameters`; it needs one.")
    cells[0]["source"] = parameters_cell().splitlines(keepends=True)
    form: dict[str, Any] = {"indent": 1, "sort_keys": True, "separators": (",", ": ")}
    return json.dumps(notebook, ensure_ascii=False, **form) + "\n"


def main() -> int:
    """Write all that is derived and say what changed; returns the exit code."""
    try:
        for path in write_all(Path(__file__).resolve().parents[1]):
            print(f"wrote {path}")
    except UsageError as error:
        print(*error.sentences, sep="\n", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
