"""Treated against comparable customers, where no lot was drawn.

    units = panel(base.days, base.start, base.as_of, treated, exposed, design)
    compared = compare(units, design)
    compared.effect("revenue")          # Effect: value, low, high, relative, without, raw, …
    compared.placebo("revenue")         # the same a window before the day: must include 0
    compared.told("revenue")            # the effect with the interval that may be told
    compared.change("revenue")          # the change since the window before, made alike before it
    compared.only(mask).effect()        # within a part of the units (a column of compared.units)
    compared.verdict.kind               # "fit", "care", "unfit", with codes of the reasons

`treated` are the units (stack, customer, day), `exposed` every treatment of anyone (customer,
start, end). A customer's history before the day is all that the groups are made alike in; what it
can't show is looked for by the placebo, and what no placebo sees is bounded by
`comparable_hidden`. See `comparable_history`, `_balance`, `_effect`, `_verdict` for the parts.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from retention_lib.loyalty import comparable_verdict
from retention_lib.loyalty.comparable_balance import Array
from retention_lib.loyalty.comparable_effect import (
    UNKNOWN,
    Effect,
    Estimated,
    Stack,
    made_alike,
    of_stack,
    together,
)
from retention_lib.loyalty.comparable_history import OUTCOMES, Design, panel
from retention_lib.loyalty.comparable_verdict import Verdict
from retention_lib.retention.intervals import Z

__all__ = ["OUTCOMES", "Comparison", "Design", "Effect", "Verdict", "compare", "panel"]

#: Whole windows of data before the day that a stack needs: one to match on, one for the placebo.
LEAST_HISTORY: Final = 2
#: In place of a number of windows: the day itself, the earliest window known left out.
_HELD_OUT: Final = -1
#: Families of covariates, in the words of `names`: what a hidden difference is likened to.
FAMILIES: Final = ("revenue", "orders", "recency", "tenure", "sent")


@dataclass(frozen=True)
class _Shifted:
    """The stacks made alike by what was known a number of windows before the day."""

    stacks: tuple[Stack, ...]
    why_not: Mapping[str, str]
    names: tuple[str, ...]
    raw_rows: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Comparison:
    """Treated units held against comparable ones.

    Parameters
    ----------
    units : DataFrame
        Of `panel`, with a fresh index.
    design : Design
    """

    units: pd.DataFrame
    design: Design
    _shifts: dict[Any, _Shifted] = field(default_factory=dict, repr=False, compare=False)

    # ---- figures -------------------------------------------------------------------------------

    def effect(self, outcome: str = "revenue", window: int = 0) -> Effect:
        """What treatment did in a window from the day on, on a treated unit's average.

        Parameters
        ----------
        outcome : str
            Of `OUTCOMES`: `revenue` (currency), `orders` (purchases), `bought` (a share).
        window : int, default 0
            0 is the first; later ones are held against those untreated until their end.
        """
        return self._effect(outcome, window, shift=0)

    def placebo(self, outcome: str = "revenue", windows_before: int = 1) -> Effect:
        """The same comparison moved to an earlier day, when treatment can't have worked.

        Only what was known on that earlier day makes the groups alike; the outcome is that of the
        window that follows it, which ends at least `windows_before` − 1 windows before the day.
        """
        return self._effect(outcome, -windows_before, shift=windows_before)

    def held_out(self, outcome: str = "revenue") -> Effect:
        """The earliest window known, left out of what makes the groups alike: must include 0.

        It fails where the treated were chosen for something lasting that the later windows don't
        show, and not because they were chosen for what they did in those.
        """
        shifted = self._shifted(_HELD_OUT, 0)
        if not shifted.stacks:
            return UNKNOWN
        history = self.units["history"].to_numpy()
        values = np.full(len(history), np.nan)
        for k in range(1, self.design.before + 1):
            values = np.where(
                history == k, self.units[f"{outcome}_-{k}"].to_numpy(dtype=float), values
            )
        stacks = [s for s in shifted.stacks if np.isfinite(values[s.rows]).all()]
        return self._together(stacks, values, shifted)

    def change(self, outcome: str = "revenue", windows_before: int = 0) -> Effect:
        """How much more the treated changed from the window before the day to the one after it.

        The groups are made alike by what was known before both. Where the treated were chosen for
        what they are, and not for what they last did, this is the effect and `effect` is too far
        on the side of their difference; where they were chosen for what they last did, `effect` is
        right and this one is too far on the other side (Ding & Li 2019, Political Analysis 27,
        605-615: the two are around the truth). With `windows_before`, the same change so many
        windows earlier, which must include 0: else the groups weren't on the same way.
        """
        now, before = f"{outcome}_{-windows_before}", f"{outcome}_{-windows_before - 1}"
        if not {now, before} <= set(self.units.columns):
            return UNKNOWN
        shifted = self._shifted(windows_before + 1, 0)
        values = (self.units[now] - self.units[before]).to_numpy(dtype=float)
        stacks = [s for s in shifted.stacks if np.isfinite(values[s.rows]).all()]
        return self._together(stacks, values, shifted)

    def told(self, outcome: str = "revenue") -> Effect:
        """The effect with the interval that it may be told with.

        From the lowest limit to the highest of the readings that the checks leave open: the
        comparison itself; the change, where the verdict rests on both (`placebo_around`); and of a
        sure effect what is more than was there before, for a difference after the day may be as
        large as the one before it (Rambachan & Roth 2023, Rev. Econ. Stud. 90, 2555-2591, their
        bounds on relative magnitudes).
        """
        effect = self.effect(outcome)
        readings = [effect]
        if "placebo_around" in self.verdict.reasons:
            readings.append(self.change(outcome))
        if effect.sure:
            readings.append(self.beyond(outcome))
        ends = [(one.low, one.high) for one in readings]
        ends = [pair for pair in ends if math.isfinite(pair[0])]
        if len(ends) < 2:
            return effect
        low, high = min(a for a, _ in ends), max(b for _, b in ends)
        relative_low, relative_high = effect.relative_low, effect.relative_high
        if effect.without > 0:
            relative_low = min(relative_low, low / effect.without)
            relative_high = max(relative_high, high / effect.without)
        return dataclasses.replace(
            effect, low=low, high=high, relative_low=relative_low, relative_high=relative_high
        )

    def beyond(self, outcome: str = "revenue") -> Effect:
        """By how much the effect is more than the difference that was there before the day."""
        effect, placebo = self.effect(outcome), self.placebo(outcome)
        if not (effect.known and placebo.known):
            return UNKNOWN
        more = effect.value - placebo.value
        # as if they were independent; they go together a little, which makes it wider
        error = math.hypot(effect.error, placebo.error)
        return dataclasses.replace(
            effect, value=more, error=error, low=more - Z * error, high=more + Z * error
        )

    def path(self, outcome: str = "revenue") -> pd.DataFrame:
        """The effect by window, before the day (placebos) and after: `window`, and `Effect`'s."""
        rows = []
        for k in range(1 - self.design.before, self.design.after):
            found = self.placebo(outcome, -k) if k < 0 else self.effect(outcome, k)
            if found.known:
                rows.append({"window": k, **vars(found)})
        return pd.DataFrame(rows, columns=["window", *vars(UNKNOWN)])

    def by_stack(self, outcome: str = "revenue") -> pd.DataFrame:
        """Each stack's effect: `stack`, `day`, and `Effect`'s; only those that can be compared."""
        if self.units.empty:
            return pd.DataFrame(columns=["stack", "day", *vars(UNKNOWN)])
        shifted, values = self._shifted(0, 0), self.units[f"{outcome}_0"].to_numpy(dtype=float)
        rows = []
        for stack in shifted.stacks:
            found = self._together([stack], values, shifted)
            first = self.units.iloc[stack.rows[0]]
            rows.append({"stack": stack.name, "day": first["day"], **vars(found)})
        return pd.DataFrame(rows, columns=["stack", "day", *vars(UNKNOWN)])

    def only(self, which: pd.Series | np.ndarray) -> Comparison:
        """The comparison within part of the units, such as those who spent most before.

        Parameters
        ----------
        which : array-like of bool, shape (units,)
            Said by what was known before the day, of treated and others alike.
        """
        kept = self.units[np.asarray(which, dtype=bool)].reset_index(drop=True)
        return Comparison(kept, self.design)

    # ---- how it was made -----------------------------------------------------------------------

    @cached_property
    def balance(self) -> pd.DataFrame:
        """How alike the groups are: `covariate`, `before` and `after` weighting.

        Standardised mean differences, over the stacks by their treated units.
        """
        shifted = self._shifted(0, 0)
        sums = np.zeros((3, len(shifted.names)))
        for stack in shifted.stacks:
            n, varies = stack.treated.sum(), stack.varies
            sums[0, varies] += stack.found * stack.before
            sums[1, varies] += n * stack.after
        found = max(sum(s.found for s in shifted.stacks), 1)
        n = max(sum(int(s.treated.sum()) for s in shifted.stacks), 1)
        return pd.DataFrame(
            {"covariate": shifted.names, "before": sums[0] / found, "after": sums[1] / n}
        )

    @property
    def worst_imbalance(self) -> float:
        """The largest standardised difference after weighting; NaN where nothing was compared."""
        after = self.balance["after"].abs()
        return float(after.max()) if self.compared else float("nan")

    @cached_property
    def treated(self) -> int:
        """Treated units with a whole window after the day."""
        if self.units.empty:
            return 0
        return int((self.units["treated"] & self.units["revenue_0"].notna()).sum())

    @cached_property
    def eligible(self) -> int:
        """Those of them with a history long enough to find comparable customers by."""
        if self.units.empty:
            return 0
        known = self.units["treated"] & self.units["revenue_0"].notna()
        return int((known & (self.units["history"] >= LEAST_HISTORY)).sum())

    @property
    def comparable_share(self) -> float:
        """Part of the eligible that is compared; NaN without any."""
        return self.compared / self.eligible if self.eligible else float("nan")

    @property
    def compared(self) -> int:
        """Treated units that are compared."""
        return sum(int(stack.treated.sum()) for stack in self._shifted(0, 0).stacks)

    @property
    def customers(self) -> int:
        """Different customers among the treated compared."""
        stacks = self._shifted(0, 0).stacks
        if not stacks:
            return 0
        rows = np.concatenate([stack.rows[stack.treated] for stack in stacks])
        return int(self.units["customer"].iloc[rows].nunique())

    @property
    def others(self) -> int:
        """Different customers among those compared with."""
        stacks = self._shifted(0, 0).stacks
        if not stacks:
            return 0
        rows = np.concatenate([stack.rows[~stack.treated] for stack in stacks])
        return int(self.units["customer"].iloc[rows].nunique())

    @property
    def effective(self) -> float:
        """Untreated units that the weights leave effective, over the stacks."""
        return sum(stack.effective for stack in self._shifted(0, 0).stacks)

    @cached_property
    def placebo_p(self) -> float:
        """How likely chance makes the revenue's placebos; NaN without one.

        All windows before together, each by what is known of it: a difference that lasts shows in
        all of them.
        """
        path = self.path()
        before = path[(path["window"] < 0) & (path["error"] > 0)]
        if before.empty:
            return float("nan")
        from scipy.stats import norm

        value, error = (before[name].to_numpy(dtype=float) for name in ("value", "error"))
        weight = 1 / error**2
        return float(2 * norm.sf(abs(weight @ value) / math.sqrt(weight.sum())))

    @cached_property
    def left_out(self) -> pd.DataFrame:
        """Treated units that aren't compared, by `cause` and `stack`: `units`.

        Causes: `unfinished` (the window isn't over), `short_history`, `few_treated`, `few_others`,
        `none_comparable` (the whole stack), `no_like` (nobody untreated is like them).
        """
        shifted = self._shifted(0, 0)
        by_name = {stack.name: stack for stack in shifted.stacks}
        rows: list[dict[str, object]] = []
        if self.units.empty:
            return pd.DataFrame(columns=["cause", "stack", "units"])
        for name, part in self.units[self.units["treated"]].groupby("stack"):
            if str(name) in by_name:
                stack = by_name[str(name)]
                lost, cause = stack.found - int(stack.treated.sum()), "no_like"
            else:
                lost, cause = len(part), shifted.why_not[str(name)]
            if lost:
                rows.append({"cause": cause, "stack": name, "units": lost})
        return pd.DataFrame(rows, columns=["cause", "stack", "units"])

    @cached_property
    def verdict(self) -> Verdict:
        """Whether the comparison is fair (`comparable_verdict`)."""
        return comparable_verdict.judge(self)

    # ---- inner parts ---------------------------------------------------------------------------

    def stacks(self) -> tuple[Stack, ...]:
        """The stacks made alike, for what looks deeper (`comparable_hidden`)."""
        return self._shifted(0, 0).stacks

    @property
    def names(self) -> tuple[str, ...]:
        """The covariates."""
        return self._shifted(0, 0).names

    def without_family(self, family: str) -> Comparison:
        """The same comparison with a family of covariates left out of what is made alike."""
        return _Without(self.units, self.design, left_out_family=family)

    def _kept(self, names: list[str]) -> list[str]:
        return names

    def _effect(self, outcome: str, window: int, shift: int) -> Effect:
        column = f"{outcome}_{window}"
        if column not in self.units:
            return UNKNOWN
        shifted = self._shifted(shift, max(window, 0))
        values = self.units[column].to_numpy(dtype=float)
        stacks = [s for s in shifted.stacks if np.isfinite(values[s.rows]).all()]
        return self._together(stacks, values, shifted)

    def _together(self, stacks: list[Stack], values: Array, shifted: _Shifted) -> Effect:
        if not stacks:
            return UNKNOWN
        estimated: list[Estimated] = [of_stack(stack, values[stack.rows]) for stack in stacks]
        return together(stacks, estimated, self._numbers, self._raw(stacks, values, shifted))

    def _raw(self, stacks: list[Stack], values: Array, shifted: _Shifted) -> float:
        """The treated's mean less everybody else's, stack by stack."""
        treated = self.units["treated"].to_numpy()
        total, n = 0.0, 0
        for stack in stacks:
            rows = shifted.raw_rows[stack.name]
            hit = treated[rows]
            total += float(hit.sum() * (values[rows[hit]].mean() - values[rows[~hit]].mean()))
            n += int(hit.sum())
        return total / n

    @cached_property
    def _numbers(self) -> np.ndarray:
        return pd.factorize(self.units["customer"])[0]

    def _shifted(self, shift: int, window: int) -> _Shifted:
        key = (shift, window)
        if key not in self._shifts:
            self._shifts[key] = self._make(shift, window)
        return self._shifts[key]

    def _make(self, shift: int, window: int) -> _Shifted:
        units = self.units
        if units.empty:
            return _Shifted((), {}, (), {})
        outcome = f"revenue_{window if shift <= 0 else -shift}"
        # the windows that are matched must be there, and one at least
        enough = units["history"] >= max(LEAST_HISTORY, shift + 1)
        known = units["first_days"] > max(shift, 0) * self.design.days
        over = units[outcome].notna() & units["revenue_0"].notna()
        still = units["treated"] | (units["clear"] > window) | (not self.design.clear)
        rows = np.flatnonzero((enough & known & over & still).to_numpy())
        stacks: list[Stack] = []
        why_not: dict[str, str] = {}
        every: dict[str, np.ndarray] = {}
        names, table = covariates(units, self.design, shift)
        kept = self._kept(names)
        table = table[:, [names.index(name) for name in kept]]
        treated = units["treated"].to_numpy()
        by_stack = pd.Series(rows).groupby(units["stack"].iloc[rows].to_numpy()).indices
        for name, at in units.groupby("stack").indices.items():
            inside = rows[by_stack[name]] if name in by_stack else rows[:0]
            if not len(inside):
                unfinished = not over.iloc[at].any()
                why_not[str(name)] = "unfinished" if unfinished else "short_history"
                continue
            made = made_alike(str(name), inside, treated[inside], table[inside])
            if isinstance(made, str):
                why_not[str(name)] = made
            else:
                stacks.append(made)
                every[made.name] = inside
        return _Shifted(tuple(stacks), why_not, tuple(kept), every)


