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
#: The word of a verdict on a comparison without a lot, and on a test by lot.
COMPARISONS: Final[dict[str, str]] = {
    "fit": N_("A fair comparison"),
    "care": N_("A comparison to be read with care"),
    "unfit": N_("No fair comparison"),
}
TESTS: Final[dict[str, str]] = {
    "fit": N_("A sound test"),
    "care": N_("A test to be read with care"),
    "unfit": N_("Not a sound test"),
}
