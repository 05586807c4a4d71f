"""The report as a PDF: printed by a Chromium, Chrome or Edge that is installed.

The browser is the one that `RETENTION_CHROMIUM` names, else one under its usual names and in its
usual places. It runs without a window, with a profile of its own that is thrown away, and without
a way to the network; it is ended with all its processes if it takes too long. The pages are laid
out by the report's print style sheet; the PDF has tags, an outline, and the report's title.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from retention_lib.errors import RetentionError
from retention_lib.keys.refusals import shown
from retention_lib.versions import versions

#: Names the browser's program.
VARIABLE: Final = "RETENTION_CHROMIUM"
#: Seconds that printing may take; a report of forty pages takes two.
TIMEOUT: Final = 120.0

_NAMES: Final = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("microsoft-edge", "microsoft-edge-stable", "msedge", "chrome-headless-shell"),
)
_MAC: Final = ("Google Chrome", "Chromium", "Microsoft Edge")
_WINDOWS: Final = (
    ("Google", "Chrome", "Application", "chrome.exe"),
    ("Chromium", "Application", "chrome.exe"),
    ("Microsoft", "Edge", "Application", "msedge.exe"),
)
_WINDOWS_FOLDERS: Final = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")

_QUIET: Final = (
    *("--headless", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio"),
    *("--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-sync"),
    *("--disable-default-apps", "--disable-crash-reporter", "--password-store=basic"),
    "--use-mock-keychain",
    # nothing is fetched: neither by the page, which may not either, nor by the browser for itself
    *("--disable-background-networking", "--disable-component-update"),
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
_PAGES: Final = (
    # the second is the first's older name; a browser passes over what it doesn't know
    *("--no-pdf-header-footer", "--print-to-pdf-no-header"),
    *("--export-tagged-pdf", "--generate-pdf-document-outline"),
)
#: What Chromium says of a machine without a desktop, whatever else is wrong.
_NOISE: Final = ("dbus", "/bin/chromium:", "Fontconfig", "vaapi", "gpu")


class PdfError(RetentionError):
    """The PDF that was asked for can't be printed."""


def find_browser(
    environment: Mapping[str, str] | None = None, platform: str = sys.platform
) -> Path:
    """The browser to print with.

    Parameters
    ----------
    environment : mapping, optional
        The process's own where not given.
    platform : str
        As `sys.platform` names it.

    Raises
    ------
    PdfError
        There is none, or `RETENTION_CHROMIUM` names something that can't be run.
    """
    known = os.environ if environment is None else environment
    search = known.get("PATH", "")
    if wanted := known.get(VARIABLE):
        found = shutil.which(wanted, path=search)
        if found is None:
            raise PdfError(
                f"{VARIABLE}: found {shown(wanted)}, which is no program that can be run; give the "
                "path of Chromium, Chrome or Edge, or unset it"
            )
        return Path(found)
    for name in _NAMES:
        if found := shutil.which(name, path=search):
            return Path(found)
    for place in _usual_places(known, platform):
        if place.is_file():
            return place
    raise PdfError(
        "no Chromium, Chrome or Edge was found to print the PDF with; install one"
        f"{_HOW.get(platform, '')}, or give its path in {VARIABLE}"
    )


_HOW: Final = {
    "linux": " (Debian: apt-get install chromium)",
    "darwin": " (brew install --cask chromium)",
}


def _usual_places(environment: Mapping[str, str], platform: str) -> Iterator[Path]:
    if platform == "darwin":
        homes = [Path("/"), *([Path(environment["HOME"])] if "HOME" in environment else [])]
        for name in _MAC:
            for home in homes:
                yield home / "Applications" / f"{name}.app" / "Contents" / "MacOS" / name
    elif platform == "win32":
        for parts in _WINDOWS:
            for folder in _WINDOWS_FOLDERS:
                if environment.get(folder):
                    yield Path(environment[folder], *parts)


def print_pdf(page: Path, pdf: Path, browser: Path, timeout: float = TIMEOUT) -> None:
    """Print a page.

    Parameters
    ----------
    page : Path
        The HTML file.
    pdf : Path
        The file to write, which isn't there yet; whole or not at all.
    browser : Path
        `find_browser`.
    timeout : float
        Seconds.

    Raises
    ------
    PdfError
        The browser can't be started, failed, took too long, or left no whole PDF.
    """
    try:
        with tempfile.TemporaryDirectory(
            prefix="retention-print-", ignore_cleanup_errors=True
        ) as folder:
            said = Path(folder, "said")
            code = _run(_command(page, pdf, browser, Path(folder, "profile")), said, timeout)
            if not _is_whole(pdf):
                raise PdfError(f"{browser} {_ending(code, timeout)}{_last_words(said)}")
    except BaseException:
        pdf.unlink(missing_ok=True)
        raise


def _command(page: Path, pdf: Path, browser: Path, profile: Path) -> list[str]:
    # Chromium refuses to run as root with its sandbox
    as_root = sys.platform != "win32" and os.geteuid() == 0
    return [
        str(browser),
        *_QUIET,
        *(["--no-sandbox"] if as_root else []),
        *_PAGES,
        # what the PDF names as its creator
        f"--user-agent=retention {versions(['retention'])['retention']}",
        f"--user-data-dir={profile}",
        f"--print-to-pdf={pdf.resolve()}",
        page.resolve().as_uri(),
    ]


def _run(command: list[str], said: Path, timeout: float) -> int | None:
    """The browser's exit code; None where it took too long. None of its processes is left."""
    try:
        with said.open("wb") as stream:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stream,  # a file: of a pipe the end comes only when its last process ends
                start_new_session=True,
            )
    except OSError as error:
        raise PdfError(f"{command[0]} can't be started ({error.strerror or error})") from error
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the browser and what it started, such as the renderer that hangs."""
    if sys.platform == "win32":
        if process.poll() is None:
            subprocess.run(
                ["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False
            )
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _is_whole(pdf: Path) -> bool:
    """Whether a file is a PDF with both its ends."""
    try:
        content = pdf.read_bytes()
    except FileNotFoundError:
        return False
    return content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")


def _ending(code: int | None, timeout: float) -> str:
    if code is None:
        return f"didn't print the PDF within {timeout:g} seconds and was ended"
    if code < 0:
        return f"crashed ({signal.Signals(-code).name}) and left no PDF"
    return f"ended with code {code} and left no PDF"


def _last_words(said: Path) -> str:
    """The last line that the browser said, where it tells something."""
    text = said.read_text(encoding="utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if not any(word in line for word in _NOISE)]
    return f"; it said {shown(telling[-1].rpartition('] ')[2])}" if telling else ""
