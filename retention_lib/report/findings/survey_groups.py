"""Sentences on scores over time and by group of customers."""

from __future__ import annotations

from retention_lib.loyalty.survey_answers import FEWEST
from retention_lib.loyalty.survey_scores import Groups, OverTime
from retention_lib.report.findings.survey_words import MEASURES, level
from retention_lib.report.labels import group_name
from retention_lib.sentence import Sentence, counted, together


def over_time(time: OverTime) -> Sentence:
    """The heading over the months, quarters or years."""
    lead, frame = time.measure, time.frame
    values = {
        "measure": MEASURES[lead],
        "first": level(float(frame["value"].iloc[0]), lead),
        "last": level(float(frame["value"].iloc[-1]), lead),
    }
    if time.moves == "up":
        return Sentence("{measure} is rising: from {first} to {last}", **values)
    if time.moves == "down":
        return Sentence("{measure} is falling: from {first} to {last}", **values)
    if time.moves == "differs":
        return Sentence(
            "{measure} goes up and down by more than chance explains, without a direction", **values
        )
    return Sentence("{measure} moves up and down no more than chance explains", **values)


def how_over_time(time: OverTime) -> Sentence:
    """What the dots are."""
    said = {
        "month": Sentence("A dot a month, with its 95% interval; each customer's last answer."),
        "quarter": Sentence("A dot a quarter, with its 95% interval; each customer's last answer."),
        "year": Sentence("A dot a year, with its 95% interval; each customer's last answer."),
    }[time.grain]
    if not time.held_back:
        return said
    return together(
        said,
        Sentence("What has fewer than {few} answers is left out.", few=FEWEST),
    )


def groups(found: tuple[Groups, ...]) -> Sentence:
    """The heading over all groups: the one that is surest to stand out."""
    out = [
        (row["p"], one, row)
        for one in found
        for _, row in one.frame[one.frame["stands_out"] != 0].iterrows()
    ]
    lead = found[0].measure
    if not out:
        return Sentence(
            "{measure} differs between groups of customers no more than chance explains",
            measure=MEASURES[lead],
        )
    _, one, row = min(out, key=lambda found: float(found[0]))
    values = {
        "measure": MEASURES[lead],
        "group": name_of(one, row["group"]),
        "value": level(float(row["value"]), lead),
        "rest": level(float(row["rest"]), lead),
    }
    if row["stands_out"] > 0:
        return Sentence(
            "{group} are happier than the others: {measure} is {value} against {rest}", **values
        )
    return Sentence(
        "{group} are less happy than the others: {measure} is {value} against {rest}", **values
    )


def name_of(groups_: Groups, group: object) -> str:
    """The name of a group, for a sentence or a row."""
    if groups_.by == "segment":
        return Sentence(str(group))
    return group_name(str(group))


def held_back(one: Groups) -> Sentence | None:
    """How many groups are too small."""
    if not one.held_back:
        return None
    return counted(
        one.held_back,
        "{n} group with fewer than {few} answers is held back.",
        "{n} groups with fewer than {few} answers each are held back.",
        few=FEWEST,
    )


def how_groups() -> Sentence:
    """What the groups are, and when one stands out."""
    return Sentence(
        "Segments are those of the day of the answer, so that nothing bought or left out since is "
        "in them; tiers are today's, markets and channels those in which a customer bought most "
        "often. Bold is what differs from all other customers by more than chance explains, "
        "the groups judged together."
    )
