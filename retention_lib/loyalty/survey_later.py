"""Whether those with the best scores really stay: scores against purchases after the answer.

Everybody is looked at once, from the day first asked, for a window that ends before the data does.
The first, not the last answer: where questions follow purchases, the last answer is one after which
nothing came. Who was asked and kept silent is a group of its own where the data has such rows.

The raw difference mixes the score with what the customer was before it. Beside it stands the one
among customers who had bought alike: logistic regression on purchases so far, days since the last,
spend and age of the relationship (logarithms, the first two with squares, and who had bought once)
and the quarter of the question; then the mean over all customers of the probability with the one
group and with the other (marginal standardisation: Lane & Nelder 1982, Biometrics 38, 613-621;
Muller & MacLehose 2014, Int. J. Epidemiol. 43, 962-970). Its interval is the delta method's with a
covariance that holds where the model doesn't (HC1, White 1982). Spend is compared by least squares
on the same (HC3, MacKinnon & White 1985). It is association, not effect: what else sets those who
are content apart isn't in the orders.

Where those with the best and the worst scores had bought so differently that few of one have their
like among the other (Crump, Hotz, Imbens & Mitnik 2009, Biometrika 96, 187-199), no comparison is
made. What the score adds to history is measured on customers whom the model has not seen (five
parts, each foretold by the other four).
"""

from __future__ import annotations

import datetime as dt
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from retention_lib.loyalty.survey_answers import FEWEST, Measure
from retention_lib.loyalty.survey_scores import Floats
from retention_lib.retention.difference import Difference, square_and_add
from retention_lib.retention.hindsight import compare_orders
from retention_lib.retention.intervals import Z, mean_interval, wilson

#: Windows after the answer, of which the longest is taken that enough answers have behind them.
WINDOWS: Final = (365, 180, 90, 60, 30)
#: Share of the answers whose window is to be over.
_OVER: Final = 0.75
#: Least share of the two groups that has its like in the other.
_ALIKE: Final = 0.8
#: Customers of each outcome that a term of a regression takes (Peduzzi et al. 1996).
_PER_TERM: Final = 10
#: Customers among whom it is measured what the score adds.
LEAST_TO_FORETELL: Final = 200
#: Of more a part drawn by lot, the same at every run: the fifteen regressions know no more by it.
_MOST_TO_FORETELL: Final = 20_000
_PARTS: Final = 5

Group = Literal["best", "middle", "worst", "silent"]
GROUPS: Final[tuple[Group, ...]] = ("best", "middle", "worst", "silent")
_CODES: Final[Mapping[int, Group]] = {1: "best", 0: "middle", -1: "worst"}

WhyNot = Literal["few", "unlike", "no_fit", "all_or_none"]
"""Why like isn't compared with like: too few with an outcome, too few with their like in the other
group, no regression that settles, or everybody or nobody came back."""


@dataclass(frozen=True)
class Adds:
    """What the score adds to what the orders know, on customers whom the model hasn't seen.

    Parameters
    ----------
    n : int
    history, both : float
        Of two customers of whom one came back, how often that one was put first (area under the
        ROC curve): by purchase history, by history and score.
    score : float
        By the score alone.
    gain : Difference
        `both` less `history`, with its interval.
    """

    n: int
    history: float
    both: float
    score: float
    gain: Difference


@dataclass(frozen=True)
class Later:
    """Purchases after the answer, by score.

    Parameters
    ----------
    measure : str
    days : int
        Length of the window after the question.
    n : int
        Customers compared.
    unfinished, unknown : int
        Customers left out: their window isn't over; they had no purchase before they were asked.
    groups : DataFrame
        Indexed by group (`GROUPS`, those with `FEWEST` customers): `n`; `came_back` with `low`,
        `high`; `alike`, the same had all bought alike, with `alike_low`, `alike_high` (NaN where
        that isn't compared); `spend`, mean within the window, and `clv`, mean today, each with
        `_low`, `_high`.
    held_back : tuple of str
        Groups with fewer customers.
    raw, alike : Difference or None
        Share that came back, best less worst group: as it is, and among customers who had bought
        alike.
    spend, spend_alike : Difference or None
        Mean spend within the window, likewise.
    silent : Difference or None
        Share that came back among customers who had bought alike: silent less worst group.
    why_not : str or None
        Why like isn't compared with like.
    adds : Adds or None
    """

    measure: Measure
    days: int
    n: int
    unfinished: int
    unknown: int
    groups: pd.DataFrame
    held_back: tuple[Group, ...]
    raw: Difference
    alike: Difference | None
    spend: Difference
    spend_alike: Difference | None
    silent: Difference | None
    why_not: WhyNot | None
    adds: Adds | None


