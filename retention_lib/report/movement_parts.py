"""Value tiers: where they begin, and who has moved between them; a section with its parts."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.handover import last_customers
from retention_lib.models.forecast import Forecast
from retention_lib.report import tables
from retention_lib.report.customers import Earlier, earlier_customers
from retention_lib.report.figures import Drawn, tier_moves
from retention_lib.report.findings import movements as findings
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.retention.intervals import wilson
from retention_lib.retention.movements import GONE, NEW, Movements, group_moves, movements
from retention_lib.retention.segments import tier_cuts, tiers
from retention_lib.smallest import SMALLEST

_COLUMNS: Final = ("tier", "clv", "purchases", "segment")


def last_table(base: Base) -> tuple[Any, pd.DataFrame] | None:
    """The day of the client's last report and its customers; None where there is none at hand."""
    found = last_customers()
    if found is None:
        return None
    day, file = found
    try:
        table = pd.read_parquet(file, columns=list(_COLUMNS))
    except (OSError, ValueError):  # damaged, or of another program: worked out anew instead
        return None
    if not table.index.is_unique or day >= base.as_of:
        return None
    # cut at the shares of today, so that the same tiers are compared; the ids as the data has them
    table.index = table.index.astype(str)
    return day, table.assign(tier=tiers(table["clv"], base.params.tiers))


def since_last(
    base: Base, customers: pd.DataFrame, made: Forecast, earlier: Earlier | None = None
) -> tuple[Movements | None, pd.DataFrame]:
    """Movement between tiers, and between segments, since the last report.

    Without one, since a quarter ago, by what the data knew then.

    Parameters
    ----------
    base : Base
    customers : DataFrame
        Today's (`report.customers.customer_table`).
    made : Forecast
    earlier : Earlier, optional
        The customers of a quarter ago, where they are at hand.

    Returns
    -------
    Movements or None
        None where nobody was in a tier on the earlier day, or is today.
    DataFrame
        `group_moves` of the segments; empty without movements.
    """
    today = customers.set_axis(customers.index.astype(str))
    last = last_table(base)
    if last is not None:
        (day, then), reported = last, True
    else:
        earlier = earlier or earlier_customers(base, made)
        if earlier is None:
            return None, pd.DataFrame()
        day, then, reported = earlier.base.as_of, earlier.customers, False
        then = then.set_axis(then.index.astype(str))
    found = movements(then, today, day, base.as_of, reported=reported)
    if found is None:
        return None, pd.DataFrame()
    return found, group_moves(then["segment"], today["segment"])


def sections(
    found: Movements | None,
    segments: pd.DataFrame,
    customers: pd.DataFrame,
    base: Base,
    page: Page,
) -> list[Shown]:
    """The section on value tiers; nothing where no customer has a value.

    Parameters
    ----------
    found, segments
        Of `since_last`.
    customers : DataFrame
        Today's.
    base : Base
    page : Page
    """
    cuts = tier_cuts(customers, base.params.tiers)
    if cuts.empty:
        return []
    formats = page.formats
    shown: list[Shown | None] = [
        page.section(findings.heading(found, cuts), name="Value tiers"),
        page.table(cuts_table(cuts, formats)),
        page.note(findings.cuts(cuts)),
    ]
    if found is not None:
        shown += [
            page.figure(moves_figure(found, formats)),
            page.table(moves_table(found, formats)),
            page.text(findings.moved(found)),
            page.text(findings.value(found)),
            page.note(findings.chance()),
            page.table(segments_table(segments, formats)),
            page.note(findings.source(found)),
        ]
    return [part for part in shown if part is not None]


