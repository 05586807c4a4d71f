"""The one look of all figures: colours, type, size, and what a drawing hands back.

A figure takes a tidy frame and gives back a `Drawn`: the axes, and in a sentence what they show.
Nothing here touches matplotlib's global settings, and no figure is kept by pyplot, so a chapter
may draw as many as it likes and leaves no trace in the next one.

The colours are Okabe and Ito's set for all kinds of colour vision ("Color Universal Design", 2008),
darkened where they must carry text on white (contrast of 4.5 to 1 and more).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, NamedTuple, ParamSpec

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

WIDTH = 7.2
"""Width of every figure in inches; the report shows an inch as 100 CSS pixels."""
HEIGHT = 3.4
DPI = 200
"""Twice the pixels that the page shows, for sharp text on dense screens and on paper."""

INK = "#22303c"
QUIET = "#5c6670"
RULE = "#d9dee3"
BLUE = "#0067a3"
ORANGE = "#a85a00"
RED = "#b8400f"
GREEN = "#007457"
GREY = "#69737d"
PALE = "#eef1f4"

COLOURS: dict[str, str] = {
    "returning": BLUE,
    "new": "#c78500",
    "total": BLUE,
    "gain": GREEN,
    "loss": RED,
    "actual": INK,
    "forecast": BLUE,
    "baseline": GREY,
    "customers": GREY,
    "value": BLUE,
}
"""Fill of each series, by what it stands for: the same thing has the same colour everywhere."""

TEXT_COLOURS: dict[str, str] = {**COLOURS, "new": ORANGE}
"""Colour of the label beside each series: its fill, darkened where that is too light to read."""

SEQUENTIAL = "blend:#f2f7fb,#0067a3"
"""Light to dark, for heat maps."""

P = ParamSpec("P")


class Drawn(NamedTuple):
    """A figure and what it shows.

    Attributes
    ----------
    axes : matplotlib.axes.Axes
        `axes.figure` is the whole figure.
    alt : str
        The finding in a sentence, with its figures, for those who can't see the picture.
    name : str
        The function that drew it.
    frame : DataFrame or None
        What it was drawn from.
    """

    axes: Axes
    alt: str
    name: str = ""
    frame: pd.DataFrame | None = None

    def __repr__(self) -> str:
        """The sentence, which is what a plain-text reader gets."""
        return self.alt

    def png(self, dpi: int = DPI) -> bytes:
        """The picture, byte for byte the same for the same figures."""
        out = io.BytesIO()
        with style():
            whole(self.axes).savefig(out, format="png", dpi=dpi, metadata={"Software": None})
        return out.getvalue()

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        """What a notebook shows: the picture at its size on the page, with its alt text."""
        width, height = whole(self.axes).get_size_inches()
        size = {"width": round(100 * width), "height": round(100 * height)}
        return self.png(), {"alt": self.alt, **size}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the report's look inside the block; outside it nothing is changed.

    Examples
    --------
    >>> before = mpl.rcParams["axes.spines.top"]
    >>> with style():
    ...     mpl.rcParams["axes.spines.top"]
    False
    >>> mpl.rcParams["axes.spines.top"] == before
    True
    """
    look: dict[str, Any] = {
        **sns.axes_style("ticks"),
        # Fonts by name, not "sans-serif", which would be looked up when the figure is saved.
        # This one comes with matplotlib, so every machine draws the same.
        "font.family": ["DejaVu Sans"],
        "font.size": 9.0,
        "axes.labelsize": 9.0,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "text.color": INK,
        "axes.labelcolor": QUIET,
        "axes.edgecolor": RULE,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": False,
        "axes.labelpad": 6.0,
        "grid.color": RULE,
        "grid.linewidth": 0.6,
        "xtick.color": RULE,
        "ytick.color": RULE,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.major.size": 3.0,
        "ytick.major.size": 0.0,
        "lines.linewidth": 1.8,
        "lines.solid_capstyle": "round",
        "patch.linewidth": 0.0,
        "hatch.linewidth": 0.7,
        "figure.facecolor": "white",
        "axes.facecolor": "white",
        "savefig.facecolor": "white",
        "savefig.bbox": None,
        "figure.constrained_layout.h_pad": 0.06,
        "figure.constrained_layout.w_pad": 0.06,
        # A client's name or segment may hold a dollar sign, which must not start a formula.
        "text.parse_math": False,
    }
    with mpl.rc_context(look):  # type: ignore[arg-type]
        yield


def drawing(function: Callable[P, Drawn]) -> Callable[P, Drawn]:
    """Let a figure function run in the report's `style`; what it drew keeps its first frame."""

    @wraps(function)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Drawn:
        with style():
            drawn = function(*args, **kwargs)
        frame = next((x for x in (*args, *kwargs.values()) if isinstance(x, pd.DataFrame)), None)
        return drawn._replace(name=function.__name__, frame=frame)

    return styled


def canvas(ax: Axes | None, height: float = HEIGHT) -> Axes:
    """The axes to draw on: the ones given, else those of a new figure that pyplot doesn't hold."""
    if ax is not None:
        return ax
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure.add_subplot()


def whole(ax: Axes) -> Figure:
    """The figure that the axes stand in."""
    figure = ax.get_figure(root=True)
    if not isinstance(figure, Figure):
        raise ValueError("These axes belong to no figure; draw on axes of a figure.")
    return figure


def luminance(colour: tuple[float, ...]) -> float:
    """Relative luminance (WCAG 2.2, definition "relative luminance")."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def text_on(colour: tuple[float, ...]) -> str:
    """White or black, whichever stands out more: at least 4.5 to 1 on any colour.

    Examples
    --------
    >>> text_on((0.0, 0.4, 0.64)), text_on((0.46, 0.67, 0.81))
    ('white', 'black')
    """
    light = luminance(colour) + 0.05
    return "white" if 1.05 / light > light / 0.05 else "black"
