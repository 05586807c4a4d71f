"""axe-core (Deque, MPL 2.0) in a page of Chromium, as axe-playwright-python carries it.

A report's own policy lets no script in: the context it is opened in has to set it aside
(`bypass_csp`), and only there.
"""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

#: Every rule of WCAG 2.0 to 2.2, levels A and AA, and what axe-core calls best practice.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]


def broken(page: Page, *rules: str) -> list[str]:
    """What axe-core finds, a line for each rule and place; `rules` alone where some are named."""
    options: dict[str, Any] = {"type": "rule", "values": list(rules)} if rules else {}
    options = options or {"type": "tag", "values": TAGS}
    page.evaluate(AXE_SCRIPT)
    result = page.evaluate(
        "options => axe.run(document, {runOnly: options, resultTypes: ['violations']})", options
    )
    assert result["passes"] or rules
    return [
        f"{found['id']}: {node['target']} {node['html'][:120]} {node.get('failureSummary', '')}"
        for found in result["violations"]
        for node in found["nodes"][:5]
    ]
