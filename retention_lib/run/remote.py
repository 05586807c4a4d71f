"""Reports at an address: a run works in a folder here, and what it made is put there when whole.

Before a client's run the folder is given what it reads of earlier reports (`run.mirror`). After it
the report is put in its place so that a reader sees the old one or the new one, as far as a store
without folders allows: all other files first, then `report.html`, then `run.json`; a report that
is there is put back where that breaks off. The history is replaced only by one that knows what
another run added meanwhile.
"""

from __future__ import annotations

import contextlib
import glob
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from retention_lib import report_files
from retention_lib.data import history
from retention_lib.data.remote.store import Store, StoreError, open_store
from retention_lib.errors import DataError, RetentionError, UsageError
from retention_lib.keys import addresses
from retention_lib.run import index, mirror
from retention_lib.run.scratch import scratch
from retention_lib.run.stored import day_of

#: What a run reads of each earlier report; its customers are fetched when they are asked for.
_READ: Final = (report_files.METRICS, report_files.RUN, report_files.MODEL)
#: These come last, in this order: the page, and what says that the report is there.
_LAST: Final = (report_files.HTML, mirror.LAST)
_FAILED: Final = ".failed"
#: Put beside a report while it is replaced.
_FRESH: Final = ".publishing-"
_ASIDE: Final = ".replaced-"
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_TRIED: Final = ".retention-can-write"
#: After this many seconds what a killed run left beside a report is cleared away.
_OLD: Final = 86_400
#: How often another run may be faster before this one gives up.
_TRIES: Final = 5


class Reports(Protocol):
    """Where all clients' reports lie."""

    @property
    def folder(self) -> Path:
        """The folder in which a run works."""

    def fetch(self, client: str) -> None:
        """Have in the folder what a run reads of the client's earlier reports."""

    def name_all(self) -> None:
        """Have the names of all clients' reports in the folder, without what is in them."""

    def publish(self, client: str) -> tuple[str, ...]:
        """Put what a client's run left in its place; sentences on what else couldn't be done."""

    def publish_index(self) -> tuple[str, ...]:
        """Write the page of all clients anew; sentences where that can't be done."""

    def shown(self, path: Path) -> str:
        """Where a path in the folder lies for the user."""

    def told(self, sentence: str) -> str:
        """A sentence, with such paths as they lie for the user."""


@contextmanager
def opened(out: str) -> Iterator[Reports]:
    """Open the place of the reports.

    Parameters
    ----------
    out : str
        A folder, or an address such as `s3://bucket/reports`.

    Raises
    ------
    UsageError
        An address that isn't written to, or where nothing can be written.
    """
    scheme = addresses.scheme_of(out)
    if not scheme:
        yield Here(Path(out))
        return
    if not addresses.is_of_files(out):
        near = addresses.near_store(scheme)
        hint = f"; did you mean {near}://?" if near else ""
        raise UsageError(f"--out: {scheme}:// isn't a folder or {addresses.READ}{hint}")
    if fault := addresses.fault(out):
        raise UsageError(f"--out: {fault}")
    if glob.has_magic(out):
        raise UsageError(f"--out: {out} is a pattern; name one place")
    address = f"{scheme}://{out.partition('://')[2].rstrip('/')}"
    try:
        store = open_store(address)
        _try_to_write(store)
    except StoreError as error:
        raise UsageError(f"--out: nothing can be written to {address}: {error.why}") from error
    with scratch() as folder:
        yield Elsewhere(address, store, folder)


def _try_to_write(store: Store) -> None:
    """Refuse now what would be refused after the run."""
    with tempfile.TemporaryDirectory(prefix="retention-") as folder:
        file = Path(folder) / "empty"
        file.write_bytes(b"")
        store.put({store.at(_TRIED): file})
    with contextlib.suppress(StoreError):
        store.remove([store.at(_TRIED)])


@dataclass(frozen=True)
class Here:
    """Reports in a folder of this machine (`Reports`)."""

    folder: Path

    def fetch(self, client: str) -> None:
        """They are here."""

    def name_all(self) -> None:
        """They are here."""

    def publish(self, client: str) -> tuple[str, ...]:
        """They are in their place."""
        return ()

    def publish_index(self) -> tuple[str, ...]:
        """Write the page of all clients anew."""
        return index.write(self.folder)

    def shown(self, path: Path) -> str:
        """The path itself."""
        return str(path)

    def told(self, sentence: str) -> str:
        """The sentence itself."""
        return sentence


