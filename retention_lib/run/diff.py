"""`retention diff`: two reports of a client compared, figures and what they were made from."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from retention_lib.data.periods import months_to
from retention_lib.errors import UsageError
from retention_lib.params import Params
from retention_lib.retention.comparison import Compared, compare
from retention_lib.run.stored import StoredReport, choose, client_folder, read

#: Keys of the client file that move on from report to report, or that no figure depends on.
_NOT_FIGURES: Final = frozenset({"client", "as_of", "title", "language", "brand", "pseudonymise"})
#: Keys that say what is read: where one of them differs, any figure may mean something else.
READING: Final = frozenset({"source", "table", "columns", "csv"})


@dataclass(frozen=True)
class Setting:
    """A key of the client file that differs.

    Parameters
    ----------
    key : str
        With dots where it is in a mapping.
    then, now : object
        None where it isn't given.
    """

    key: str
    then: Any
    now: Any


@dataclass(frozen=True)
class Diff:
    """Two reports of a client.

    Parameters
    ----------
    client : str
    then, now : StoredReport
        The earlier and the later.
    figures : tuple of Compared
        Of either report, in the order of the contract.
    settings : tuple of Setting
        What the client file says otherwise.
    model : tuple of str or None
        The two purchase models, where they differ.
    versions : mapping
        Package → the two versions, where they differ.
    """

    client: str
    then: StoredReport
    now: StoredReport
    figures: tuple[Compared, ...]
    settings: tuple[Setting, ...]
    model: tuple[str, str] | None
    versions: Mapping[str, tuple[str, str]]

    @property
    def same_data(self) -> bool:
        """Whether both reports read the same content."""
        return bool(self.then.run["data"]["sha256"] == self.now.run["data"]["sha256"])

    @property
    def shared_days(self) -> float | None:
        """Share of the later report's period that lies in the earlier one's too.

        None where the periods aren't of one length.
        """
        months = _period_months(self.now)
        if _period_months(self.then) != months:
            return None
        period = months_to(self.now.as_of, months)
        return max(0.0, ((self.then.as_of - period.start).days + 1) / period.days)


def diff(reports: Path, client: str, a: str | None = None, b: str | None = None) -> Diff:
    """Compare two reports of a client.

    Parameters
    ----------
    reports : Path
        Folder of all clients' reports.
    client : str
        Its folder's name.
    a, b : str, optional
        Days of the reports (`run.stored.choose`).

    Raises
    ------
    UsageError
        An unknown client or day, one report twice, or two currencies.
    DataError
        A report that can't be read.
    """
    folder = client_folder(reports, client)
    then, now = (read(folder / day) for day in choose(folder, (a, b)))
    if then.currency != now.currency:
        raise UsageError(
            f"{client}: the report of {then.as_of} is in {then.currency}, that of {now.as_of} in "
            f"{now.currency}, so that their amounts can't be compared; make one of them again with "
            "the other's currency (currency and fx in the client file)"
        )
    models = (then.reported.definition["model"], now.reported.definition["model"])
    return Diff(
        client,
        then,
        now,
        compare(then.reported, now.reported),
        tuple(_settings(then.run["parameters"], now.run["parameters"])),
        models if models[0] != models[1] else None,
        _versions(then.run["versions"], now.run["versions"]),
    )


def _period_months(report: StoredReport) -> int:
    default = Params.model_fields["period_months"].default
    return int(report.run["parameters"].get("period_months", default))


def _settings(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Setting]:
    """What differs, in the order of the client file's keys."""
    place = {key: n for n, key in enumerate(Params.model_fields)}
    keys = (then.keys() | now.keys()) - _NOT_FIGURES
    for key in sorted(keys, key=lambda k: (place.get(k, len(place)), k)):
        one, two = (_flat(key, given.get(key, _default(key))) for given in (then, now))
        for name in dict.fromkeys([*one, *two]):
            if one.get(name) != two.get(name):
                yield Setting(name, one.get(name), two.get(name))


def _flat(key: str, value: Any) -> dict[str, Any]:
    """A setting by its name; of a mapping its entries."""
    if not isinstance(value, Mapping):
        return {key: value}
    return {k: v for name, entry in value.items() for k, v in _flat(f"{key}.{name}", entry).items()}


def _default(key: str) -> Any:
    """What a key means that isn't given, as `run.json` would hold it."""
    if key not in Params.model_fields:
        return None
    field = Params.model_fields[key]
    default = field.get_default(call_default_factory=True)
    return None if field.is_required() else json.loads(json.dumps(default, default=_as_text))


def _as_text(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    return value.model_dump(exclude_none=True) if hasattr(value, "model_dump") else str(value)


def _versions(then: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    names = dict.fromkeys([*then, *now])
    both = {name: (then.get(name, "–"), now.get(name, "–")) for name in names}
    return {name: pair for name, pair in both.items() if pair[0] != pair[1]}
