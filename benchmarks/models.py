"""Purchase and spend models: this library beside lifetimes, from customers to fits and values.

    python benchmarks/models.py [--customers 1_000_000] [--repeat 3] [--only bgnbd scoring]

All ways get the same simulated customers (BG/NBD histories in whole days over three years, with
Gamma-Gamma spend, see orders.py), as a frame in memory. Each way runs in a process of its own, in
turns, and the best of its times counts. The clock starts before the import of the model code, with
numpy and pandas, which both need, loaded; `without imports` starts it after. Fits end at
the same optimum: the log-likelihood of both parameters, by lifetimes' own formula, is compared.

lifetimes takes long over the Pareto/NBD, so that it is measured on fewer customers, and ours on
the same and on all of them.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orders
import pandas as pd

AS_OF = "2024-12-31"
MONTHS, RATE = 12, 0.10
#: Customers for lifetimes' Pareto/NBD: it takes some minutes over more.
PARETO = 100_000
LIFETIMES = {
    "bgnbd": "BetaGeoFitter",
    "mbgnbd": "ModifiedBetaGeoFitter",
    "paretonbd": "ParetoNBDFitter",
    "gammagamma": "GammaGammaFitter",
}
#: A fit with which to score, so that scoring is timed alone.
BGNBD = {"r": 0.3355059675927, "alpha": 47.16740756043, "a": 0.8618785813561, "b": 4.791968866108}
SPEND = {"p": 6.180651671754, "q": 3.735418584559, "v": 15.66983728022}
#: Two fits are at the same optimum: log-likelihood per customer.
SAME = 1e-6


def write(customers: int, path: Path, seed: int = 1) -> None:
    """Simulate customers: purchases of one day are one, as they are collapsed from orders."""
    rng = np.random.default_rng(seed)
    rows = orders._histories(rng, customers)
    rows.sort(order=["who", "day"])
    who, day = rows["who"].astype(np.int64), rows["day"].astype(np.int64)
    at = np.flatnonzero(np.diff(who * orders.DAYS + day, prepend=-1))
    who, day, amount = who[at], day[at], np.add.reduceat(rows["cents"], at) / 100
    first = np.flatnonzero(np.diff(who, prepend=-1))
    count = np.diff(first, append=len(who))
    repeats = np.add.reduceat(amount, first) - amount[first]
    frame = pd.DataFrame(
        {
            "frequency": count - 1,
            "recency": (day[first + count - 1] - day[first]).astype(float),
            "T": (orders.DAYS - 1 - day[first]).astype(float),
            "monetary_value": np.where(count > 1, repeats / np.maximum(count - 1, 1), np.nan),
        }
    )
    frame.to_parquet(path)


# --- the ways ----------------------------------------------------------------------------------


def fit_ours(model: str, frame: pd.DataFrame) -> Any:
    from retention_lib.models.fit import fit_purchase_model, fit_spend_model

    return fit_spend_model(frame) if model == "gammagamma" else fit_purchase_model(frame, model)


def fit_lifetimes(model: str, frame: pd.DataFrame) -> Any:
    import lifetimes

    fitter = getattr(lifetimes, LIFETIMES[model])()
    if model == "gammagamma":
        buyers = frame[frame["frequency"] > 0]
        return fitter.fit(buyers["frequency"], buyers["monetary_value"])
    return fitter.fit(frame["frequency"], frame["recency"], frame["T"])


def score_ours(frame: pd.DataFrame) -> Any:
    from retention_lib.models.clv import expected_values

    return expected_values(frame, *fitted("retention_lib.models"), asked())


def intervals_ours(frame: pd.DataFrame) -> Any:
    from retention_lib.models.clv import value_base
    from retention_lib.models.fit import fit_purchase_model, fit_spend_model

    # The intervals need the parameters' errors, so that both fits are in the time.
    return value_base(
        frame, fit_purchase_model(frame, "bgnbd"), fit_spend_model(frame), asked()
    ).customers


def score_lifetimes(frame: pd.DataFrame) -> Any:
    from lifetimes.utils import _customer_lifetime_value

    purchases, spend = fitted("lifetimes")
    columns = [frame[c] for c in ("frequency", "recency", "T")]
    amount = spend.conditional_expected_average_profit(
        frame["frequency"], frame["monetary_value"].fillna(0)
    )
    monthly = (1 + RATE) ** (1 / 12) - 1
    clv = _customer_lifetime_value(purchases, *columns, amount, MONTHS, monthly, "D")
    alive = purchases.conditional_probability_alive(*columns)
    expected = purchases.predict(365, *columns)
    return pd.DataFrame({"p_alive": alive, "expected_purchases": expected, "clv": clv})


def fitted(package: str) -> tuple[Any, Any]:
    """Models with known parameters."""
    module = importlib.import_module(package)
    purchases, spend = module.BetaGeoFitter(), module.GammaGammaFitter()
    purchases.params_, spend.params_ = pd.Series(BGNBD), pd.Series(SPEND)
    purchases.predict = purchases.conditional_expected_number_of_purchases_up_to_time
    spend.findings_ = ()
    return purchases, spend


def asked() -> Any:
    from retention_lib.models.clv import Terms

    return Terms(MONTHS, RATE, 1.0, AS_OF, "day")


Way = Callable[[pd.DataFrame], Any]
TASKS: dict[str, dict[str, Way]] = {
    model: {
        "ours": lambda frame, model=model: fit_ours(model, frame),
        "lifetimes": lambda frame, model=model: fit_lifetimes(model, frame),
    }
    for model in LIFETIMES
} | {
    "scoring": {"ours": score_ours, "lifetimes": score_lifetimes},
    "intervals": {"ours": intervals_ours},
}
#: What a way imports of model code.
IMPORTS = {
    "ours": ("retention_lib.models.fit", "retention_lib.models.clv"),
    "lifetimes": ("lifetimes", "lifetimes.utils"),
}


# --- one process, one measurement --------------------------------------------------------------


def once(task: str, way: str, path: Path, rows: int) -> dict[str, Any]:
    """One way's time and memory, in this process, which should do nothing else."""
    frame = pd.read_parquet(path).iloc[:rows].copy()
    frame.attrs = {"time_unit": "day", "as_of": AS_OF, "grain": "day"}
    began = time.perf_counter()
    for name in IMPORTS[way][: 1 if task in LIFETIMES else None]:
        importlib.import_module(name)
    imported, worked = time.perf_counter(), time.process_time()
    result = TASKS[task][way](frame)
    ended, cpu = time.perf_counter(), time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    figures = {"seconds": ended - began, "bare": ended - imported, "cpu": cpu, "peak": peak}
    return figures | {"result": told(task, result, frame)}