@dataclass
class _Known:
    """What is known of a client's folder since it was fetched."""

    names: frozenset[str] = frozenset()
    times: dict[str, int] = field(default_factory=dict)
    history: str | None = None


@dataclass(frozen=True)
class Elsewhere:
    """Reports at an address (`Reports`).

    Parameters
    ----------
    address : str
        Without a slash at its end.
    store : Store
    folder : Path
        The folder here in which a run works.
    """

    address: str
    store: Store
    folder: Path
    _known: dict[str, _Known] = field(default_factory=dict, repr=False)

    def shown(self, path: Path) -> str:
        """The address of a path in the folder."""
        return f"{self.address}/{path.relative_to(self.folder).as_posix()}"

    def told(self, sentence: str) -> str:
        """A sentence, with addresses for the paths in the folder."""
        return sentence.replace(str(self.folder), self.address)

    def fetch(self, client: str) -> None:
        """Have in the folder what a run reads of the client's earlier reports.

        Raises
        ------
        RetentionError
            It can't be fetched.
        """
        if not _SLUG.fullmatch(client):
            return  # nobody has reports under such a name, and no folder is called so
        place = self.folder / client
        place.mkdir(parents=True, exist_ok=True)
        try:
            mark = self.store.mark(self.store.at(f"{client}/{history.FILE_NAME}"))
            found = self.store.files(client)
            self._clear(client, found)
            files = mirror.whole(found)
            left = mirror.mirror(self.store, client, files, place, _is_read)
        except StoreError as error:
            raise RetentionError(
                f"{client}: its earlier reports can't be fetched from {self.address}: {error.why}"
            ) from error
        mirror.leave_mark(place, f"{self.address}/{client}", left)
        self._known[client] = _Known(frozenset(files), _times(place), mark)

    def name_all(self) -> None:
        """Have the names of all clients' reports in the folder, without what is in them.

        Raises
        ------
        RetentionError
            They can't be listed.
        """
        try:
            mirror.mirror(
                self.store, "", _of_clients(self.store.files()), self.folder, lambda name: False
            )
        except StoreError as error:
            raise RetentionError(
                f"the reports at {self.address} can't be listed: {error.why}"
            ) from error

    def publish(self, client: str) -> tuple[str, ...]:
        """Put what a client's run left in its place.

        Returns
        -------
        tuple of str
            A sentence where the history can't be brought up to date; the report is whole without.

        Raises
        ------
        RetentionError
            The report can't be put there; what was made is kept, and the sentence says where.
        """
        known = self._known.setdefault(client, _Known())
        place = self.folder / client
        changed = {
            name: place / name
            for name, written in _times(place).items()
            if known.times.get(name) != written
        }
        made = sorted({name.partition("/")[0] for name in changed} - {history.FILE_NAME})
        try:
            for top in made:
                self._put_in_place(client, top, changed)
            self._forget(client, known)
        except StoreError as error:
            kept = self._keep(client, made)
            raise RetentionError(
                f"{client}: the report can't be put at {self.address}: {error.why}; what was made "
                f"lies in {kept}"
            ) from error
        known.times = _times(place)
        if history.FILE_NAME not in changed:
            return ()
        try:
            return self._publish_history(client, known, [day for day in made if day_of(day)])
        except StoreError as error:
            return (
                f"{self.address}/{client}/{history.FILE_NAME}: the history can't be written: "
                f"{error.why}; mend that, and the next report adds what is missing.",
            )

    def publish_index(self) -> tuple[str, ...]:
        """Write the page of all clients anew, from what lies there.

        Returns
        -------
        tuple of str
            A sentence where that can't be done; the reports are whole without.
        """
        try:
            for _ in range(_TRIES):
                files = self.store.files()
                with tempfile.TemporaryDirectory(prefix="retention-") as folder:
                    reports = Path(folder)
                    self._mirror_for_index(files, reports)
                    if said := index.write(reports):
                        return tuple(one.replace(folder, self.address) for one in said)
                    self._replace(reports / index.FILE_NAME, index.FILE_NAME)
                # a run that ended meanwhile may have written its page before this one
                if _told_by_store(self.store.files()) == _told_by_store(files):
                    break
        except StoreError as error:
            return (
                f"{self.address}/{index.FILE_NAME}: the page of all clients can't be written: "
                f"{error.why}; mend that, and the next run writes it.",
            )
        return ()

    # Reports ---------------------------------------------------------------------------------

    def _put_in_place(self, client: str, top: str, changed: Mapping[str, Path]) -> None:
        """Put a report, what a failed run left, or a chapter's file in its place."""
        store = self.store
        if top in changed:
            store.put({store.at(f"{client}/{top}"): changed[top]})
            page = self.folder / client / top
            if page.suffix == ".html" and not page.with_suffix(".pdf").exists():
                store.remove([store.at(f"{client}/{page.stem}.pdf")])  # an earlier page's
            return
        new = {n.partition("/")[2]: p for n, p in changed.items() if n.startswith(f"{top}/")}
        target = f"{client}/{top}"
        if old := set(store.files(target)):
            self._exchange(client, top, new, old)
            return
        try:
            store.put({store.at(f"{target}/{n}"): p for n, p in new.items() if n not in _LAST})
            for name in (n for n in _LAST if n in new):
                store.put({store.at(f"{target}/{name}"): new[name]})
        except BaseException:
            self._clean(f"{target}/{n}" for n in new)
            raise

    def _exchange(self, client: str, top: str, new: Mapping[str, Path], old: set[str]) -> None:
        """Put files in the place of others.

        All that takes long, and breaks off, is done beside them first. Then they are copied in the
        store; what was there is copied back where that fails.
        """
        store, mark = self.store, uuid.uuid4().hex
        target = f"{client}/{top}"
        fresh, aside = f"{client}/{_FRESH}{mark}", f"{client}/{_ASIDE}{mark}"
        here = {
            p.relative_to(self.folder / target).as_posix() for p in _files(self.folder / target)
        }
        gone = old - here
        saved = [name for name in old if name in new or name in gone]

        def copy(names: list[str], source: str, to: str) -> None:
            store.copy({store.at(f"{source}/{n}"): store.at(f"{to}/{n}") for n in names})

        try:
            store.put({store.at(f"{fresh}/{name}"): file for name, file in new.items()})
            copy(saved, target, aside)
            try:
                copy([n for n in new if n not in _LAST], fresh, target)
                copy([n for n in _LAST[:1] if n in new], fresh, target)
                store.remove(store.at(f"{target}/{n}") for n in gone)
                copy([n for n in _LAST[1:] if n in new], fresh, target)
            except BaseException:
                try:
                    store.remove(store.at(f"{target}/{n}") for n in set(new) - old)
                    copy(saved, aside, target)
                except StoreError as error:
                    saved = []  # what is aside is all that is left of them
                    told = (
                        f"{error.why}; what is left of the old report is in {self.address}/{aside}"
                    )
                    raise StoreError(error.place, told) from error
                raise
        finally:
            for folder in (fresh, *([aside] if saved else [])):
                with contextlib.suppress(StoreError):
                    store.remove_folder(store.at(folder))

    def _forget(self, client: str, known: _Known) -> None:
        """Remove there what an earlier run left that failed, where this one has removed it here."""
        for top in {name.partition("/")[0] for name in known.names}:
            if top.endswith(_FAILED) and not (self.folder / client / top).exists():
                self.store.remove_folder(self.store.at(f"{client}/{top}"))

    def _keep(self, client: str, made: list[str]) -> Path:
        """Keep what was made, where it can't be put in its place."""
        kept = Path(tempfile.mkdtemp(prefix=f"retention-kept-{client}-"))
        for top in made:
            shutil.move(self.folder / client / top, kept / top)
        return kept

    def _clear(self, client: str, files: Mapping[str, Mapping[str, Any]]) -> None:
        """Clear away what runs left beside a report that were killed a day ago or more."""
        before = time.time() - _OLD
        self._clean(
            f"{client}/{name}"
            for name, about in files.items()
            if name.startswith((_FRESH, _ASIDE, f".{history.FILE_NAME}"))
            and (mirror.written_at(about) or before) < before
        )

    def _clean(self, names: Any) -> None:
        with contextlib.suppress(StoreError):
            self.store.remove([self.store.at(name) for name in names])

    def _replace(self, file: Path, name: str) -> None:
        """Put a file in the place of another, which is read as it was until then."""
        folder, _, last = name.rpartition("/")
        part = f"{folder}/" * bool(folder) + f".{last}.{uuid.uuid4().hex}"
        whole = file.with_name(f"{uuid.uuid4().hex}{file.suffix}")
        try:
            shutil.copyfile(file, whole)
            self.store.put({self.store.at(part): whole})
            self.store.call(self.store.fs.mv, self.store.at(part), self.store.at(name))
        except BaseException:
            self._clean([part])
            raise
        finally:
            whole.unlink(missing_ok=True)

    # History ---------------------------------------------------------------------------------

    def _publish_history(self, client: str, known: _Known, days: list[str]) -> tuple[str, ...]:
        """Put the history there; with what other runs added to it since it was fetched."""
        name = f"{client}/{history.FILE_NAME}"
        place, there = self.folder / client, self.store.at(name)
        for _ in range(_TRIES):
            mark = self.store.mark(there)
            if mark != known.history:
                try:
                    self._merge(client, days, there if mark else None)
                except DataError as error:
                    return tuple(self.told(sentence) for sentence in error.sentences)
                known.history = mark
            if self.store.mark(there) == known.history:
                self._replace(place / history.FILE_NAME, name)
                known.history = self.store.mark(there)
                return ()
        return (
            f"{self.address}/{name}: other runs write the history all the time; the next report "
            "adds what is missing.",
        )

    def _merge(self, client: str, days: list[str], there: str | None) -> None:
        """Make the history here what lies there, with the reports of this run."""
        place = self.folder / client
        with tempfile.TemporaryDirectory(prefix="retention-") as folder:
            theirs = Path(folder) / client / history.FILE_NAME
            if there:
                self.store.get({there: theirs})
            rows = history.read(theirs, client)
            for day in days:
                (theirs.parent / day).mkdir(parents=True)
                for file in (report_files.METRICS, report_files.RUN):
                    shutil.copyfile(place / day / file, theirs.parent / day / file)
            history.write(
                place / history.FILE_NAME, history.with_reports(rows, theirs.parent), client
            )

    # The page of all clients -----------------------------------------------------------------

    def _mirror_for_index(self, files: Mapping[str, Mapping[str, Any]], reports: Path) -> None:
        """Have in a folder what the page is made from."""
        listed = _of_clients(files)
        # by name, so that the last of each client stays
        figures = sorted(name for name in listed if _is_figures(name))
        latest = {name.partition("/")[0]: name for name in figures}.values()

        def wanted(name: str) -> bool:
            last = name.rpartition("/")[2]
            if last == "run.log":
                return name.replace("run.log", report_files.RUN) not in listed
            return last in (report_files.RUN, history.FILE_NAME) or name in latest

        mirror.mirror(self.store, "", listed, reports, wanted)


