"""Figures as SVG in few bytes: a third of what matplotlib's own backend writes, in half the time.

Its output is what a report needs, no more: curves to a hundredth of a point, each sign's outline
and each mark once, no metadata, and the same text for the same figure.
"""

from __future__ import annotations

from retention_lib.report.vector.renderer import vector

__all__ = ["vector"]
