"""The campaigns one by one, by kind, for whom, and by other ways of comparing.

Campaigns are compared one by one with Holm's correction, and drawn together as a hierarchy would:
each between its own figure and the mean of all, by how much campaigns differ beyond their intervals
(random effects, DerSimonian & Laird 1986, Controlled Clinical Trials 7, 177-188; the single effects
by empirical Bayes, Morris 1983, J. Am. Stat. Assoc. 78, 47-55). They share those compared with,
which makes their figures a little more alike than they look.

For whom: each question's parts are compared within themselves, so that customers are held against
customers of the same part, and tested for differing by more than chance (Cochran's Q), with Holm's
correction over the questions (interaction tests: Brookes et al. 2004, J. Clin. Epidemiol. 57).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.loyalty.comparable import Comparison
from retention_lib.loyalty.comparable_effect import UNKNOWN, Effect
from retention_lib.retention.homogeneity import holm
from retention_lib.retention.intervals import Z
from retention_lib.smallest import SMALLEST

_EFFECT: Final = tuple(vars(UNKNOWN))
#: Questions on whom it works, and their parts from the least to the most.
QUESTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "spend": ("least", "middle", "most"),
    "recency": ("lately", "longer_ago"),
    "tenure": ("newer", "older"),
}


def stacks_of(spans: pd.DataFrame) -> pd.DataFrame:
    """A row a stack: stack, campaign, kind, day, sent (customers)."""
    keys = ["stack", "campaign", "kind", "day"]
    return spans.groupby(keys).agg(sent=("customer", "nunique")).reset_index()


def by_campaign(compared: Comparison, stacks: pd.DataFrame) -> pd.DataFrame:
    """Each campaign with enough customers: campaign, kind, day, the effect's columns, p, p_holm,
    and `shrunk`, `shrunk_low`, `shrunk_high`; in the order of their days.
    """
    columns = ["campaign", "kind", "day", *_EFFECT, "p", "p_holm"]
    columns += ["shrunk", "shrunk_low", "shrunk_high"]
    found = compared.by_stack()
    found = found[(found["treated"] >= SMALLEST) & (found["error"] > 0)]
    if found.empty:
        return pd.DataFrame(columns=columns)
    found = found.drop(columns="day").merge(stacks, on="stack").sort_values(["day", "campaign"])
    value, error = found["value"].to_numpy(dtype=float), found["error"].to_numpy(dtype=float)
    p = chance(value, error)
    centre, spread = drawn_together(value, error)
    shrunk = pd.DataFrame(
        {"shrunk": centre, "shrunk_low": centre - Z * spread, "shrunk_high": centre + Z * spread},
        index=found.index,
    )
    found = found.assign(p=p, p_holm=holm(pd.Series(p, found.index))).join(shrunk)
    return found[columns].reset_index(drop=True)


def by_kind(compared: Comparison, stacks: pd.DataFrame) -> pd.DataFrame:
    """Each kind of campaign: kind, the effect's columns, placebo, placebo_low, placebo_high, p,
    p_holm; empty where there is one kind.
    """
    kinds = stacks[stacks["kind"] != ""]
    names = sorted(kinds["kind"].unique())
    rows = []
    if len(names) > 1 and len(compared.units):
        kind_of = compared.units["stack"].map(kinds.set_index("stack")["kind"])
        for name in names:
            part = compared.only(kind_of == name)
            rows.append({"kind": name, **_with_placebo(part)})
    return _with_chance(rows, ["kind"])


def for_whom(compared: Comparison) -> pd.DataFrame:
    """Parts of the customers by what was known of them: question, part, the effect's columns,
    placebo and its interval; of the question, whether its parts differ: p, and p_holm over all.
    """
    columns = ["question", "part", *_EFFECT, "placebo", "placebo_low", "placebo_high"]
    rows: list[dict[str, object]] = []
    units = compared.units
    if len(units) and compared.compared:
        treated = units["treated"].to_numpy()
        for question, parts in QUESTIONS.items():
            measure = _measure(compared, question)
            cuts = np.quantile(measure[treated], np.linspace(0, 1, len(parts) + 1)[1:-1])
            place = np.searchsorted(cuts, measure, side="left")
            asked = [
                {"question": question, "part": part, **_with_placebo(compared.only(place == n))}
                for n, part in enumerate(parts)
            ]
            # a question of which a part is missing isn't asked
            if all(int(str(row["treated"])) >= SMALLEST for row in asked):
                rows += asked
    frame = pd.DataFrame(rows, columns=columns)
    p = {str(name): differ(part) for name, part in frame.groupby("question", sort=False)}
    corrected = dict(zip(p, holm(pd.Series(list(p.values()), dtype=float)), strict=True))
    return frame.assign(p=frame["question"].map(p), p_holm=frame["question"].map(corrected))


def _measure(compared: Comparison, question: str) -> np.ndarray:
    units, design = compared.units, compared.design
    if question == "spend":
        windows = [units[f"revenue_-{k}"].fillna(0.0) for k in range(1, design.before + 1)]
        # a mean over the windows known: stacks differ in how many there are
        return np.asarray(sum(windows) / units["history"].clip(lower=1), dtype=float)
    if question == "recency":
        return units["recency_0"].fillna(units["first_days"]).to_numpy(dtype=float)
    return units["first_days"].to_numpy(dtype=float)


def ways(compared: Comparison, way: str, others: Mapping[str, Comparison]) -> pd.DataFrame:
    """The same question by other ways of comparing, the main one first.

    Returns
    -------
    DataFrame
        way, days (of the window), treated, customers; share, share_low, share_high: the effect over
        what comparable customers spent; value, low, high in currency; placebo_share and its
        interval; passed, whether the placebo has 0 in it (of all windows before, Holm).
    """
    rows = [_way(way, compared)]
    change, main = compared.change(), compared.effect()
    if change.known:
        rows.append(
            {
                **rows[0],
                "way": "change",
                "treated": change.treated,
                **_in_shares(change, main.without),
                # its own check is the window before the one that it starts from, not shown
                **dict.fromkeys(("placebo_share", "placebo_low", "placebo_high"), math.nan),
                "passed": None,
            }
        )
    order = ("open", "first", "each", "spaced", "shorter", "longer")
    further = [name for name in order if name in others and name != way]
    rows += [_way(name, others[name]) for name in further if others[name].effect().known]
    return pd.DataFrame(rows, columns=no_ways().columns)


@dataclass(frozen=True)
class Redeemed:
    """Those who used what they were sent, against those who didn't: no effect of anything.

    Parameters
    ----------
    n, others : int
        Customers compared who did, and who didn't.
    now, before : float
        By how much they spent more, in the window from the day on and in the one before.
    """

    n: int
    others: int
    now: float
    before: float


def redeemed(compared: Comparison, used: pd.DataFrame | None) -> Redeemed | None:
    """The difference between the treated who used something in the window and those who didn't.

    Parameters
    ----------
    compared : Comparison
    used : DataFrame or None
        customer, date: when something was used.

    Returns
    -------
    Redeemed or None
        None where it isn't known, or fewer than `SMALLEST` did or didn't.
    """
    if used is None or not compared.compared:
        return None
    rows = np.concatenate([stack.rows[stack.treated] for stack in compared.stacks()])
    units = compared.units.iloc[rows]
    units = units.assign(unit=np.arange(len(units)))
    met = units[["unit", "customer", "day"]].merge(used[["customer", "date"]], on="customer")
    gap = (pd.to_datetime(met["date"]) - met["day"]).dt.days
    within = (gap >= 0) & (gap < compared.design.days)
    did = units["unit"].isin(met.loc[within, "unit"]).to_numpy()
    if min(did.sum(), (~did).sum()) < SMALLEST:
        return None
    now, before = (units[f"revenue_{k}"].to_numpy(dtype=float) for k in (0, -1))
    return Redeemed(
        int(did.sum()),
        int((~did).sum()),
        float(now[did].mean() - now[~did].mean()),
        float(before[did].mean() - before[~did].mean()),
    )


def no_ways() -> pd.DataFrame:
    """An empty table of `ways`."""
    columns = ["way", "days", "treated", "customers", "value", "low", "high"]
    columns += ["share", "share_low", "share_high"]
    columns += ["placebo_share", "placebo_low", "placebo_high", "passed"]
    return pd.DataFrame(columns=columns)


def _way(name: str, compared: Comparison) -> dict[str, object]:
    effect, placebo = compared.effect(), compared.placebo()
    base = placebo.without if placebo.known else math.nan
    placed = _in_shares(placebo, base)
    p = compared.placebo_p
    return {
        "way": name,
        "days": compared.design.days,
        "treated": effect.treated,
        "customers": compared.customers,
        "value": effect.value,
        "low": effect.low,
        "high": effect.high,
        "share": effect.relative,
        "share_low": effect.relative_low,
        "share_high": effect.relative_high,
        "placebo_share": placed["share"],
        "placebo_low": placed["share_low"],
        "placebo_high": placed["share_high"],
        "passed": None if math.isnan(p) else bool(p >= 0.05),
    }


def _in_shares(effect: Effect, base: float) -> dict[str, float]:
    found = {"value": effect.value, "low": effect.low, "high": effect.high}
    known = base > 0
    return found | {
        name: one / base if known else math.nan
        for name, one in zip(("share", "share_low", "share_high"), found.values(), strict=True)
    }


def _with_placebo(part: Comparison) -> dict[str, object]:
    placebo = part.placebo()
    return {
        **vars(part.effect()),
        "placebo": placebo.value,
        "placebo_low": placebo.low,
        "placebo_high": placebo.high,
    }


def _with_chance(rows: list[dict[str, object]], keys: list[str]) -> pd.DataFrame:
    columns = [*keys, *_EFFECT, "placebo", "placebo_low", "placebo_high"]
    frame = pd.DataFrame(rows, columns=columns)
    frame = frame[frame["treated"].astype(float) >= SMALLEST].reset_index(drop=True)
    p = chance(frame["value"].to_numpy(dtype=float), frame["error"].to_numpy(dtype=float))
    return frame.assign(p=p, p_holm=holm(pd.Series(p)))


def chance(value: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Two-sided p-values of normal figures; NaN without an error."""
    from scipy.stats import norm

    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(error > 0, np.abs(value) / error, np.nan)
    return np.asarray(2 * norm.sf(ratio))


