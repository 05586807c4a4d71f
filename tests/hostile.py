"""Strings that attack whoever shows them without care, and a shop whose data is made of them.

The strings are what a client file or an export could hold by malice or by accident: markup, code,
templates, formulas, signs that turn or hide text. A test that shows them looks for the traces that
they would leave if one were more than text: `TRACE` set, a title changed, a dialog, a request.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

TRACE: Final = "document.title='run';window.run=1;alert(1)"
"""What a string would do if it were run."""

LONG: Final = "x" * 10_000

#: By what they try; text that a page can hold as it is.
STRINGS: Final[Mapping[str, str]] = {
    "script": f"<script>{TRACE}</script>",
    "event handler": f'<img src=x onerror="{TRACE}">',
    "out of an attribute": f'"><svg onload="{TRACE}">',
    "attribute in single quotes": f"' onmouseover='{TRACE}' x='",
    "attribute without quotes": f"x onfocus={TRACE} autofocus tabindex=1",
    "script in SVG": f"<svg><script>{TRACE}</script></svg>",
    "SVG animation": f"<svg><animate onbegin={TRACE} attributeName=x dur=1s></svg>",
    "foreign object": f"<svg><foreignObject><body onload={TRACE}></foreignObject></svg>",
    "use in SVG": '<svg><use href="https://example.org/x.svg#a"/></svg>',
    "style in MathML": f"<math><mtext><style><img src=x onerror={TRACE}></style></mtext></math>",
    "link in MathML": f'<math><a xlink:href="javascript:{TRACE}">x</a></math>',
    "mutation": f'<p style="</p><img src=x onerror={TRACE}>">',
    "frame": f"<iframe src='javascript:parent.{TRACE}'></iframe>",
    "frame of its own": f'<iframe srcdoc="<script>parent.{TRACE}</script>"></iframe>',
    "end of everything": "</title></style></section></main></body></html><h1>taken over</h1>",
    "end of a preformatted text": "</pre></code></textarea></noscript></template><h1>out</h1>",
    "style": "<style>* { display: none !important }</style>",
    "style from elsewhere": '<link rel="stylesheet" href="https://example.org/x.css">',
    "style in a value": "red; background: url(https://example.org/x.png)",
    "base": "<base href='https://example.org/'>",
    "refresh": "<meta http-equiv=refresh content='0;url=https://example.org'>",
    "form": '<form action="https://example.org"><button autofocus>go</button></form>',
    "comment": f"<!-- <script>{TRACE}</script> -->",
    "end of a comment": f"--><script>{TRACE}</script><!--",
    "CDATA": f"<![CDATA[<script>{TRACE}</script>]]>",
    "processing instruction": f"<?xml-stylesheet href='javascript:{TRACE}'?>",
    "Markdown link": f"[click](javascript:{TRACE})",
    "Markdown image": "![x](https://example.org/x.png)",
    "Markdown HTML": f"`` ` ``<a href='javascript:{TRACE}'>x</a>\\<b\\>",
    "Markdown table": "| a | b |\\|---|---| # head > quote * item _em_ ~~s~~ 1. one",
    "bare address": "https://example.org/ www.example.org mailto:aa@example.org",
    "address with code": f"javascript:{TRACE}//",
    "address with data": "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "Jinja": "{{ 7 * 7 }}{% raw %}{# x #}{{ cycler.__init__.__globals__ }}",
    "Python format": "{0.__class__}{share}{name!r:>{width}}%(name)s%s${x}",
    "units of great-tables": "{{m/s^2}} {{CO2}} x^2_3",
    "formula": '=HYPERLINK("https://example.org","x")',
    "formula by plus": "+1+cmd|' /C calc'!A0",
    "formula by minus": "-2+3+cmd|' /C calc'!A0",
    "formula by at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "formula in full width": "＝1+1",  # which a Japanese spreadsheet takes for =
    "dynamic data": 'DDE("cmd";"/C calc";"x")',
    "mathtext": r"$\frac{1}{2}$ \$ $x_1^{2}$ $\undefined{$",
    "one dollar": "price in $ or _ or ^ or \\",
    "override": "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "isolate left open": "\N{RIGHT-TO-LEFT ISOLATE}\N{LEFT-TO-RIGHT EMBEDDING}abc",
    "right to left": "שלום עולם مرحبا",
    "nothing to see": "a\N{ZERO WIDTH SPACE}b\N{ZERO WIDTH NO-BREAK SPACE}c\N{SOFT HYPHEN}d",
    "separators": "\N{LINE SEPARATOR}two\N{PARAGRAPH SEPARATOR}lines",
    "zalgo": "z" + "\N{COMBINING GRAVE ACCENT}\N{COMBINING CEDILLA}" * 40 + "algo",
    "emoji": "👩\N{ZERO WIDTH JOINER}👩\N{ZERO WIDTH JOINER}👧 🇳🇴 ☠️",
    "entities": "&lt;script&gt;&#60;script&#62;&amp;amp;&NewLine;",
    "encoded": "%3Cscript%3Ealert(1)%3C/script%3E \\u003cscript\\u003e \\x3c",
    "path": "../../../../../../../../tmp/written/..%2f..%2fetc/passwd",
    "path of Windows": "..\\..\\..\\CON.txt\\\\?\\C:\\x",
    "CSV": 'a","b"\'";\t,"',
    "SQL": "'; DROP TABLE customers; COPY (SELECT 1) TO '/tmp/written'; --",
    "SQL names": "\"; ATTACH '/tmp/written' AS x; SELECT \"",
    "shell": "$(touch /tmp/written) `touch /tmp/written` ; rm -rf x | cat",
    "names of nothing": "nan None NULL NaT <NA> #N/A true",
    "real": "Søstrene Æ & Ø <aa@example.org>",
    "one word without end": LONG,
}

HOSTILE: Final = list(STRINGS.values())

#: Not to be held by a page or a spreadsheet at all; data can hold them.
CONTROLS: Final[Mapping[str, str]] = {
    "null": "a\x00b",
    "controls": "a\x01\x08\x0b\x0c\x1b[31mb\x7f\x85\x9f",
    "lines": "one\ntwo\r\nthree\rfour",
    "tab in front": "\t=1+1",
    "return in front": "\r=1+1",
    "not a character": "a\ufffeb\uffff\ufdd0",
}

#: Fields of the client file, and what the source's columns are called there.
COLUMNS: Final = {
    "customer": "<b>customer</b>",
    "date": "{{ day }} | `day`",
    "amount": "=SUM(\"a\") 'b'; --",
    "order": "order\N{RIGHT-TO-LEFT OVERRIDE}redro",
    "market": "$market_1^2$",
    "channel": "<img src=x onerror=alert(1)>",
    "category": "[category](javascript:alert(1)) \\",
}


def shop(
    markets: Sequence[str],
    channels: Sequence[str],
    categories: Sequence[str],
    *,
    customers: int = 900,
    seed: int = 7,
) -> pd.DataFrame:
    """Order lines of two years, the same for the same seed: text of the field, figures of a shop.

    Parameters
    ----------
    markets, channels, categories : sequence of str
        The values of each column, about equally often.
    customers : int
        Their ids are made of all hostile strings, each with a number behind it.
    seed : int

    Returns
    -------
    DataFrame
        Named as in `COLUMNS`.
    """
    dice = random.Random(seed)
    texts = [*HOSTILE, *CONTROLS.values()]
    first, days = pd.Timestamp("2023-01-01"), 730
    lines: list[dict[str, Any]] = []
    for n in range(customers):
        customer = f"{texts[n % len(texts)]} #{n}"
        market, channel = markets[n % len(markets)], channels[n // 7 % len(channels)]
        usual = categories[n // 3 % len(categories)]
        rate, worth = dice.gammavariate(1.1, 1 / 45), dice.lognormvariate(4, 0.5)
        day = dice.uniform(0, days)
        while day < days + 1:
            lines.append(
                {
                    "customer": customer,
                    "date": first + pd.Timedelta(days=int(day)),
                    "amount": round(worth * dice.lognormvariate(0, 0.3), 2),
                    "order": f"{customer}/{len(lines)}",
                    "market": market,
                    "channel": channel,
                    "category": usual if dice.random() < 0.6 else dice.choice(categories),
                }
            )
            day += dice.expovariate(max(rate, 1e-3))
            if dice.random() < 0.1:
                break
    return pd.DataFrame(lines).rename(columns=COLUMNS)
