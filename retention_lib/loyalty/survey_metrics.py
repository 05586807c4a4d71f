"""The survey's figures by their ids, `survey.…`: with interval and n, or why it isn't known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from retention_lib.loyalty.survey import Survey, Unweighted
from retention_lib.loyalty.survey_answers import FEWEST, MEASURES, Measure
from retention_lib.metrics import UNITS, Metric, unknown
from retention_lib.retention.difference import Difference
from retention_lib.retention.intervals import wilson
from retention_lib.sentence import N_

_FEW: Final = N_("Too few customers gave such a score for a level to be told.")

_NO_WEIGHTS: Final[Mapping[Unweighted, str]] = {
    "no_customers": N_("Too few customers had bought lately when the answers came."),
    "few_known": N_("Too few of those who answered had bought lately by the orders."),
    "too_uneven": N_(
        "Who answered differs so much from the customers that weighting leaves too few answers."
    ),
}
_NO_LATER: Final = N_(
    "Too few answers have a finished window after them in both the best and the worst group."
)
_NOT_ALIKE: Final = {
    "few": N_("Too few customers to compare like with like."),
    "unlike": N_(
        "Those with the best and the worst scores had bought too differently to be compared."
    ),
    "no_fit": N_("No regression settles on these customers."),
    "all_or_none": N_("Everybody came back, or nobody did."),
}


def metrics(found: Survey) -> dict[str, Metric]:
    """The survey's figures: `survey.…`, all of them."""
    lead, levels = found.lead, found.levels
    made: dict[str, Metric] = {
        "survey.answers": Metric(int(found.answers.rows["answered"].sum()), "count"),
        "survey.response_rate": _response(found),
    }
    for name in MEASURES:
        made[f"survey.{name}"] = _level(found, name)
    made["survey.csat_mean"] = _mean(found, "csat")
    nps = levels.get("nps")
    for which, side in (("promoters", "best"), ("detractors", "worst")):
        if nps is None:
            made[f"survey.{which}"] = unknown("share", _why_not(found, "nps"))
        else:
            low, high = getattr(nps, f"{side}_low"), getattr(nps, f"{side}_high")
            made[f"survey.{which}"] = Metric(getattr(nps, side), "share", low, high, nps.n)
    made["survey.nps_weighted"] = _weighted_metric(found)
    made |= _later_metrics(found)
    listed = found.listed
    if lead is None:
        why = _why_not(found, "nps")
        made["survey.detractors_of_value"] = unknown("count", why)
        made["survey.detractors_at_stake"] = unknown("currency", why)
    else:
        n = len(listed.detractors)
        made["survey.detractors_of_value"] = Metric(n, "count", n=listed.judged)
        made["survey.detractors_at_stake"] = (
            Metric(listed.at_stake, "currency", listed.low, listed.high, n)
            if listed.by_clv
            else unknown("currency", N_("The forecast isn't fit to act on, so no value is known."))
        )
    return {name: made[name] for name in UNITS if name in made}


def _why_not(found: Survey, name: Measure) -> str:
    if not found.answers.usable(name):
        return N_("Nobody gave more than 7 of 10: the scale looks like another one.")
    n = found.counted[name]
    if not n:
        return N_("Nobody gave such a score.")
    return _FEW


def _level(found: Survey, name: Measure) -> Metric:
    if name == "ces":
        return _mean(found, name)
    level, unit = found.levels.get(name), UNITS[f"survey.{name}"]
    if level is None:
        return unknown(unit, _why_not(found, name), n=found.counted[name])
    earlier = found.before.get(name)
    previous = None if earlier is None else earlier.value
    return Metric(level.value, unit, level.low, level.high, level.n, previous=previous)


def _mean(found: Survey, name: Measure) -> Metric:
    level, earlier = found.levels.get(name), found.before.get(name)
    if level is None:
        return unknown("number", _why_not(found, name), n=found.counted[name])
    previous = None if earlier is None else earlier.mean
    ends = level.mean_low, level.mean_high
    return Metric(level.mean, "number", *ends, level.n, previous=previous)


def _response(found: Survey) -> Metric:
    if found.asked is None or found.answered is None:
        return unknown("share", N_("The data has answers only, not who was asked and kept silent."))
    limits = wilson(found.answered, found.asked)
    if limits is None or found.asked < FEWEST:
        why = N_("Too few customers were asked for a share to be told.")
        return unknown("share", why, n=found.asked)
    return Metric(found.answered / found.asked, "share", limits.low, limits.high, found.asked)


def _weighted_metric(found: Survey) -> Metric:
    if found.lead != "nps":
        return unknown("number", _why_not(found, "nps"))
    weighting = found.weighting
    if weighting is None:
        assert found.unweighted is not None
        return unknown("number", _NO_WEIGHTS[found.unweighted])
    return Metric(weighting.value, "number", weighting.low, weighting.high, weighting.n)


def _later_metrics(found: Survey) -> dict[str, Metric]:
    after = found.later
    names: tuple[tuple[str, Literal["share", "currency"], Difference | None], ...] = (
        ("promoter_repurchase_difference", "share", None if after is None else after.alike),
        ("promoter_spend_difference", "currency", None if after is None else after.spend_alike),
    )
    made = {}
    for name, unit, gap in names:
        if gap is not None and found.later is not None and found.lead == "nps":
            n = int(found.later.groups.loc[["best", "worst"], "n"].sum())
            made[f"survey.{name}"] = Metric(gap.change, unit, gap.low, gap.high, n)
            continue
        why: str = _NO_LATER
        if found.lead != "nps":
            why = _why_not(found, "nps")
        elif found.later is not None and found.later.why_not is not None:
            why = _NOT_ALIKE[found.later.why_not]
        made[f"survey.{name}"] = unknown(unit, why)
    return made
