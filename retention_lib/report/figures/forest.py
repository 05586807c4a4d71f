"""What forest figures share: where their rows stand, the groups' headings, what colour says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import shortened
from retention_lib.report.figures.style import BLUE, GREY, INK, ORANGE

#: Room that a heading takes, in rows, and how far above its first row it stands.
_ROOM: Final = 1.1
_ABOVE: Final = 0.92


def headed(groups: Sequence[object]) -> list[bool]:
    """Which rows begin a group that has a name."""
    return [bool(group) and (i == 0 or group != groups[i - 1]) for i, group in enumerate(groups)]


def rows_at(headings: Sequence[bool]) -> np.ndarray:
    """Where the rows stand, the first at 0 or, below a heading, a little lower; shape (n,)."""
    return -(np.arange(len(headings)) + _ROOM * np.cumsum(headings)).astype(float)


def heading(ax: Axes, y: float, group: object) -> None:
    """The name of a group above its first row, over the line of no effect."""
    ax.annotate(
        shortened(str(group), 40, 1),
        (0.0, y + _ABOVE),
        xycoords=("axes fraction", "data"),
        va="center",
        color=INK,
        fontsize=9,
        fontweight="bold",
        annotation_clip=False,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        zorder=6,
    )


def colour_of(side: int) -> str:
    """Of an effect that stands: 1 above no effect, −1 below; else grey."""
    return {1: BLUE, -1: ORANGE}.get(side, GREY)