def first_asked(rows: pd.DataFrame, scored: pd.DataFrame) -> pd.DataFrame:
    """Each customer's first question, with the score where there is one.

    Parameters
    ----------
    rows : DataFrame
        All rows: customer, date, `answered`; by day.
    scored : DataFrame
        Those with a score of the measure: `score`, `group`, with the same index.

    Returns
    -------
    DataFrame
        customer, date, score (NaN of the silent), `kind` (`GROUPS`).
    """
    # who answered something else than this measure is neither silent nor scored
    counted = rows[rows.index.isin(scored.index) | ~rows["answered"]]
    first = counted.drop_duplicates("customer", keep="first")[["customer", "date"]]
    first = first.join(scored[["score", "group"]])
    return first.assign(kind=first["group"].map(_CODES).fillna("silent")).drop(columns="group")


def window_of(first: pd.DataFrame, as_of: dt.date) -> int | None:
    """Days after the question in which purchases are counted; None where too few are over.

    Chosen by the days of the questions alone, before anybody's purchases are looked at.
    """
    since = (pd.Timestamp(as_of) - first["date"]).dt.days
    scored = since[first["kind"] != "silent"]
    fitting = [days for days in WINDOWS if (scored >= days).mean() >= _OVER]
    fitting += [days for days in reversed(WINDOWS) if days not in fitting]
    return next((days for days in fitting if (scored >= days).sum() >= 2 * FEWEST), None)


def later(
    measure: Measure,
    first: pd.DataFrame,
    history: pd.DataFrame,
    days: int,
    as_of: dt.date,
    clv: pd.Series | None = None,
) -> Later | None:
    """Compare the groups by what they bought after.

    Parameters
    ----------
    measure : str
    first : DataFrame
        `first_asked`.
    history : DataFrame
        `survey_histories.histories` of these rows and days, by their index.
    days : int
    as_of : date
    clv : Series, optional
        By customer, as of today.

    Returns
    -------
    Later or None
        None where the best or the worst group has fewer than `FEWEST` customers.
    """
    over = (pd.Timestamp(as_of) - first["date"]).dt.days >= days
    known = first.index.isin(history.index)
    looked = first[over & known].join(history)
    looked["clv"] = math.nan if clv is None else looked["customer"].map(clv)
    sizes = looked["kind"].value_counts()
    told = [name for name in GROUPS if sizes.get(name, 0) >= FEWEST]
    held_back = tuple(name for name in GROUPS if 0 < sizes.get(name, 0) < FEWEST)
    if "best" not in told or "worst" not in told:
        return None
    kept = looked[looked["kind"].isin(told)]
    table = pd.DataFrame({name: _of_group(kept[kept["kind"] == name]) for name in told}).T
    best, worst = table.loc["best"], table.loc["worst"]
    alike = _among_alike(kept, told)
    if not isinstance(alike, str):
        table = table.join(alike.shares)
    else:
        table = table.assign(alike=math.nan, alike_low=math.nan, alike_high=math.nan)
    fair = None if isinstance(alike, str) else alike
    return Later(
        measure=measure,
        days=days,
        n=len(kept),
        unfinished=int((~over).sum()),
        unknown=int((over & ~known).sum()),
        groups=table,
        held_back=held_back,
        raw=_between(best, worst, "came_back", "low", "high"),
        alike=None if fair is None else fair.difference,
        spend=_between(best, worst, "spend", "spend_low", "spend_high"),
        spend_alike=None if fair is None else fair.spend,
        silent=None if fair is None else fair.silent,
        why_not=alike if isinstance(alike, str) else None,
        adds=adds(kept[kept["score"].notna()]),
    )


def _of_group(own: pd.DataFrame) -> dict[str, float]:
    n, back = len(own), int(own["came_back"].sum())
    limits = wilson(back, n)
    assert limits is not None
    values = {"n": n, "came_back": back / n, "low": limits.low, "high": limits.high}
    for name in ("spend", "clv"):
        amounts = own[name].dropna().to_numpy(dtype=float)
        ends = mean_interval(amounts) if len(amounts) >= FEWEST else None
        values[name] = float(amounts.mean()) if ends else math.nan
        values[f"{name}_low"], values[f"{name}_high"] = ends or (math.nan, math.nan)
    return values


