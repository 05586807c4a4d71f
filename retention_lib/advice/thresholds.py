"""When evidence is enough for advice: every threshold of the rules, in one place.

They decide what is worth a client's attention, not what is true: whether a difference is more than
chance is decided by intervals, before any of these.
"""

from __future__ import annotations

from typing import Final

#: Recommendations at most: a client acts on a few.
MOST: Final = 7
#: Fewer customers than this are no list to send anything to.
FEWEST: Final = 20
#: And fewer than this no list to telephone.
CALL_FEWEST: Final = 3
#: Points by which more must buy again after the second purchase than after the first.
STEP: Final = 0.05
#: Share of the value to come that must be at stake for a win-back.
STAKE: Final = 0.02
#: The same for a reminder and a call, which cost less.
WINDOW_STAKE: Final = 0.005
#: A call pays where half of what is at stake lies with at most this share of those who slip away …
CALL_SHARE: Final = 0.20
#: … and with no more customers than a person can call.
CALL_MOST: Final = 150
#: Share of revenue from the best fifth from which the best are looked after by themselves.
BEST: Final = 0.50
#: Points by which a group's retention must lie below the others'.
GROUP_GAP: Final = 0.03
#: Share of a category's customers who must take up the next one within the time.
TAKE_UP: Final = 0.02
#: How far a weekday must lie above the average day to send on it.
WEEKDAY: Final = 0.10
#: How far a month must lie above the level of its year to plan for it.
SEASON: Final = 0.15
#: CLV of a new customer over the cost of winning one, surely below which winning one loses money.
CLV_TO_CAC: Final = 1.0
#: The same, surely above which more could be spent (the usual rule of thumb asks for three).
CLV_TO_CAC_GOOD: Final = 3.0
#: A programme for everybody is advised against where it pays for at most this share.
PROGRAMME_SHARE: Final = 0.50
#: Uplifts for which a test is sized, in points, the smallest first.
UPLIFTS: Final = (0.02, 0.05, 0.10)
