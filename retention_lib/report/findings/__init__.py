"""What the data says, in sentences: the words of headings and paragraphs, chosen by the figures.

Each function takes figures and gives a `Sentence`: a message with `{name}`s and their values.
Messages hold no number of their own, so that they can be translated, and say the opposite when the
figures do.
"""

from retention_lib.report.findings import (
    actions,
    advice,
    data,
    next_purchase,
    period,
    retention,
    story,
    summary,
    tested,
    worth,
)

__all__ = [
    "actions",
    "advice",
    "data",
    "next_purchase",
    "period",
    "retention",
    "story",
    "summary",
    "tested",
    "worth",
]