def told(task: str, result: Any, frame: pd.DataFrame) -> dict[str, float]:
    """What shows that two ways did the same."""
    if task not in LIFETIMES:
        columns = [c for c in ("p_alive", "expected_purchases", "clv") if c in result]
        return {c: float(result[c].sum()) for c in columns}
    return {"per_customer": likelihood(task, result, frame)}


def likelihood(task: str, model: Any, frame: pd.DataFrame) -> float:
    """Log-likelihood per customer by lifetimes' formula, whoever found the parameters."""
    import lifetimes

    theirs = getattr(lifetimes, LIFETIMES[task])
    logs = np.log(model.params_.to_numpy())
    if task == "gammagamma":
        frame = frame[frame["frequency"] > 0]
        columns = [frame[c].to_numpy() for c in ("frequency", "monetary_value")]
    else:
        columns = [frame[c].to_numpy() for c in ("frequency", "recency", "T")]
    ones = np.ones(len(frame))
    if task == "paretonbd":
        terms = theirs._conditional_log_likelihood(np.exp(logs), *columns)
        # Their formula gives no number for some busy customers; ours does.
        every = float(terms.mean())
        return every if np.isfinite(every) else float(model.log_likelihood_) / len(frame)
    return -float(theirs._negative_log_likelihood(logs, *columns, ones, 0.0))


def measure(task: str, way: str, path: Path, rows: int) -> dict[str, Any]:
    """`once`, in a process of its own."""
    asked_ = ["--task", task, "--way", way, "--path", str(path), "--customers", str(rows)]
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, *asked_], stdout=subprocess.PIPE, check=True
    )
    return json.loads(ran.stdout.splitlines()[-1])


def compare(task: str, path: Path, rows: int, repeat: int, ways: tuple[str, ...]) -> None:
    """Every way's best time over the same customers, in turns; prints a row for each."""
    best: dict[str, dict[str, Any]] = {}
    for _ in range(repeat):
        for way in ways:
            found = measure(task, way, path, rows)
            if way not in best or found["seconds"] < best[way]["seconds"]:
                best[way] = found
    ours = best["ours"]
    for way, found in best.items():
        figures = ", ".join(f"{k} {v:,.8g}" for k, v in found["result"].items())
        print(
            f"| {task} | {rows:,} | {way} | {found['seconds']:.2f} "
            f"| {found['seconds'] / ours['seconds']:.1f} | {found['bare']:.2f} "
            f"| {found['bare'] / ours['bare']:.1f} | {found['cpu']:.2f} | {found['peak']:.2f} "
            f"| {os.getloadavg()[0]:.1f} | {figures} |",
            flush=True,
        )
    if task in LIFETIMES and len(best) > 1:
        gain = ours["result"]["per_customer"] - best["lifetimes"]["result"]["per_customer"]
        said = "the same optimum" if abs(gain) <= SAME else "NOT the same optimum"
        print(f"{task}: {said}, ours {gain:+.1e} of log-likelihood per customer", file=sys.stderr)
        if gain < -SAME:
            raise SystemExit(f"{task}: lifetimes found a better optimum")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=orders.number, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--task", choices=TASKS, help="one task, in this process")
    parser.add_argument("--way", choices=("ours", "lifetimes"))
    parser.add_argument("--path", type=Path)
    given = parser.parse_args()
    if given.task:
        print(json.dumps(once(given.task, given.way, given.path, given.customers)))
        return
    print(
        "| of | customers | way | seconds | times ours | without imports | times ours "
        "| CPU seconds | peak GB | load | result |"
    )
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customers.parquet"
        write(given.customers, path)
        for task in given.only:
            rows, ways = given.customers, tuple(TASKS[task])
            if task == "paretonbd" and rows > PARETO:
                compare(task, path, PARETO, 1, ways)
                ways = ("ours",)
            compare(task, path, rows, given.repeat, ways)


if __name__ == "__main__":
    main()
