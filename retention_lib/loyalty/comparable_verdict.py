"""Whether a comparison without a lot is fair enough to speak of an effect.

Not fair: nothing can be compared; under half of the treated have comparable customers; the groups
still differ by 0.1 standard deviations or more in something that was known (Austin 2009, Stat. Med.
28, 3083-3107; Stuart 2010, Stat. Sci. 25, 1-21); or the placebo finds an effect where there can be
none (Imbens 2004, Rev. Econ. Stat. 86, 4-29, section V.B).

A placebo knows a window less than the comparison. It fails as well where the treated were chosen
for what they did in just that window, which the comparison makes alike; or where they are of
another kind for good, which windows of the past show only in part. In the first case the comparison
is right, in the second the change since the window before (`Comparison.change`), and each errs to
the other side of the truth where the other holds (Ding & Li 2019). So where the groups' change one
window earlier was alike, the comparison stands with care, and its interval spans both
(`Comparison.told`); where it wasn't, the treated were on another way already, and nothing is told.
In simulations (tests) this refuses some 5 % of fair comparisons, where the placebo alone refuses
half; a growth of 10 or 20 % a window that only the treated have, and nobody recorded, is told as a
sure effect in 3 to 23 % of cases, where the comparison alone would in nearly all.

With care, too: under 80 % are comparable; the history of most is too short, so that the figures are
of a part; the weights rest on few customers; the placebo has 0 in its interval, yet a sure effect
isn't surely more than what was there before (its interval then has 0 in it too), or a tenth of what
comparable customers spend isn't ruled out by it (Hartman & Hidalgo 2018, Am. J. Polit. Sci. 62,
1000-1013: not to find a difference is no proof that there is none); there was no window to try it
in; or the treated differ in the earliest window known once the later ones are alike, so that they
may have been chosen by more history than the data has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from retention_lib.loyalty.comparable import Comparison

#: Standardised difference from which groups aren't alike.
MOST_APART: Final = 0.1
#: Shares of the treated that must be comparable, for any word of an effect and for a sure one.
LEAST_COMPARABLE: Final = 0.5
ENOUGH_COMPARABLE: Final = 0.8
#: Treated customers, and effective untreated ones, below which a comparison rests on few.
FEW: Final = 50

#: Difference before the day, over what comparable customers spend, that must be ruled out.
ROUGH: Final = 0.1
#: Probability of turning down a comparison whose placebos differ from 0 by chance alone.
LEVEL: Final = 0.05

Kind = Literal["fit", "care", "unfit"]


@dataclass(frozen=True)
class Verdict:
    """A verdict and why, in codes that the report has words for.

    Parameters
    ----------
    kind : str
        `fit` (fair), `care`, `unfit` (no word of an effect).
    reasons : tuple of str
        `nothing`, `few_comparable`, `apart`, `placebo` (unfit); `some_comparable`, `short_history`,
        `few`, `placebo_wide`, `placebo_rough`, `placebo_around`, `no_placebo`, `longer_history`
        (care). Empty where it is fair.
    """

    kind: Kind
    reasons: tuple[str, ...]


def judge(compared: Comparison) -> Verdict:
    """The verdict on a comparison."""
    if not compared.compared or not compared.effect().known:
        return Verdict("unfit", ("nothing",))
    share = compared.comparable_share
    placebo, effect = compared.placebo(), compared.effect()
    bad, care = [], []
    if share < LEAST_COMPARABLE:
        bad.append("few_comparable")
    elif share < ENOUGH_COMPARABLE:
        care.append("some_comparable")
    if compared.eligible < LEAST_COMPARABLE * compared.treated:
        care.append("short_history")
    if compared.worst_imbalance >= MOST_APART:
        bad.append("apart")
    if not placebo.known:
        care.append("no_placebo")
    elif compared.placebo_p < LEVEL:
        earlier = compared.change(windows_before=1)
        around = compared.change().known and earlier.known and not earlier.sure
        (care if around else bad).append("placebo_around" if around else "placebo")
    elif effect.sure and not compared.beyond().sure:
        care.append("placebo_wide")
    elif max(abs(placebo.low), abs(placebo.high)) > ROUGH * abs(placebo.without):
        care.append("placebo_rough")
    if compared.held_out().sure:
        care.append("longer_history")
    if min(compared.customers, compared.effective) < FEW:
        care.append("few")
    if bad:
        return Verdict("unfit", (*bad, *care))
    return Verdict("care", tuple(care)) if care else Verdict("fit", ())
