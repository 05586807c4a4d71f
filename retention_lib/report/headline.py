"""What a report says first, in its summary and on the page of all clients."""

from __future__ import annotations

from typing import Final, Literal

from retention_lib.sentence import N_

#: The figures.
SUMMARY: Final = (
    *("retention.rate", "customers.at_end", "revenue.net", "revenue.top20_share"),
    *("retention.repeat_90d", "clv.total"),
)

Verdict = Literal["fit", "care", "unfit"]
#: Verdict on the forecast → its sign and words.
VERDICTS: Final[dict[str, tuple[str, str]]] = {
    "fit": ("✓", N_("Fit to act on")),
    "care": ("!", N_("To be read with care")),
    "unfit": ("✕", N_("Not fit to act on")),
}