def _between(best: Any, worst: Any, value: str, low: str, high: str) -> Difference:
    change = float(best[value] - worst[value])
    down = (float(best[value] - best[low]), float(worst[high] - worst[value]))
    up = (float(best[high] - best[value]), float(worst[value] - worst[low]))
    return Difference(change, *square_and_add(change, down, up))


# Among customers who had bought alike -------------------------------------------------------


@dataclass(frozen=True)
class _Alike:
    shares: pd.DataFrame
    difference: Difference
    spend: Difference
    silent: Difference | None


def _affordable(looked: pd.DataFrame, back: Floats, others: int) -> Floats | None:
    """As much of what is known before as so many outcomes carry beside `others` terms.

    Given up are first the quarters, then all but how often and how lately a customer had bought;
    None where not even these can be afforded.
    """
    most = min(back.sum(), len(back) - back.sum()) / _PER_TERM - others
    bare = known_before(looked, quarters=False)
    for before in (known_before(looked), bare, bare[:, :2]):
        if before.shape[1] <= most:
            return before
    return None


def known_before(looked: pd.DataFrame, *, quarters: bool = True) -> Floats:
    """What the orders know of each customer before the question, a column a term.

    Parameters
    ----------
    looked : DataFrame
        `date` and `survey_histories.STATE`.
    quarters : bool, default True
        Whether the quarter of the question is among it.

    Returns
    -------
    ndarray, shape (n, terms)
        Centred, of standard deviation 1; terms that the others give are left out.
    """
    purchases = np.log(looked["purchases"].to_numpy(dtype=float))
    away, tenure, revenue = (
        np.log1p(np.maximum(looked[name].to_numpy(dtype=float), 0.0))
        for name in ("away", "tenure", "revenue")
    )
    once = (looked["purchases"] == 1).to_numpy(dtype=float)
    terms = [purchases, away, revenue, tenure, once, purchases**2, away**2]
    if quarters:
        quarter = looked["date"].dt.to_period("Q")
        common = quarter.value_counts()
        common = common[common >= FEWEST].sort_index()
        terms += [(quarter == one).to_numpy(dtype=float) for one in common.index[1:]]
    return _independent(np.column_stack(terms))


def _independent(terms: Floats) -> Floats:
    """The columns scaled, without those that are constant or that the ones before them give."""
    kept: list[Floats] = []
    basis = np.ones((len(terms), 1)) / len(terms) ** 0.5
    for column in terms.T:
        spread = column.std()
        if spread < 1e-9:
            continue
        scaled = (column - column.mean()) / spread
        rest = scaled - basis @ (basis.T @ scaled)
        size = float(np.linalg.norm(rest))
        if size > 1e-3 * len(terms) ** 0.5:
            kept.append(scaled)
            basis = np.column_stack([basis, rest / size])
    return np.column_stack(kept) if kept else np.empty((len(terms), 0))


def _among_alike(kept: pd.DataFrame, told: list[Group]) -> _Alike | WhyNot:
    back = kept["came_back"].to_numpy(dtype=float)
    if back.all() or not back.any():
        return "all_or_none"
    before = _affordable(kept, back, len(told) - 1)
    if before is None:
        return "few"
    ends = kept["kind"].isin(["best", "worst"]).to_numpy()
    if not _overlap(before[ends], (kept["kind"] == "best").to_numpy()[ends]):
        return "unlike"
    others = [name for name in told if name != "worst"]
    kinds = np.column_stack([(kept["kind"] == name).to_numpy(dtype=float) for name in others])
    fitted = _logistic(np.column_stack([np.ones(len(kept)), kinds, before]), back)
    if fitted is None:
        return "no_fit"
    shares, slopes = {}, {}
    for name in told:
        design = np.column_stack([np.ones(len(kept)), np.zeros_like(kinds), before])
        if name != "worst":
            design[:, 1 + others.index(name)] = 1.0
        chance = 1 / (1 + np.exp(-design @ fitted[0]))
        shares[name], slopes[name] = chance, (chance * (1 - chance)) @ design / len(kept)
    rows = {name: _delta(shares[name], slopes[name], fitted[1]) for name in told}
    table = pd.DataFrame(rows, index=["alike", "alike_low", "alike_high"]).T
    limits = ["alike_low", "alike_high"]
    table[limits] = table[limits].clip(0.0, 1.0)

    def against(name: Group) -> Difference:
        gap, slope = shares[name] - shares["worst"], slopes[name] - slopes["worst"]
        return Difference(*_delta(gap, slope, fitted[1]))

    return _Alike(
        table,
        against("best"),
        _spend_alike(kinds, before, kept["spend"].to_numpy(dtype=float), others.index("best")),
        against("silent") if "silent" in told else None,
    )


