"""The minimum of a smooth function of a few log-parameters, within a box.

Newton's method with exact second derivatives. A likelihood of this family is not convex and has
long flat ridges: negative curvature is turned around (the step then leads away from a saddle), a
step is bounded along each axis of curvature, and a parameter that runs off stops at the box.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from retention_lib.models.histories import Floats

Objective = Callable[[Floats], tuple[float, Floats, Floats]]

#: The gradient, per customer and log-parameter, below which a fit counts as converged.
CONVERGED = 1e-6


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the search ended.

    Attributes
    ----------
    point : ndarray, shape (k,)
    value : float
    hessian : ndarray, shape (k, k)
    gradient : float
        The largest absolute gradient among the parameters that are free to move.
    at_bound : ndarray of bool, shape (k,)
        Which parameters stand at the edge of the box, pressed outwards.
    evaluations : int
    """

    point: Floats
    value: float
    hessian: Floats
    gradient: float
    at_bound: np.ndarray
    evaluations: int

    @property
    def converged(self) -> bool:
        """Whether the gradient vanished."""
        return self.gradient <= CONVERGED


def minimise(
    objective: Objective,
    start: Floats,
    lower: Floats,
    upper: Floats,
    *,
    tolerance: float = 1e-9,
    max_iterations: int = 200,
) -> Optimum:
    """Search a box for the minimum of `objective`, from `start`.

    Parameters
    ----------
    objective : callable
        Takes a point, returns value, gradient and Hessian.
    start, lower, upper : ndarray, shape (k,)
    tolerance : float
        The search ends when no free parameter's gradient is larger.
    max_iterations : int

    Returns
    -------
    Optimum
        `converged` says whether the gradient is small; nothing is raised where it is not.
    """
    point = np.clip(start, lower, upper)
    value, gradient, hessian = objective(point)
    radius, evaluations = 1.0, 1
    for _ in range(max_iterations):
        free = _free(point, gradient, lower, upper)
        if not free.any() or np.abs(gradient[free]).max() <= tolerance:
            break
        candidate = np.clip(
            point + _step(gradient, hessian, free, radius),
            lower,
            upper,
        )
        new_value, new_gradient, new_hessian = objective(candidate)
        evaluations += 1
        if _accepted(value, gradient, new_value, new_gradient):
            point, value, gradient, hessian = candidate, new_value, new_gradient, new_hessian
            radius = min(2 * radius, 4.0)
        else:
            radius /= 4
            if radius < 1e-9:
                break
    free = _free(point, gradient, lower, upper)
    largest = float(np.abs(gradient[free]).max()) if free.any() else 0.0
    return Optimum(point, value, hessian, largest, ~free, evaluations)


def best_of(
    objective: Objective, starts: list[Floats], lower: Floats, upper: Floats, *, tolerance: float
) -> list[Optimum]:
    """Search from every start.

    Returns
    -------
    list of Optimum
        Best first, one per distinct optimum (two that agree to 1e-3 in every parameter are one).
    """
    found: list[Optimum] = []
    ends = [minimise(objective, s, lower, upper, tolerance=tolerance) for s in starts]
    for end in sorted(ends, key=lambda e: e.value):
        if all(np.abs(end.point - other.point).max() > 1e-3 for other in found):
            found.append(end)
    return found


def _free(point: Floats, gradient: Floats, lower: Floats, upper: Floats) -> np.ndarray:
    pressed = ((point <= lower) & (gradient > 0)) | ((point >= upper) & (gradient < 0))
    return ~pressed


def _step(gradient: Floats, hessian: Floats, free: np.ndarray, radius: float) -> Floats:
    curvature, axes = np.linalg.eigh(hessian[np.ix_(free, free)])
    floor = max(1e-14, 1e-12 * float(np.abs(curvature).max()))
    along = axes.T @ gradient[free] / np.maximum(np.abs(curvature), floor)
    step = np.zeros_like(gradient)
    step[free] = -axes @ np.clip(along, -radius, radius)
    return step


def _accepted(value: float, gradient: Floats, new_value: float, new_gradient: Floats) -> bool:
    if not (np.isfinite(new_value) and np.isfinite(new_gradient).all()):
        return False
    if new_value < value:
        return True
    # At the bottom the value no longer tells two points apart, the gradient still does.
    rounding = 1e-14 * (1.0 + abs(value))
    smaller = np.abs(new_gradient).max() < np.abs(gradient).max()
    return bool(new_value <= value + rounding and smaller)
