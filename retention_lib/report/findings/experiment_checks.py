"""Sentences on whether a test's lot did its work, and on who is in it."""

from __future__ import annotations

from typing import Final

from retention_lib.data.datasets import WORDS
from retention_lib.loyalty.experiment import Trial
from retention_lib.loyalty.experiment_split import ALIKE, MOST_SEVERAL, Covariate
from retention_lib.metrics import Metric
from retention_lib.sentence import Counted, Sentence

COVARIATES: Final[dict[Covariate, Sentence]] = {
    "start": Sentence("Days from the first start to the own"),
    "known": Sentence("Had bought before"),
    "since_last": Sentence("Days since the last purchase"),
    "since_first": Sentence("Days since the first purchase"),
    "bought_before": Sentence("Bought in the window before"),
    "orders_before": Sentence("Orders in the window before"),
    "revenue_before": Sentence("Revenue in the window before"),
}

#: Share of the test's customers without any order from which their ids are in doubt.
UNSEEN: Final = 0.5


def heading(found: Trial) -> Sentence:
    """The heading over the checks."""
    if found.is_broken:
        return Sentence("The groups differ by more than a lot explains")
    if found.split is None or (found.split.sizes.p is None and found.split.balance.p is None):
        return Sentence("Whether the groups are as a lot draws them can't be told")
    if found.split.is_doubtful:
        return Sentence("The groups are as a lot draws them, but another test ran unevenly")
    return Sentence("The groups are as a lot draws them, so a difference after it is an effect")


def alarms(found: Trial) -> list[str]:
    """What is wrong with the lot, each with its remedy."""
    split = found.split
    if split is None:
        return []
    told: list[str] = []
    if split.sizes.unplanned:
        told.append(
            Sentence(
                "The data has groups that the planned split doesn't name: {groups}. Name them "
                "under split, with their shares.",
                groups=", ".join(split.sizes.unplanned),
            )
        )
    elif split.sizes.is_off:
        told.append(_sizes(found))
    if split.balance.is_off:
        told.append(_unlike(found))
    if split.several_share > MOST_SEVERAL:
        told.append(
            Sentence(
                "{share} of the customers are in several groups. Who was treated and who was left "
                "alone can't be told apart.",
                share=Metric(split.several_share, "share"),
            )
        )
    return told


def _sizes(found: Trial) -> Sentence:
    """The group that is farthest from its planned size."""
    assert found.split is not None
    table = found.split.sizes.table
    off = (table["customers"] - table["expected"]).abs() / table["expected"] ** 0.5
    row = table.iloc[int(off.to_numpy().argmax())]
    values = {
        "group": str(row["group"]),
        "n": int(row["customers"]),
        "expected": round(float(row["expected"])),
    }
    if found.plan.split:
        return Sentence(
            "Group “{group}” has {n} customers; by the planned split it would have about "
            "{expected}. A lot misses by as much in less than one of a thousand draws. Look for "
            "customers who were lost or added after the draw.",
            **values,
        )
    return Sentence(
        "Group “{group}” has {n} customers; with equal groups it would have about {expected}. A "
        "lot misses by as much in less than one of a thousand draws. If the groups weren't to be "
        "equal, give their planned shares under split.",
        **values,
    )


def _unlike(found: Trial) -> Sentence:
    assert found.split is not None
    row = found.split.balance.farthest
    if row is None:
        return Sentence("Already before the start the groups weren't alike.")
    return Sentence(
        "Already before the start the groups weren't alike, by more than a lot explains. Farthest "
        "apart: “{figure}”, {value} in “{group}” and {control} in the control group.",
        figure=COVARIATES[row["figure"]],
        group=str(row["group"]),
        value=written(row["figure"], float(row["value"])),
        control=written(row["figure"], float(row["control"])),
    )


def all_well(found: Trial) -> Sentence:
    """That nothing speaks against the lot."""
    assert found.split is not None
    sizes, balance = found.split.sizes, found.split.balance
    if balance.p is None:
        return Sentence(
            "The groups have the sizes that a lot gives. Whether they were alike before can't be "
            "tested: too little is known of that time."
        )
    if sizes.p is None:
        return Sentence(
            "The groups were alike before the start in all {figures} figures that are known, but "
            "for chance.",
            figures=balance.figures,
        )
    return Sentence(
        "The groups have the sizes that a lot gives, and were alike before the start in all "
        "{figures} figures that are known, but for chance. What differs after it, the measure did.",
        figures=balance.figures,
    )


