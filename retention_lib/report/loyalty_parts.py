"""Chapter 05 in short: its heading, and a sentence on each data set beside the orders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from retention_lib.data.handover import run_folder
from retention_lib.loyalty.beyond import Beyond
from retention_lib.loyalty.comparable_effect import Effect
from retention_lib.metrics import Metric
from retention_lib.report import campaign_parts, experiment_parts, told
from retention_lib.report.findings import campaign as of_campaigns
from retention_lib.report.findings import experiment as of_tests
from retention_lib.report.findings import loyalty
from retention_lib.report.findings import programme as of_programme
from retention_lib.report.findings import subscription as of_subscriptions
from retention_lib.report.findings import survey as of_survey
from retention_lib.report.told import Told
from retention_lib.sentence import Sentence


def tell(found: Beyond) -> tuple[Told, ...]:
    """What was found of each, in a sentence; in a run it is left for the summary as well."""
    said = tuple(_tell(found))
    folder = run_folder()
    if folder is not None:
        told.save(said, folder)
    return said


def _tell(found: Beyond) -> Iterator[Told]:
    if found.programme is not None:
        yield Told(Sentence("The programme"), of_programme.pays(found.programme), "programme")
    for test in found.tests:
        title = Sentence("{test}", test=test.plan.title)
        yield Told(title, of_tests.heading(test), experiment_parts.anchor(test))
    for one in found.campaigns:
        title = Sentence("{campaign}", campaign=one.title)
        yield Told(title, of_campaigns.heading(one), campaign_parts.anchor(one))
    if found.survey is not None and found.survey.lead is not None:
        yield Told(Sentence("Survey"), of_survey.heading(found.survey), "survey")
    if found.subscriptions is not None and not found.subscriptions.empty:
        heading = of_subscriptions.heading(found.subscriptions)
        yield Told(Sentence("Subscriptions"), heading, "subscriptions")


def headline(found: Beyond) -> Sentence:
    """The chapter's heading."""
    said, subscribed = found.survey, found.subscriptions
    score = None
    if said is not None and said.lead is not None:
        level = said.levels[said.lead].value
        score = Sentence(loyalty.SCORES[said.lead], value=of_survey.level(level, said.lead))
    stayed = None
    if subscribed is not None and not subscribed.empty:
        churn = subscribed.rates.logo_churn
        stayed = None if churn.value is None else Metric(1 - churn.value, "share", n=churn.n)
    return loyalty.headline([*_judged(found)], score, stayed)


def _judged(found: Beyond) -> Iterator[loyalty.Judged]:
    """What is known of each measure."""
    if found.programme is not None:
        compared = found.programme.effect
        yield _of_effect(compared.revenue, fair=compared.may_be_called_effect)
    for test in found.tests:
        if test.is_broken or not test.together:
            yield "unjudged"
        else:
            yield _STANDS[test.of("revenue").stands]
    for one in found.campaigns:
        yield _of_effect(one.revenue, fair=one.fair)


_STANDS: Final[Mapping[int, loyalty.Judged]] = {1: "brought", 0: "open", -1: "lost"}


def _of_effect(effect: Effect, *, fair: bool) -> loyalty.Judged:
    if not fair or not effect.known:
        return "unjudged"
    if not effect.sure:
        return "open"
    return "brought" if effect.value > 0 else "lost"
