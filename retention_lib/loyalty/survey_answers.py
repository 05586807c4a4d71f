"""What customers answered: which scores count, on which scale, and what looks wrong about them.

A row is a question put to a customer on a day; its scores are what was answered, all of them blank
where nothing was. Scores outside their scale are left out and counted, never bent into it. A scale
that looks like another one (stars from 1 to 5 where 0 to 10 is expected) is told of, and where
nobody could have been a promoter on it, no Net Promoter Score is given.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from retention_lib.data.periods import Window

Measure = Literal["nps", "csat", "ces"]
#: In the order in which one of them leads the chapter.
MEASURES: Final[tuple[Measure, ...]] = ("nps", "csat", "ces")

#: Fewest answers of which a level is told. With 30, one customer who turns from promoter into
#: detractor moves the Net Promoter Score by 7 points, and its interval is some 50 points wide.
FEWEST: Final = 30

#: Share of a column's scores outside the scale from which the scale itself is in doubt.
MANY_OUTSIDE: Final = 0.05
#: Ones without a single zero, from which a scale from 1 to 10 is suspected: where zeros are half as
#: likely as ones, none beside eight ones has a chance of (2/3)^8, 4 %.
_ONES: Final = 8

Doubt = Literal["outside", "one_to_ten", "too_low", "turned"]
"""`outside`: many scores lie outside; `one_to_ten`: no zero beside many ones; `too_low`: nobody
above 7 of 10, as with stars; `turned`: ease falls where satisfaction rises."""


@dataclass(frozen=True)
class Scale:
    """A question's scale.

    Parameters
    ----------
    measure : str
        `nps`, `csat` or `ces`.
    low, high : int
        Lowest and highest score.
    """

    measure: Measure
    low: int
    high: int

    @property
    def best(self) -> int:
        """Lowest score of the best group: 9 of 10, else the upper two ("top two boxes")."""
        return 9 if self.measure == "nps" else self.high - (1 if self._wide else 0)

    @property
    def worst(self) -> int:
        """Highest score of the worst group: 6 of 10, else the lower two."""
        return 6 if self.measure == "nps" else self.low + (1 if self._wide else 0)

    @property
    def _wide(self) -> bool:
        # with fewer than five steps the upper and the lower two would meet
        return self.high - self.low >= 4

    def group(self, scores: ArrayLike) -> NDArray[np.int8]:
        """1 of the best group, −1 of the worst, 0 between.

        Examples
        --------
        >>> NPS.group([10, 9, 8, 7, 6, 0]).tolist()
        [1, 1, 0, 0, -1, -1]
        >>> Scale("csat", 1, 5).group([5, 4, 3.5, 3, 2]).tolist()
        [1, 1, 0, 0, -1]
        """
        given = np.asarray(scores, dtype=float)
        best, worst = given >= self.best, given <= self.worst
        return (best.astype(np.int8) - (worst & ~best).astype(np.int8)).astype(np.int8)


NPS: Final = Scale("nps", 0, 10)


@dataclass(frozen=True)
class Answers:
    """The answers that count.

    Parameters
    ----------
    rows : DataFrame
        By day and customer: customer (text), date, nps, csat, ces (NaN where not answered or left
        out), `answered` (whether anything was).
    scales : mapping of measure to Scale
    outside : mapping of measure to int
        Scores left out as none of their scale.
    twice : int
        Rows left out because the same customer has a later one of the same day.
    rows_in : int
        Rows before anything was left out.
    doubts : tuple of (measure, doubt)
    """

    rows: pd.DataFrame
    scales: dict[Measure, Scale]
    outside: dict[Measure, int]
    twice: int
    rows_in: int
    doubts: tuple[tuple[Measure, Doubt], ...]

    @property
    def asked_known(self) -> bool:
        """Whether those who didn't answer are among the rows."""
        return bool((~self.rows["answered"]).any())

    def usable(self, measure: Measure) -> bool:
        """Whether a level can be told of a measure at all."""
        return (measure, "too_low") not in self.doubts

    def scored(self, measure: Measure) -> pd.DataFrame:
        """The rows with a score of this measure: customer, date, score, group (1, 0, −1)."""
        rows = self.rows[self.rows[measure].notna()]
        score = rows[measure].rename("score")
        frame = rows[["customer", "date"]].assign(score=score)
        return frame.assign(group=self.scales[measure].group(score))

    def latest(self, measure: Measure, within: Window | None = None) -> pd.DataFrame:
        """`scored`, the last of each customer, within some days if given."""
        scored = self.scored(measure)
        if within is not None:
            scored = scored[inside(scored["date"], within)]
        return scored.drop_duplicates("customer", keep="last")