def doubts(found: Trial) -> list[str]:
    """What to know before acting on the test, though its lot did its work."""
    told: list[str] = []
    if found.seen < UNSEEN:
        told.append(
            Sentence(
                "Only {share} of the test's customers have any order. They all count, the others "
                "with 0; if the ids aren't those of the orders, nothing here holds.",
                share=Metric(found.seen, "share"),
            )
        )
    assert found.split is not None
    told += [
        Sentence(
            "{n} customers were in {other} at the same time, and not alike in every group: {most} "
            "of one, {least} of another. What differs may be its effect.",
            n=one.customers,
            other=one.other,
            most=Metric(max(one.by_group.values()), "share"),
            least=Metric(min(one.by_group.values()), "share"),
        )
        for one in found.split.overlaps
        if one.is_off
    ]
    return told


def sizes(found: Trial) -> Sentence | None:
    """What the sizes say, with the p-value."""
    split = found.split
    if split is None or split.sizes.p is None or split.sizes.is_off:  # which is an alarm
        return None
    return Sentence(
        "A lot misses the planned sizes by at least as much in {p} of draws. Below 0.1% the "
        "report would tell of no effect.",
        p=Metric(split.sizes.p, "share"),
    )


def balance(found: Trial) -> Sentence | None:
    """What the likeness before the start says."""
    split = found.split
    if split is None or split.balance.p is None:
        return None
    row = split.balance.farthest
    if row is None:
        return None
    values = {
        "p": Metric(split.balance.p, "share"),
        "figure": COVARIATES[row["figure"]],
        "apart": float(round(abs(row["apart"]), 2)),
        "alike": ALIKE,
    }
    if split.balance.is_off:
        return Sentence(
            "Before the start the groups are farthest apart in “{figure}”: {apart} standard "
            "deviations, where up to {alike} is commonly taken as alike. All figures together, a "
            "lot makes such groups in less than one of a thousand draws.",
            **values,
        )
    return Sentence(
        "Before the start the groups are farthest apart in “{figure}”: {apart} standard "
        "deviations, where up to {alike} is commonly taken as alike. All figures together, a lot "
        "makes groups at least as unlike in {p} of draws.",
        **values,
    )


def overlaps(found: Trial) -> list[str]:
    """Other tests at the same time that do no harm; those that do are doubts."""
    if found.split is None:
        return []
    return [
        Sentence(
            "{n} customers ({share}) were in {other} at the same time, about as many of every "
            "group: that doesn't touch the difference between the groups.",
            n=one.customers,
            share=Metric(one.share, "share"),
            other=one.other,
        )
        for one in found.split.overlaps
        if not one.is_off and one.p is not None
    ]


def kept_out(found: Trial) -> list[str]:
    """Who was left out of the test, and who was kept once."""
    told: list[str] = []
    several = len(found.made.several)
    if several:
        told.append(
            Sentence(
                Counted(
                    "{n} customer is in several groups and left out: in which group to count "
                    "can't be told.",
                    "{n} customers are in several groups and left out: in which group to count "
                    "can't be told.",
                ),
                n=several,
            )
        )
    if found.made.repeated:
        told.append(
            Sentence(
                Counted(
                    "{n} customer has several rows in the same group and counts once, from the "
                    "earliest start.",
                    "{n} customers have several rows in the same group and count once, from the "
                    "earliest start.",
                ),
                n=found.made.repeated,
            )
        )
    told += [
        Sentence("{cause}: {n}, left out.", cause=Sentence(row["cause"]), n=int(row["customers"]))
        for row in found.made.left_out.to_dict("records")
    ]
    counts = found.people["group"].value_counts()
    if found.uplifts:
        told += [
            Sentence(
                "Group “{group}” has {n} customers, too few to tell of.",
                group=group,
                n=int(found.made.counts[group]),
            )
            for group in found.made.groups
            if group not in counts.index
        ]
    told += [
        Sentence(
            Counted(
                "{cause}: {n} row of the test, left out.",
                "{cause}: {n} rows of the test, left out.",
            ),
            cause=Sentence(WORDS[str(row["cause"])]),
            n=int(row["rows"]),
        )
        for row in found.unread.to_dict("records")
    ]
    unseen = 0 if found.window is None else round(len(found.people) * (1 - found.seen))
    if unseen and found.seen >= UNSEEN:
        told.append(
            Sentence(
                Counted(
                    "{n} customer has no order at all and counts with 0: to leave such customers "
                    "out would undo the lot.",
                    "{n} customers have no order at all and count with 0: to leave such customers "
                    "out would undo the lot.",
                ),
                n=unseen,
            )
        )
    return told


def written(figure: Covariate, value: float) -> Metric:
    """A figure from before the start, in its unit; days as whole ones."""
    units = {
        "known": "share",
        "bought_before": "share",
        "revenue_before": "currency",
        "orders_before": "number",
    }
    unit = units.get(figure, "days")
    return Metric(round(value) if unit == "days" else value, unit)  # type: ignore[arg-type]