def _of_clients(files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Of all files those that runs left, of every client."""
    by_client: dict[str, dict[str, Any]] = {}
    for name, about in files.items():
        client, _, rest = name.partition("/")
        if rest and _SLUG.fullmatch(client):
            by_client.setdefault(client, {})[rest] = about
    return {
        f"{client}/{name}": about
        for client, own in by_client.items()
        for name, about in mirror.whole(own).items()
    }


def _is_figures(name: str) -> bool:
    """Whether a file has a report's figures, by its name from the place of all reports."""
    _, day, file = (*name.split("/", 2), "", "")[:3]
    return file == report_files.METRICS and bool(day_of(day))


def _is_read(name: str) -> bool:
    """Whether a run reads a file of a client's folder."""
    if name == history.FILE_NAME:
        return True
    top, _, last = name.partition("/")
    return (bool(day_of(top)) and last in _READ) or (top.endswith(_FAILED) and last == mirror.LAST)


def _files(folder: Path) -> list[Path]:
    """The files under a folder, but for hidden ones."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    ]


def _times(folder: Path) -> dict[str, int]:
    """Each file under a folder, and when it was written: what a run makes is new by that."""
    if not folder.is_dir():
        return {}
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in _files(folder)}


def _told_by_store(files: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What the page of all clients is made from, to see whether it changed."""
    return {
        name: str(about)
        for name, about in files.items()
        if name != index.FILE_NAME and not name.rpartition("/")[2].startswith(".")
    }