def answers(
    frame: pd.DataFrame, csat_scale: tuple[int, int] = (1, 5), ces_scale: tuple[int, int] = (1, 7)
) -> Answers:
    """Sort out the answers.

    Parameters
    ----------
    frame : DataFrame
        A row a question: customer, date, nps, csat, ces.
    csat_scale, ces_scale : tuple of int
        Lowest and highest score.
    """
    scales: dict[Measure, Scale] = {
        "nps": NPS,
        "csat": Scale("csat", csat_scale[0], csat_scale[1]),
        "ces": Scale("ces", ces_scale[0], ces_scale[1]),
    }
    rows = pd.DataFrame(
        {
            "customer": frame["customer"].astype("str"),
            "date": pd.to_datetime(frame["date"]),
        }
    )
    for name in MEASURES:
        rows[name] = pd.to_numeric(frame[name]).astype("float64")
    rows["answered"] = rows[list(MEASURES)].notna().any(axis=1)
    # where a customer has an answer and none on one day, the answer is the one that counts
    rows = rows.sort_values(["date", "customer", "answered"], kind="stable", ignore_index=True)
    once = rows.drop_duplicates(["customer", "date"], keep="last", ignore_index=True)
    doubts: list[tuple[Measure, Doubt]] = []
    outside: dict[Measure, int] = {}
    for name in MEASURES:
        given, scale = once[name], scales[name]
        wrong = (given < scale.low) | (given > scale.high)
        if name == "nps":
            wrong |= given.notna() & (given % 1 != 0)
        outside[name] = int(wrong.sum())
        if outside[name] > MANY_OUTSIDE * int(given.notna().sum()):
            doubts.append((name, "outside"))
        once[name] = given.mask(wrong)
    doubts += _doubts(once)
    return Answers(once, scales, outside, len(rows) - len(once), len(frame), tuple(doubts))


def _doubts(rows: pd.DataFrame) -> list[tuple[Measure, Doubt]]:
    found: list[tuple[Measure, Doubt]] = []
    nps = rows["nps"].dropna()
    if len(nps) >= FEWEST and nps.max() <= 7:
        found.append(("nps", "too_low"))
    elif (nps == 1).sum() >= _ONES and not (nps == 0).any():
        found.append(("nps", "one_to_ten"))
    for other in ("csat", "nps"):
        both = rows[["ces", other]].dropna()
        if len(both) >= FEWEST and (both.std() > 0).all():
            r = float(np.corrcoef(both["ces"], both[other])[0, 1])
            # twice its error below 0, and not by a hair
            if r < -max(0.2, 2 / len(both) ** 0.5):
                found.append(("ces", "turned"))
            break
    return found


def inside(days: pd.Series, within: Window) -> pd.Series:
    """Which days lie within a window, both ends included."""
    return days.between(pd.Timestamp(within.start), pd.Timestamp(within.end))


def span_of(rows: pd.DataFrame) -> Window:
    """From the first to the last day of some rows."""
    return Window(_day(rows["date"].min()), _day(rows["date"].max()))


def _day(moment: pd.Timestamp) -> dt.date:
    return moment.date()
