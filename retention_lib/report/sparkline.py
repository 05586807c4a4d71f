"""A trend in a word's space: a line without axes or words, its last point marked.

Tufte's sparkline (*Beautiful Evidence*, 2006), drawn as plain text of SVG: half a kilobyte where a
drawing library needs ten, so that hundreds on a page cost nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spark:
    """How large a line is, and in which colours.

    Parameters
    ----------
    width, height : int
        Of the picture, in pixels.
    line, mark : str
        Colours of the line and of its last point, `#rrggbb`.
    thick, dot : float
        Width of the line and radius of the point.
    """

    width: int
    height: int
    line: str
    mark: str
    thick: float = 1.5
    dot: float = 2.0


def sparkline(
    places: Sequence[float], values: Sequence[float], spark: Spark, least: float = 0.0
) -> str:
    """The line as SVG.

    Parameters
    ----------
    places : sequence of float
        Where each value stands, such as the number of its day; ascending.
    values : sequence of float
        As many, at least two. Values that are all the same lie in the middle.
    spark : Spark
    least : float
        A line rises over the whole height only where the values span this much or more.
    """
    edge = spark.dot + 1  # the point is drawn whole
    wide, tall = spark.width - 2 * edge, spark.height - 2 * edge
    across = (max(places) - min(places)) or 1.0
    span = max(max(values) - min(values), least) or 1.0
    middle = (max(values) + min(values)) / 2
    xs = [edge + wide * (place - places[0]) / across for place in places]
    ys = [spark.height / 2 - tall * (value - middle) / span for value in values]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{spark.width}" height="{spark.height}" '
        f'viewBox="0 0 {spark.width} {spark.height}"><polyline points="{points}" fill="none" '
        f'stroke="{spark.line}" stroke-width="{spark.thick}" stroke-linecap="round" '
        f'stroke-linejoin="round"/><circle cx="{xs[-1]:.1f}" cy="{ys[-1]:.1f}" r="{spark.dot:g}" '
        f'fill="{spark.mark}"/></svg>'
    )


def address(svg: str) -> str:
    """An SVG as the address of an image that carries it."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode('ascii')}"