def differ(part: pd.DataFrame) -> float:
    """Cochran's Q: the p-value of parts that differ by chance alone; NaN with fewer than two."""
    from scipy.stats import chi2

    value, error = part["value"].to_numpy(dtype=float), part["error"].to_numpy(dtype=float)
    known = np.isfinite(value) & (error > 0)
    if known.sum() < 2:
        return math.nan
    weight = 1 / error[known] ** 2
    mean = (weight @ value[known]) / weight.sum()
    q = float(weight @ (value[known] - mean) ** 2)
    return float(chi2.sf(q, known.sum() - 1))


def drawn_together(value: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each figure drawn to the mean of all, and its standard error.

    Parameters
    ----------
    value, error : ndarray, shape (n,)
        Errors above 0.
    """
    if len(value) < 3:
        return value, error
    weight = 1 / error**2
    mean = weight @ value / weight.sum()
    q = float(weight @ (value - mean) ** 2)
    scale = float(weight.sum() - (weight @ weight) / weight.sum())
    spread = max(0.0, (q - (len(value) - 1)) / scale)
    joint = 1 / (spread + error**2)
    centre = joint @ value / joint.sum()
    keep = spread / (spread + error**2)
    drawn = centre + keep * (value - centre)
    # the part's own error and that of the mean
    left = keep * error**2 + (1 - keep) ** 2 / joint.sum()
    return np.asarray(drawn), np.sqrt(left)