@dataclass(frozen=True)
class _Without(Comparison):
    left_out_family: str = ""

    def _kept(self, names: list[str]) -> list[str]:
        return [name for name in names if family(name) != self.left_out_family]


def compare(units: pd.DataFrame, design: Design) -> Comparison:
    """Hold the treated against comparable customers.

    Parameters
    ----------
    units : DataFrame
        Of `panel`.
    design : Design
        With which the panel was made.
    """
    return Comparison(units.reset_index(drop=True), design)


def covariates(units: pd.DataFrame, design: Design, shift: int = 0) -> tuple[list[str], Array]:
    """What the groups are made alike in, as known `shift` windows before the day.

    Returns
    -------
    list of str
        `revenue_-1` (of the last window known, −1 also where an earlier day is looked from),
        `root_revenue`, `orders_-1`, `bought_-1`, …, `recency`, `ever`, `tenure`, `sent`.
    ndarray, shape (n, k)
        Unknown windows, of a stack with a shorter history, are 0, and alike for a whole stack.
    """
    found: dict[str, pd.Series | np.ndarray] = {}
    shift, hold_out = max(shift, 0), shift == _HELD_OUT
    spent = bought = ever = pd.Series(0.0, units.index)
    for back in range(1, design.before - shift + 1):
        k = -back - shift
        here = units["history"] != back if hold_out else pd.Series(data=True, index=units.index)
        orders = units[f"orders_{k}"].fillna(0.0)
        revenue = units[f"revenue_{k}"].fillna(0.0).where(here, 0.0)
        found[f"revenue_-{back}"] = revenue
        found[f"orders_-{back}"] = orders.where(here, 0.0)
        found[f"bought_-{back}"] = units[f"bought_{k}"].fillna(0.0).where(here, 0.0)
        spent = spent + revenue.clip(lower=0.0)
        bought = bought + orders.where(here, 0.0)
        ever = ever + orders
    # who buys most is sent most: the shape of it too, not only its mean
    found["root_revenue"], found["root_orders"] = np.sqrt(spent), np.sqrt(bought)
    found["log_orders"] = np.log1p(bought)
    days = units[f"recency_{shift}"].astype(float)
    since_first = units["first_days"].astype(float) - shift * design.days
    found["recency"] = np.log1p(days.fillna(since_first).clip(lower=0.0))
    # purchases before all windows: apart from theirs
    earlier = units[f"ever_{shift}"].astype(float) - ever
    found["ever"] = np.log1p(earlier.clip(lower=0.0))
    found["tenure"] = np.log1p(since_first.clip(lower=0.0))
    found["sent"] = np.log1p(units[f"sent_{shift}"].astype(float))
    return list(found), np.column_stack([np.asarray(x, dtype=float) for x in found.values()])


def family(name: str) -> str:
    """The family of a covariate (`FAMILIES`)."""
    if "revenue" in name:
        return "revenue"
    if "orders" in name or name.startswith(("bought", "ever")):
        return "orders"
    return name


def with_design(compared: Comparison, **changes: Any) -> Design:
    """The design with something changed."""
    return dataclasses.replace(compared.design, **changes)