def _delta(values: Floats, slope: Floats, covariance: Floats) -> tuple[float, float, float]:
    """A mean over customers and its interval: of the coefficients, and of who was asked."""
    mean = float(values.mean())
    variance = float(slope @ covariance @ slope) + float(values.var(ddof=1)) / len(values)
    margin = Z * math.sqrt(max(variance, 0.0))
    return mean, mean - margin, mean + margin


def _logistic(design: Floats, outcome: Floats, robust: bool = True) -> Any | None:
    """Coefficients and their covariance; None where they run off or don't settle."""
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            fit = sm.GLM(outcome, design, family=sm.families.Binomial()).fit(
                cov_type="HC1" if robust else "nonrobust", maxiter=50
            )
        except (Warning, PerfectSeparationError, np.linalg.LinAlgError, ValueError):
            return None
    found, covariance = np.asarray(fit.params), np.asarray(fit.cov_params())
    settled = fit.converged and np.isfinite(covariance).all() and np.abs(found).max() < 15
    return (found, covariance) if settled else None


def _overlap(before: Floats, best: Any) -> bool:
    """Whether most of both groups have their like in the other, were the groups equally large."""
    fitted = _logistic(
        np.column_stack([np.ones(len(best)), before]), best.astype(float), robust=False
    )
    if fitted is None:
        return False
    even = math.log(best.sum() / (~best).sum())
    chance = 1 / (1 + np.exp(even - np.column_stack([np.ones(len(best)), before]) @ fitted[0]))
    like = (chance > 0.05) & (chance < 0.95)
    return bool(min(like[best].mean(), like[~best].mean()) >= _ALIKE)


def _spend_alike(kinds: Any, before: Floats, spend: Floats, which: int) -> Difference:
    import statsmodels.api as sm

    design = np.column_stack([np.ones(len(spend)), kinds, before])
    fit = sm.OLS(spend, design).fit(cov_type="HC3")
    change, margin = float(fit.params[1 + which]), Z * float(fit.bse[1 + which])
    return Difference(change, change - margin, change + margin)


# What the score adds ------------------------------------------------------------------------


def adds(scored: pd.DataFrame) -> Adds | None:
    """What the score adds to history; None with too few customers, or outcomes all alike.

    Parameters
    ----------
    scored : DataFrame
        `score`, `kind`, `came_back`, `date` and `survey_histories.STATE`.
    """
    if len(scored) < LEAST_TO_FORETELL:
        return None
    if len(scored) > _MOST_TO_FORETELL:
        scored = scored.sample(_MOST_TO_FORETELL, random_state=0)
    back = scored["came_back"].to_numpy(dtype=float)
    before = _affordable(scored, back, 3)
    if before is None:
        return None
    score = np.column_stack(
        [scored["score"].to_numpy(dtype=float)]
        + [(scored["kind"] == name).to_numpy(dtype=float) for name in ("best", "worst")]
    )
    # parts by lot, the same at every run, and with equal shares of those who came back
    drawn = np.random.default_rng(0).permutation(len(back))
    part = np.empty(len(back), dtype=int)
    part[drawn[np.argsort(back[drawn], kind="stable")]] = np.arange(len(back)) % _PARTS
    told = {}
    for name, terms in (
        ("history", before),
        ("both", np.column_stack([before, _independent(score)])),
        ("score", _independent(score)),
    ):
        foretold = _unseen(np.column_stack([np.ones(len(back)), terms]), back, part)
        if foretold is None:
            return None
        told[name] = pd.Series(foretold)
    frame = compare_orders(told, pd.Series(back > 0)).set_index("rule")
    ends = frame[["against", "against_low", "against_high"]].to_numpy(dtype=float)
    gain = Difference(*(float(x) for x in ends[list(frame.index).index("both")]))
    area = {str(rule): float(auc) for rule, auc in frame["auc"].items()}
    return Adds(len(back), area["history"], area["both"], area["score"], gain)


def _unseen(design: Floats, back: Floats, part: Any) -> Floats | None:
    """Each customer's chance by the regression of the other parts."""
    chance = np.empty(len(back))
    for one in range(_PARTS):
        fitted = _logistic(design[part != one], back[part != one], robust=False)
        if fitted is None:
            return None
        chance[part == one] = design[part == one] @ fitted[0]
    return chance
