"""The words of each rule of advice, under its id and variant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from retention_lib.sentence import N_, Counted


@dataclass(frozen=True)
class Words:
    """The words of a rule, or of one of its variants.

    Parameters
    ----------
    short : str
        Its name in the contents.
    heading : str or Counted
        What to do and why, in one breath.
    seen : str or Counted
        The evidence, with its interval and n.
    measure : str
        What to do, so that somebody can begin tomorrow.
    """

    short: str
    heading: str | Counted
    seen: str | Counted
    measure: str


WORDS: Final[dict[tuple[str, str], Words]] = {
    ("call", ""): Words(
        N_("Personal calls"),
        Counted(
            "Call {few} customer in person: half of all that is at stake lies there",
            "Call {few} customers in person: half of all that is at stake lies with them",
            by="few",
        ),
        Counted(
            "Of the {n} customers who are slipping away, the first alone holds {stake} of what is "
            "at stake, {each}.",
            "Of the {n} customers who are slipping away, the first {few} hold {stake} of what is "
            "at stake, {each} each.",
            by="few",
        ),
        N_(
            "Have somebody who knows the customers call or write in person, from the top of the "
            "list down: ask what went wrong, and put it right. A discount is the last resort."
        ),
    ),
    ("win_back", ""): Words(
        N_("Win-back offer"),
        N_("Win back {n} customers who are slipping away: {stake} is at stake"),
        N_(
            "Customers with two purchases or more who have stayed away longer than their own "
            "rhythm explains: {n}. At stake with them is {stake} ({stake_low} to {stake_high}), as "
            "much as {share} of all the value to come."
        ),
        N_(
            "Send a win-back offer, from the top of the list down, and stop where an offer costs "
            "more than the customer is worth."
        ),
    ),
    ("win_back", "plain"): Words(
        N_("Win-back offer"),
        N_("Win back {n} customers who are slipping away: {stake} is at stake"),
        N_(
            "Customers with two purchases or more who have stayed away longer than their own "
            "rhythm explains: {n}. At stake with them is {stake}, as much as {share} of all the "
            "value to come."
        ),
        N_(
            "Send a win-back offer, from the top of the list down, and stop where an offer costs "
            "more than the customer is worth."
        ),
    ),
    ("second_order", ""): Words(
        N_("Welcome flow"),
        N_("Welcome new customers until they have bought twice"),
        N_(
            "After a first purchase {first} ({first_low} to {first_high}) buy again within {days}, "
            "after a second {second} ({second_low} to {second_high})."
        ),
        N_(
            "Send a welcome flow after the first order: how to use what they bought, what goes "
            "with it, how to reorder, and a reason to come back soon."
        ),
    ),
    ("thank_best", ""): Words(
        N_("Early access for the best"),
        N_("Keep the best: a fifth of the customers brings {share} of the revenue"),
        N_(
            "The best fifth of the period's customers brought {share} of its revenue; {n} "
            "customers of the best value tier are in all likelihood still there, worth {worth}."
        ),
        N_(
            "Give them what money can't buy elsewhere: early access, a person to turn to, thanks. "
            "They need no discount to stay."
        ),
    ),
    ("ask_why", ""): Words(
        N_("Asking why"),
        N_("Ask those who left why: retention fell from {before} to {rate}"),
        N_(
            "Retention was {before} in the period before and is {rate} ({rate_low} to {rate_high}) "
            "in this one: more of a fall than chance explains."
        ),
        N_(
            "Ask a sample of those who left, with one open question, and those who stayed the "
            "same. Group the answers, mend the most frequent, and tell those who complained that "
            "it is mended."
        ),
    ),
    ("remind", ""): Words(
        N_("Personal reminders"),
        N_("Remind {n} customers now, while it is early enough"),
        N_(
            "{n} customers are in the days in which most of their kind have bought again. Of those "
            "who were there {months} ago {window} ({window_low} to {window_high}) have bought "
            "since; of those who were later than that only {late} ({late_low} to {late_high})."
        ),
        N_(
            "Send a reminder before the day from which it is late, which stands beside each "
            "customer: what they bought last, what goes with it, one step to reorder."
        ),
    ),
    ("cross_sell", ""): Words(
        N_("Offers by category"),
        N_("Offer {next_category} to those who buy {category}"),
        N_(
            "Of {share_n} customers with {category} and without {next_category}, {share} "
            "({share_low} to {share_high}) took it up within 90 days: {lift} times ({lift_low} to "
            "{lift_high}) as many as of others who buy equally often."
        ),
        N_(
            "Offer each customer the next category that the list names, instead of one offer for "
            "all. Others took it up of themselves; whether an offer brings it about, the test "
            "shows."
        ),
    ),
    ("first_category", ""): Words(
        N_("Where to begin"),
        N_("Let new customers begin with {category}"),
        N_(
            "Customers whose first purchase was mostly {category} bring {later} each in the {days} "
            "after it, {difference} ({difference_low} to {difference_high}) more than others with "
            "an equally large first purchase."
        ),
        N_(
            "Lead with {category} where new customers are won: adverts, landing page, first offer. "
            "Those who choose it may differ anyhow, so try it on half of the traffic by lot."
        ),
    ),
    ("season", ""): Words(
        N_("Seasonal timing"),
        N_("Be ready for {month}: {lift} above an average month"),
        N_(
            "In {month} customers make {lift} ({lift_low} to {lift_high}) more orders a day than "
            "in an average month, year after year. The next is in {year}."
        ),
        N_(
            "Plan stock, staff and mailings for it, and reach those who are slipping away in the "
            "weeks before, when they are likeliest to buy anyway."
        ),
    ),
    ("weekday", ""): Words(
        N_("The day to send on"),
        N_("Send on the eve of {weekday}, the strongest day"),
        N_(
            "On {weekday} customers place {lift} ({lift_low} to {lift_high}) more orders than on "
            "an average day, over {lift_n} weeks."
        ),
        N_(
            "Send mailings and reminders so that they are read on the day on which most is bought "
            "anyway, and try another day on half of the list."
        ),
    ),
    ("after_peaks", "new"): Words(
        N_("After the peaks"),
        N_("Follow up on new customers of the peaks: fewer of them come back"),
        N_(
            "Of {share_n} customers whose first purchase fell on a peak, {share} ({share_low} to "
            "{share_high}) bought again within 90 days, against {others} of other new customers of "
            "the same quarter."
        ),
        N_(
            "Give those whom a peak brings a reason to come back that isn't the next bargain: a "
            "welcome flow of their own, and no second discount in the first weeks."
        ),
    ),
    ("after_peaks", "returning"): Words(
        N_("After the peaks"),
        N_("Follow up on purchases of the peaks: fewer are followed by another"),
        N_(
            "Of {share_n} purchases on peaks, {share} ({share_low} to {share_high}) were followed "
            "by another within 90 days, against {others} of others of the same quarter."
        ),
        N_(
            "Plan the weeks after a peak with the peak: a reminder in the personal window, with "
            "what goes with what was bought."
        ),
    ),
    ("birthday", ""): Words(
        N_("Birthday greetings"),
        N_("Greet {n} customers on their birthday"),
        N_(
            "Around their birthday customers buy {lift} ({lift_low} to {lift_high}) more often "
            "than in the rest of their year."
        ),
        N_("Send a greeting ten days before, with something small to choose from."),
    ),
    ("acquisition", "loses"): Words(
        N_("Cost of new customers"),
        N_("Pay less for new customers: they bring {ratio} of their cost"),
        N_(
            "A new customer is expected to bring {clv} within the horizon and costs {cost}: "
            "{ratio} ({ratio_low} to {ratio_high}) times the cost."
        ),
        N_(
            "Look at the cost by channel, stop the dearest that brings no better customers, and "
            "put the money into the customers who are there."
        ),
    ),
    ("acquisition", "pays"): Words(
        N_("Cost of new customers"),
        N_("Win more customers: each brings {ratio} times its cost"),
        N_(
            "A new customer is expected to bring {clv} within the horizon and costs {cost}: "
            "{ratio} ({ratio_low} to {ratio_high}) times the cost."
        ),
        N_(
            "Raise what is spent on new customers step by step, and watch whether those won later "
            "are worth as much: the next are dearer and often less loyal."
        ),
    ),
    ("programme", ""): Words(
        N_("Whom to spend on"),
        N_("Spend on {n} customers, not on all: more is at stake with them than it costs"),
        N_(
            "Keeping every active customer at {each} each costs {total} within the horizon. With "
            "{n} of them, {share}, more is at stake than that: {stake} for {cost}."
        ),
        N_("Give these the programme, and the others what costs next to nothing."),
    ),
    ("local", "market"): Words(
        N_("Local adaptation"),
        N_("Look at market {group}: {rate} stayed there, {reference} elsewhere"),
        N_(
            "Of {rate_n} customers of market {group}, {rate} ({rate_low} to {rate_high}) stayed, "
            "against {reference}. At that rate {more} more would have stayed."
        ),
        N_(
            "Compare what customers meet there with what they meet elsewhere: range, prices, "
            "delivery, service, language. Change one thing, and watch this market against the "
            "others."
        ),
    ),
    ("local", "channel"): Words(
        N_("Adaptation by channel"),
        N_("Look at channel {group}: {rate} stayed there, {reference} elsewhere"),
        N_(
            "Of {rate_n} customers of channel {group}, {rate} ({rate_low} to {rate_high}) stayed, "
            "against {reference}. At that rate {more} more would have stayed."
        ),
        N_(
            "Compare what customers meet in this channel with what they meet in the others: what "
            "they are promised, how they are welcomed, how they order again. Change one thing, and "
            "watch this channel against the others."
        ),
    ),
    ("close_loop", ""): Words(
        N_("Unhappy customers"),
        Counted(
            "Call the {n} unhappy customer of high value: {worth} is expected of this customer",
            "Call the {n} unhappy customers of high value: {worth} is expected of them",
        ),
        Counted(
            "Of the best fifth by value, {n} customer gave a low score in the last answer. {worth} "
            "is expected of this customer within the forecast's horizon.",
            "Of the best fifth by value, {n} customers gave a low score in their last answer. "
            "{worth} is expected of them within the forecast's horizon.",
        ),
        N_(
            "Have somebody call each within days: ask what went wrong, put it right, and say what "
            "was done about it."
        ),
    ),
    ("close_loop", "plain"): Words(
        N_("Unhappy customers"),
        Counted(
            "Call the {n} unhappy customer of high value",
            "Call the {n} unhappy customers of high value",
        ),
        Counted(
            "Of the best fifth by revenue so far, {n} customer gave a low score in the last "
            "answer.",
            "Of the best fifth by revenue so far, {n} customers gave a low score in their last "
            "answer.",
        ),
        N_(
            "Have somebody call each within days: ask what went wrong, put it right, and say what "
            "was done about it."
        ),
    ),
    ("renewals", ""): Words(
        N_("Before the renewal"),
        Counted(
            "Talk to {n} subscriber before the renewal: {stake} is at stake",
            "Talk to {n} subscribers before they renew: {stake} is at stake",
        ),
        Counted(
            "The renewal of {n} subscriber is due within 90 days. What is expected, times the "
            "chance that it isn't renewed, comes to {stake}.",
            "The renewals of {n} subscribers are due within 90 days. What is expected of them, "
            "times the chance that they don't renew, comes to {stake}.",
        ),
        N_(
            "Write before the day, from the top of the list down: what they used, what comes next, "
            "how to change the plan. Leave those alone who will renew anyway."
        ),
    ),
    ("notices", ""): Words(
        N_("Notice given"),
        Counted(
            "Ask the {n} subscriber who has given notice why",
            "Ask the {n} subscribers who have given notice why",
        ),
        Counted(
            "{n} subscriber has given notice and still is here.",
            "{n} subscribers have given notice and still are here.",
        ),
        N_(
            "Ask each for the reason in one question, and have one offer for each of the commonest "
            "reasons: a pause, a smaller plan, help."
        ),
    ),
    ("referral", ""): Words(
        N_("Recommendations"),
        Counted(
            "Ask {n} content customer of high value to recommend you",
            "Ask {n} content customers of high value to recommend you",
        ),
        Counted(
            "Of the best fifth by value, {n} customer gave a high score in the last answer and is "
            "in all likelihood still one.",
            "Of the best fifth by value, {n} customers gave a high score in their last answer and "
            "are in all likelihood still customers.",
        ),
        N_(
            "Ask for a review or a friend's name while the answer is fresh, and thank for it; see "
            "whether those who come that way stay."
        ),
    ),
    ("use_points", ""): Words(
        N_("Unused points"),
        Counted(
            "Remind {n} silent member of the points there are to spend",
            "Remind {n} silent members of the points they have to spend",
        ),
        Counted(
            "{n} member holds more points than most and hasn't bought for long.",
            "{n} members hold more points than most and haven't bought for long.",
        ),
        N_("Write what the points are good for today, with a day by which to use them."),
    ),
    ("roll_out", ""): Words(
        N_("What a test has shown"),
        N_("Give all customers what {title} gave: it brought {uplift} a customer"),
        N_(
            "The test brought {uplift} of revenue for each customer treated ({uplift_low} to "
            "{uplift_high}) and {net} after its cost ({net_low} to {net_high})."
        ),
        N_(
            "Extend it to customers like those of the test, and keep a small control group by lot "
            "to see whether it goes on working."
        ),
    ),
    ("stop", ""): Words(
        N_("What costs more than it brings"),
        N_("End {title}: it costs more than it brings"),
        N_(
            "The test brought {uplift} of revenue for each customer treated ({uplift_low} to "
            "{uplift_high}); after its cost it lost {net} ({net_low} to {net_high})."
        ),
        N_("Spend the money on a measure that is tested next, with a control group by lot."),
    ),
    ("draw_lots", ""): Words(
        N_("A control group"),
        N_("Draw a control group by lot before the next of {title} goes out"),
        N_(
            "Those sent one spend {raw} more than others, nearly all of which was there before; "
            "what is left could only be compared, not tested."
        ),
        N_(
            "Leave out customers by lot: {each} sent one and as many left out show a rise in "
            "revenue of 5% within {days}."
        ),
    ),
    ("draw_lots", "unfair"): Words(
        N_("A control group"),
        N_("Draw a control group by lot before the next of {title} goes out"),
        N_(
            "Those sent one spend {raw} more than others, and nobody who wasn't sent one can be "
            "fairly compared with them: whether it works isn't known."
        ),
        N_(
            "Leave out customers by lot: {each} sent one and as many left out show a rise in "
            "revenue of 5% within {days}."
        ),
    ),
}
