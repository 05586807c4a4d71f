"""Outlines in few characters: whole numbers, each counted from the place before.

Counting from the place before keeps the numbers short, and rounding the places, not the steps,
keeps a long line from drifting. The grammar is SVG's ("Paths", section 9.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.path import Path

_LETTERS: Final = {int(Path.CURVE3): ("q", 2), int(Path.CURVE4): ("c", 3)}
_MOVE: Final = int(Path.MOVETO)
_LINE: Final = int(Path.LINETO)
_CLOSE: Final = int(Path.CLOSEPOLY)
_STOP: Final = int(Path.STOP)


class _Hundredths(dict[int, str]):
    """A number of hundredths as text, such as `-.5` for -50; each is written once."""

    def __missing__(self, n: int) -> str:
        whole, rest = divmod(abs(n), 100)
        text = f"{whole or ''}.{rest:02d}".rstrip("0") if rest else str(whole)
        self[n] = written = f"-{text}" if n < 0 else text
        return written


HUNDREDTHS: Final = _Hundredths()


def hundredths(x: float) -> str:
    """A length to a hundredth.

    Examples
    --------
    >>> hundredths(12.0), hundredths(-0.504), hundredths(0.001)
    ('12', '-.5', '0')
    """
    return HUNDREDTHS[round(100 * x)]


def arrays(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and codes; a path without codes is one line."""
    vertices = np.asarray(path.vertices, dtype=float)
    if path.codes is not None:
        return vertices, np.asarray(path.codes)
    codes = np.full(len(vertices), Path.LINETO)
    codes[:1] = Path.MOVETO
    return vertices, codes


def rounded(vertices: np.ndarray) -> list[list[int]]:
    """Places in hundredths."""
    return np.rint(100 * vertices).astype(int).tolist()


def steps(points: Sequence[Sequence[int]], codes: Sequence[int], *, whole: bool = False) -> str:
    """An outline from its first point, as the `d` of an SVG path behind its `M`.

    Parameters
    ----------
    points : sequence of (x, y)
        In hundredths, or in whole units.
    codes : sequence of int
        What matplotlib's `Path` calls codes, as many; the first one moves.
    whole : bool
        The points are in whole units.

    Examples
    --------
    >>> steps([(0, 0), (100, 0), (150, 0), (150, -50), (0, 0)], [1, 2, 2, 2, 79])
    'h1.5v-.5z'
    """
    written = _Whole() if whole else HUNDREDTHS
    parts: list[str] = []
    last = ""  # letter of the last part, which needn't be said again
    x, y = first_x, first_y = points[0]
    straight = ""  # a horizontal or vertical step that the next one may prolong
    length = 0
    bare = True  # nothing drawn since the last move: even a step of no length leaves a dot
    i, n = 1, len(points)
    while i < n:
        code = codes[i]
        if code == _LINE:
            to_x, to_y = points[i]
            dx, dy = to_x - x, to_y - y
            x, y = to_x, to_y
            i += 1
            letter = "l" if dx and dy else "h" if dx else "v" if dy or bare else ""
            if not letter:
                continue
            bare = False
            step = dx or dy
            if letter == straight and (step > 0) == (length > 0):
                length += step
                continue
            if straight:
                last = _add(parts, last, straight, written[length])
                straight = ""
            if letter == "l":
                last = _add(parts, last, "l", written[dx], written[dy])
            else:
                straight, length = letter, step
            continue
        if straight:
            last = _add(parts, last, straight, written[length])
            straight = ""
        if code in _LETTERS:
            letter, count = _LETTERS[code]
            numbers = [
                written[end - start]
                for point in points[i : i + count]
                for start, end in zip((x, y), point, strict=True)
            ]
            x, y = points[i + count - 1]
            last = _add(parts, last, letter, *numbers)
            bare = False
            i += count
            continue
        if code == _CLOSE:
            parts.append("z")
            last, x, y = "z", first_x, first_y
        elif code == _MOVE:
            to_x, to_y = points[i]
            last = _add(parts, "", "m", written[to_x - x], written[to_y - y])
            x, y = first_x, first_y = to_x, to_y
            bare = True
        elif code == _STOP:
            break
        i += 1
    if straight:
        _add(parts, last, straight, written[length])
    return "".join(parts)


class _Whole(dict[int, str]):
    def __missing__(self, n: int) -> str:
        return str(n)


def _add(parts: list[str], last: str, letter: str, *numbers: str) -> str:
    """Write a step; its letter only where it isn't the one before."""
    first = numbers[0]
    if letter != last:
        parts.append(letter)
        parts.append(first)
    else:
        parts.append(first if first[0] == "-" else " " + first)
    parts.extend(number if number[0] == "-" else " " + number for number in numbers[1:])
    return letter
