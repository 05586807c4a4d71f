"""A page in Chromium, opened from disk with the network cut, and what it does meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page


@dataclass
class Watched:
    """What a page asked for beside itself, and what it said: both empty for a quiet one."""

    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        return self.asked + self.said


def watch(page: Page, own: Path) -> Watched:
    """Listen to a page from now on, which is that of a file; what it holds itself isn't asked."""
    seen = Watched()

    def asks(url: str) -> None:
        if url != own.as_uri() and not url.startswith("data:"):
            seen.asked.append(url)

    page.on("request", lambda request: asks(request.url))
    page.on("console", lambda message: seen.said.append(message.text))
    page.on("pageerror", lambda error: seen.said.append(str(error)))
    page.on("dialog", lambda dialog: seen.said.append(dialog.message))
    return seen


@contextmanager
def opened(
    chromium: Browser, file: Path, width: int = 1280, **context: Any
) -> Iterator[tuple[Page, Watched]]:
    """Open a file, listened to from the beginning."""
    page = chromium.new_page(viewport={"width": width, "height": 900}, offline=True, **context)
    try:
        seen = watch(page, file)
        page.goto(file.as_uri())
        yield page, seen
    finally:
        page.close()
