"""The sentences of a verdict."""

from __future__ import annotations

from retention_lib.sentence import N_

NO_SPEND = N_("There is no spend model, so values in money are not known.")
NOT_TESTED = N_("The history is too short to test the forecast on a part of it.")
NOBODY_BOUGHT = N_(
    "Nobody bought in the holdout window, so the forecast's total can't be compared; it expected "
    "{forecast} purchases."
)
PER_CUSTOMER = N_(
    "Per customer {model} typically missed by {rmse} purchases; the best naive forecast, "
    "{baseline}, by {naive}."
)
TOTAL = N_(
    "In the holdout {model} forecast {forecast} purchases and {actual} happened, a miss of {miss}; "
    "the naive forecast that came closest, {closest}, missed by {naive}."
)
OUTSIDE = N_(
    "The {actual} purchases that happened in the holdout lie outside the model's 95% interval, "
    "{low} to {high}: buying changed in a way that the model doesn't know, so take the interval of "
    "the next forecast as too narrow."
)
OUTSIDE_WIDENED = N_(
    "The {actual} purchases that happened in the holdout lie outside the model's 95% interval, "
    "{low} to {high}: buying changed in a way that the model doesn't know. The interval of the "
    "next forecast takes such misses in."
)
REVENUE_LOW = N_(
    "In money the holdout's forecast was {miss} too low, where purchases were missed by "
    "{purchases}: customers spent more per purchase than before, or those who spend most bought "
    "more often than forecast."
)
REVENUE_HIGH = N_(
    "In money the holdout's forecast was {miss} too high, where purchases were missed by "
    "{purchases}: customers spent less per purchase than before, or those who spend most bought "
    "less often than forecast."
)
BEST_TENTH = N_(
    "The tenth of the customers with the highest forecast value brought {share} of the holdout's "
    "revenue; the tenth with the highest past revenue {past}, a perfect list {perfect}."
)
BEST_TENTH_ALONE = N_(
    "The tenth of the customers with the highest forecast value brought {share} of the holdout's "
    "revenue; a perfect list would have brought {perfect}."
)
WORSE_TENTH = N_(
    "The tenth of the customers with the highest forecast value brought {share} of the holdout's "
    "revenue, less than the {past} of those with the highest past revenue (a perfect list: "
    "{perfect}): to pick the best customers, take past revenue."
)
MOVED = N_(
    "From the earliest to the latest of {n} forecasts of this base's past, over {months} each, "
    "what happened went from {first} to {last} of what was forecast: buying changes faster than "
    "the model follows."
)
ALWAYS_LOW = N_(
    "In {side} of {n} forecasts of this base's past, over {months} each, more happened than was "
    "forecast, {by} more on average over all: expect the total above the forecast rather than "
    "below."
)
ALWAYS_HIGH = N_(
    "In {side} of {n} forecasts of this base's past, over {months} each, less happened than was "
    "forecast, {by} less on average over all: expect the total below the forecast rather than "
    "above."
)
PAST = N_(
    "In {n} forecasts of this base's past, over {months} each, what happened was between {least} "
    "and {most} of what was forecast."
)
PAST_MONEY = N_(
    "In {n} forecasts of this base's past, over {months} each, revenue was between {least} and "
    "{most} of what was forecast: take values in money as a size, not as a figure."
)
PAST_WON = N_(
    "Over these {n} forecasts the total was typically off by {miss}; the best naive forecast, "
    "{baseline}, by {naive}."
)
PAST_LOST = N_(
    "Over {n} forecasts of this base's past the total was typically off by {miss}; a naive "
    "forecast, {baseline}, only by {naive}."
)
TIED_UP = N_(
    "Spend is tied to frequency (rank correlation {spearman}), which the spend model takes as "
    "independent: the value of frequent buyers is understated."
)
TIED_DOWN = N_(
    "Spend is tied to frequency (rank correlation {spearman}), which the spend model takes as "
    "independent: the value of frequent buyers is overstated."
)
