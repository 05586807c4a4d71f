"""All that the data sets beside the orders say, gathered once."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.loyalty import campaign, experiment, programme, subscriptions, survey
from retention_lib.models.forecast import Forecast


@dataclass(frozen=True)
class Beyond:
    """What is known beside the orders; of a data set that the client doesn't give, nothing.

    Parameters
    ----------
    programme : Programme or None
    tests : tuple of Trial
        Of which a lot drew the groups.
    campaigns : tuple of Campaigns
        Whose customers were chosen.
    survey : Survey or None
    subscriptions : Subscriptions or None
    """

    programme: programme.Programme | None = None
    tests: tuple[experiment.Trial, ...] = ()
    campaigns: tuple[campaign.Campaigns, ...] = ()
    survey: survey.Survey | None = None
    subscriptions: subscriptions.Subscriptions | None = None


def gather(base: Base, customers: pd.DataFrame, made: Forecast) -> Beyond:
    """Work out what the data sets say.

    Parameters
    ----------
    base : Base
    customers : DataFrame
        `report.customers.customer_table`.
    made : Forecast
        Of the same base.
    """
    chosen = [name for name, one in base.params.experiments.items() if one.assigned == "chosen"]
    return Beyond(
        programme=programme.programme(base),
        tests=experiment.experiments(base),
        campaigns=tuple(campaign.of_base(base, name) for name in chosen),
        survey=survey.of_base(base, customers, made),
        subscriptions=subscriptions.of_base(base),
    )