def cuts_table(cuts: pd.DataFrame, formats: Formats) -> Any:
    """The tiers with their cuts written out."""
    say = formats.say

    def cents(amounts: pd.Series) -> list[str]:
        # to the cent, so that the cut can be made anew
        return [formats.money(amount, 2) for amount in amounts]

    texts = {
        "tier": (say("Tier"), [str(name) for name in cuts["tier"]]),
        "share": (say("Share asked for"), [formats.share(x) for x in cuts["asked"]]),
        "size": (say("Customers"), [formats.count(n) for n in cuts["customers"]]),
        "from": (say("CLV from"), cents(cuts["lowest"])),
        "to": (say("to"), cents(cuts["highest"])),
        "all": (say("CLV, all of them"), [formats.money(x) for x in cuts["clv"]]),
        "of_all": (say("of CLV"), [formats.share(x) for x in cuts["share_of_clv"]]),
    }
    return tables.written_table(cuts, texts, "tier", id="tier-cuts")


def moves_figure(found: Movements, formats: Formats) -> Drawn:
    """Where each tier's customers are now; of a tier of a handful the counts alone."""
    counts = found.counts
    # rows and columns of nobody say nothing
    counts = counts.loc[
        [n for n in counts.index if n != NEW or counts.loc[n].sum()],
        [n for n in counts.columns if n != GONE or counts[n].sum()],
    ]
    total = counts.sum(axis=1)
    shares = counts.div(total.where(total >= SMALLEST, np.nan), axis=0)
    named = {NEW: formats.say("new since"), GONE: formats.say("no longer in the data")}
    rows, columns = ([named.get(n, n) for n in axis] for axis in (counts.index, counts.columns))
    return tier_moves(
        counts.set_axis(rows, axis=0).set_axis(columns, axis=1),
        shares,
        formats,
        formats.say("Tier on {day}", day=formats.date(found.since)),
        formats.say("Tier on {day}", day=formats.date(found.until)),
    )


def moves_table(found: Movements, formats: Formats) -> Any:
    """What became of each tier's customers; of a handful no shares."""
    say = formats.say
    everybody = found.of.sum(numeric_only=True).to_dict() | {"tier": say("All")}
    low, high = wilson(int(everybody["kept"]), found.known) or (np.nan, np.nan)
    everybody |= {"share": everybody["kept"] / max(found.known, 1), "low": low, "high": high}
    frame = pd.concat([found.of, pd.DataFrame([everybody])], ignore_index=True)
    counts = ["customers", "kept", "up", "down", "down_silent", "gone"]
    frame = frame.astype(dict.fromkeys(counts, int))
    few = frame["customers"] < SMALLEST
    ends = ["share", "low", "high"]
    frame[ends] = frame[ends].mask(few)
    frame["interval"] = [
        formats.interval(low, high, "share").replace(" ", "\N{NO-BREAK SPACE}")
        for low, high in zip(frame["low"], frame["high"], strict=True)
    ]
    formats_of: dict[str, tables.Format] = {
        "tier": "text",
        "customers": "count",
        "share": "share",
        "interval": "text",
        "up": "count",
        "down": "count",
        "down_silent": "count",
    }
    labels = {
        "tier": say("Tier then"),
        "customers": say("Customers"),
        "share": say("Still in it"),
        "interval": say("95% interval"),
        "up": say("Moved up"),
        "down": say("Moved down"),
        "down_silent": say("of them silent"),
    }
    if found.of["gone"].any():
        formats_of["gone"], labels["gone"] = "count", say("No longer in the data")
    return tables.frame_table(frame, formats, formats_of, labels, stub="tier", id="tier-moves")


def segments_table(moves: pd.DataFrame, formats: Formats) -> Any | None:
    """Each segment's customers then and now, and how many came and left; None of none."""
    if moves.empty:
        return None
    say = formats.say
    formats_of: dict[str, tables.Format] = {
        "group": "text",
        **dict.fromkeys(("then", "stayed", "left", "came", "new", "now"), "count"),
    }
    labels = {
        "group": say("Segment"),
        "then": say("Then"),
        "stayed": say("Stayed"),
        "left": say("Left it"),
        "came": say("Came into it"),
        "new": say("New customers"),
        "now": say("Now"),
    }
    named = moves.assign(group=[say(name) for name in moves["group"]])
    return tables.frame_table(named, formats, formats_of, labels, stub="group", id="segment-moves")
