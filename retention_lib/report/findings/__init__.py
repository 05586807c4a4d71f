"""What the data says, in sentences: the words of headings and paragraphs, chosen by the figures.

Each function takes figures and gives `Said`: a sentence with `{name}`s and the values for them.
Sentences hold no number of their own, so that they can be translated, and say the opposite when the
figures do.
"""

from retention_lib.report.findings import actions, data, retention, summary, worth

__all__ = ["actions", "data", "retention", "summary", "worth"]
