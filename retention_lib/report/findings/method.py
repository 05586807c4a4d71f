"""Method in sentences: how a purchase is counted, what the models assume, how sure figures are.

The same as `docs/method.md`, for the reader of a report; each names where it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from retention_lib.data.base import Base
from retention_lib.metrics import Metric
from retention_lib.sentence import N_, Sentence
from retention_lib.smallest import SMALLEST

#: What each model assumes, in words.
MODELS: Final = {
    "bgnbd": N_(
        "BG/NBD (Fader, Hardie & Lee 2005a). Customers buy at a steady rate of their own, and "
        "after each repeat purchase may leave for good. Rate and chance differ from customer to "
        "customer."
    ),
    "mbgnbd": N_(
        "MBG/NBD (Batislam, Denizel & Filiztekin 2007). Customers buy at a steady rate of their "
        "own, and after each purchase, the first included, may leave for good. Rate and chance "
        "differ from customer to customer."
    ),
    "paretonbd": N_(
        "Pareto/NBD (Schmittlein, Morrison & Colombo 1987). Customers buy at a steady rate of "
        "their own, and may leave for good at any time. Both rates differ from customer to "
        "customer."
    ),
    "gammagamma": N_(
        "Gamma-Gamma (Fader & Hardie 2013). Amounts vary around each customer's own mean, and the "
        "means differ from customer to customer; amounts don't depend on how often one buys."
    ),
}

#: Where the models come from, by name: a title stays in the language that it was published in.
_SOURCES: Final = {
    "bgnbd": (
        'Fader, P. S., Hardie, B. G. S., Lee, K. L. (2005a). "Counting your customers" the easy '
        "way: an alternative to the Pareto/NBD model. Marketing Science 24(2), 275–284."
    ),
    "mbgnbd": (
        "Batislam, E. P., Denizel, M., Filiztekin, A. (2007). Empirical validation and comparison "
        "of models for customer base analysis. International Journal of Research in Marketing "
        "24(3), 201–209."
    ),
    "paretonbd": (
        "Schmittlein, D. C., Morrison, D. G., Colombo, R. (1987). Counting your customers: who are "
        "they and what will they do next? Management Science 33(1), 1–24."
    ),
    "gammagamma": (
        "Fader, P. S., Hardie, B. G. S. (2013). The Gamma-Gamma model of monetary value. Note 025, "
        "brucehardie.com."
    ),
}
_OF_VALUE: Final = (
    "Fader, P. S., Hardie, B. G. S., Lee, K. L. (2005b). RFM and CLV: using iso-value curves for "
    "customer base analysis. Journal of Marketing Research 42(4), 415–430."
)
_OF_INTERVALS: Final = (
    "Cochran, W. G. (1977). Sampling Techniques, 3rd ed. Wiley.",
    "Conover, W. J. (1999). Practical Nonparametric Statistics, 3rd ed. Wiley.",
    "Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian "
    "Journal of Statistics 6(2), 65–70.",
    "Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. "
    "Journal of the American Statistical Association 22(158), 209–212.",
)


def heading() -> Sentence:
    """The heading of the last chapter."""
    return Sentence("Method, definitions and provenance")


def returns(base: Base) -> Sentence:
    """What becomes of returns, as the client file has it."""
    if base.params.returns == "drop":
        return Sentence("Returns are left out of everything, and are counted with the rows.")
    return Sentence(
        "A return lowers the day on which it is booked. Where that leaves nothing, the day is no "
        "purchase, but it still counts in revenue."
    )


def customer(base: Base) -> Sentence:
    """Who counts as a customer, and until when."""
    return Sentence(
        "One customer is one id in the data. Without a contract nobody gives notice: somebody "
        "counts as a customer for {months} after the last purchase, and as lost from then on.",
        months=Metric(base.params.active_months, "months"),
    )


def days(base: Base) -> Sentence:
    """In which zone a day is taken, and in which currency an amount."""
    return Sentence(
        "Days are those of the time zone {timezone}; amounts are in {currency}.",
        timezone=base.params.timezone,
        currency=base.params.currency,
    )


def model(name: str) -> Sentence:
    """What a model assumes."""
    return Sentence(MODELS[name])


def value(base: Base) -> Sentence:
    """How purchases and spend become a value."""
    values = {
        "months": Metric(base.params.horizon_months, "months"),
        "rate": Metric(base.params.discount_rate, "share"),
        "margin": Metric(base.params.margin, "share"),
    }
    if base.params.margin >= 1:
        return Sentence(
            "Expected purchases times expected amount, month by month over the next {months}, "
            "discounted at {rate} a year (Fader, Hardie & Lee 2005b). It is revenue, not margin. "
            "What was spent before, and customers yet to be won, are not in it.",
            **values,
        )
    return Sentence(
        "Expected purchases times expected amount times the margin of {margin}, month by month "
        "over the next {months}, discounted at {rate} a year (Fader, Hardie & Lee 2005b). What was "
        "spent before, and customers yet to be won, are not in it.",
        **values,
    )


def tested() -> Sentence:
    """How a forecast is held to its past."""
    return Sentence(
        "The last months are held back, the models are fitted on what came before, and their "
        "forecasts are held against what happened and against forecasts that need no model. The "
        "same is done at several earlier days."
    )


def interval() -> Sentence:
    """What an interval is."""
    return Sentence("A 95% interval is made so that it holds the true value in 95 of 100 cases.")


def shares() -> Sentence:
    """Intervals of shares."""
    return Sentence("Wilson's score interval (Wilson 1927), which holds for few customers too.")


def means() -> Sentence:
    """Intervals of means, medians and ratios."""
    return Sentence(
        "Of means Student's t, of medians order statistics (Conover 1999), of ratios such as order "
        "value the delta method over customers (Cochran 1977)."
    )


def forecasts() -> Sentence:
    """Intervals of forecasts."""
    return Sentence(
        "Simulated futures, in which the model's parameters and each customer's luck vary; totals "
        "are widened by what forecasts of this base's past missed."
    )


def comparisons() -> Sentence:
    """What is called a difference, and of whom nothing is told."""
    return Sentence(
        "A difference is named only where chance hardly explains it, with the number of "
        "comparisons taken into account (Holm 1979). Groups of fewer than {n} customers are held "
        "back.",
        n=SMALLEST,
    )


def limits() -> list[Sentence]:
    """What the figures don't tell."""
    return [
        Sentence(
            "Silence is not notice: who has left is inferred from how long somebody has been away."
        ),
        Sentence(
            "The forecast goes on from the past. It knows of no price change, campaign or "
            "competitor to come."
        ),
        Sentence(
            "Guests and second accounts make loyal customers look new; a shared id makes many "
            "customers look like one."
        ),
        Sentence(
            "Recent customers have had less time to come back. Cohorts are compared at equal age, "
            "and unfinished periods are left alone."
        ),
        Sentence(
            "A comparison is not a cause: groups differ in more than their name. What a measure "
            "brings, only a test with a control group shows."
        ),
    ]


def rows(base: Base) -> Sentence:
    """How many rows there were, and how many counted."""
    left = base.rows_in - base.rows_used
    if not left:
        return Sentence("All {rows} rows were used.", rows=base.rows_in)
    return Sentence(
        "{used} of {rows} rows were used; {left} were left out, by cause in the chapter on the "
        "data.",
        used=base.rows_used,
        rows=base.rows_in,
        left=left,
    )


def span(base: Base) -> Sentence:
    """First and last day of the data."""
    return Sentence("{start} to {end}", start=base.start, end=base.as_of)


def literature(models: Iterable[str]) -> list[str]:
    """What the chapter names, in the order of its authors."""
    of_models = [_SOURCES[name] for name in models]
    named = [*of_models, *_OF_INTERVALS, *([_OF_VALUE] if of_models else [])]
    return sorted(named, key=lambda source: source.lstrip('"'))
