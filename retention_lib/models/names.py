"""What the models and their parameters are called, wherever they are told of."""

from __future__ import annotations

from typing import Final

#: Name in the client file → name in print.
TITLES: Final = {
    "bgnbd": "BG/NBD",
    "mbgnbd": "MBG/NBD",
    "paretonbd": "Pareto/NBD",
    "gammagamma": "Gamma-Gamma",
}
#: Parameters in their usual order, with the signs that the literature gives them.
SIGNS: Final = {"r": "r", "alpha": "α", "a": "a", "b": "b", "s": "s", "beta": "β"} | {
    name: name for name in ("p", "q", "v")
}
