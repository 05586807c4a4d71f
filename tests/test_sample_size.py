"""How large a test has to be, held against published tables, statsmodels and made-up tests."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from retention_lib.loyalty.looks import MOST_LOOKS, crossing, limits, mean_needed
from retention_lib.loyalty.sample_size import Design, Mean, Share, Size, power, size, smallest_rise


class TestLooks:
    @pytest.mark.parametrize(
        ("looks", "rate"),
        [(1, 0.050), (2, 0.083), (3, 0.107), (4, 0.126), (5, 0.142), (10, 0.193), (20, 0.248)],
    )
    def test_looking_again_and_again_fools_as_often_as_published(
        self, looks: int, rate: float
    ) -> None:
        # Armitage, McPherson & Rowe (1969), table 2
        assert crossing([1.959964] * looks) == pytest.approx(rate, abs=0.0006)

    @pytest.mark.parametrize(
        ("looks", "constant", "inflation"),
        [
            *[(1, 1.960, 1.000), (2, 1.977, 1.008), (3, 2.004, 1.017), (4, 2.024, 1.024)],
            *[(5, 2.040, 1.028), (10, 2.087, 1.040)],
        ],
    )
    def test_the_limits_and_what_they_cost_are_those_published(
        self, looks: int, constant: float, inflation: float
    ) -> None:
        # Jennison & Turnbull (2000), tables 2.3 and 2.4: two-sided 5 %, power 80 %
        assert limits(looks, 0.05)[-1] == pytest.approx(constant, abs=0.0006)
        ratio = (mean_needed(looks, 0.05, 0.8) / mean_needed(1, 0.05, 0.8)) ** 2
        assert ratio == pytest.approx(inflation, abs=0.0006)

    def test_pococks_constant(self) -> None:
        # Jennison & Turnbull (2000), table 2.1
        assert crossing([2.413] * 5) == pytest.approx(0.05, abs=0.0001)

    @pytest.mark.parametrize("theta", [0.0, 2.8])
    def test_a_made_up_test_crosses_as_often(self, theta: float) -> None:
        at = limits(4, 0.05)
        steps = np.random.default_rng(4).normal(theta / 2, size=(400_000, 4))
        z = np.abs(steps.cumsum(axis=1)) / np.sqrt(np.arange(1, 5))
        crossed = (z > at).any(axis=1).mean()
        expected = crossing(at, theta)
        assert crossed == pytest.approx(expected, abs=4 * math.sqrt(expected / 400_000))

    @given(
        st.integers(1, MOST_LOOKS),
        st.floats(0.001, 0.3),
        st.floats(0.01, 0.69).map(lambda p: 0.3 + p),
    )
    def test_the_level_and_the_power_are_kept(
        self, looks: int, level: float, wanted: float
    ) -> None:
        at = limits(looks, level)
        assert crossing(at) == pytest.approx(level, rel=1e-6)
        assert all(a > b for a, b in itertools.pairwise(at))
        theta = mean_needed(looks, level, wanted)
        assert crossing(at, theta) == pytest.approx(wanted, rel=1e-6)
        assert crossing(at, 40.0) == pytest.approx(1.0)

    def test_what_cannot_be_planned_is_a_sentence(self) -> None:
        for looks, level in ((0, 0.05), (MOST_LOOKS + 1, 0.05), (2, 0.0), (2, 1.0)):
            with pytest.raises(ValueError, match=r"\d"):
                limits(looks, level)
        with pytest.raises(ValueError, match=r"The power is 0\.04"):
            mean_needed(1, 0.05, 0.04)


class TestSize:
    def test_two_equal_groups(self) -> None:
        # Cohen's h, two-sided 5 %, power 80 %: 2 (1.95996 + .84162)² / (2 (asin √.12 − asin √.10))²
        assert size(Share(0.10), 0.02, Design()) == Size(3_835, 3_835, 7_670)
        h = 2 * (np.arcsin(np.sqrt(0.12)) - np.arcsin(np.sqrt(0.10)))
        assert 3_834 < 2 * ((1.959964 + 0.841621) / h) ** 2 < 3_835

    def test_half_the_rise_takes_some_four_times_as_many(self) -> None:
        one, two = (size(Share(0.10), rise, Design()) for rise in (0.01, 0.02))
        assert one
        assert two
        assert one.measure == pytest.approx(4 * two.measure, rel=0.05)

    @pytest.mark.parametrize("rate_and_rise", [(0.99, 0.02), (0.10, 0.0), (-0.1, 0.2), (1.0, 0.0)])
    def test_no_such_rise(self, rate_and_rise: tuple[float, float]) -> None:
        rate, rise = rate_and_rise
        assert size(Share(rate), rise, Design()) is None

    @pytest.mark.parametrize("groups", [2, 4])
    @pytest.mark.parametrize("control", [None, 0.1, 0.6])
    @pytest.mark.parametrize("level", [0.01, 0.1])
    def test_one_look_is_statsmodels(
        self, groups: int, control: float | None, level: float
    ) -> None:
        design = Design(groups, control, level, 0.9)
        found = size(Share(0.25), 0.04, design)
        assert found
        ratio = design.control_share / design.measure_share
        theirs = NormalIndPower().solve_power(
            proportion_effectsize(0.29, 0.25),
            alpha=level / (groups - 1),
            power=0.9,
            ratio=ratio,
        )
        assert found.measure == math.ceil(theirs)
        assert found.control == math.ceil(theirs * ratio)
        assert found.together == (groups - 1) * found.measure + found.control
        reached = NormalIndPower().power(
            proportion_effectsize(0.29, 0.25), 500, level / (groups - 1), ratio
        )
        together = 500 / design.measure_share
        assert power(Share(0.25), 0.04, together, design) == pytest.approx(reached)  # type: ignore[arg-type]

    @given(
        rate=st.floats(0.0, 0.9),
        customers=st.integers(500, 10**7),
        groups=st.integers(2, 6),
        control=st.none() | st.floats(0.05, 0.9),
        looks=st.integers(1, 6),
    )
    def test_size_rise_and_power_are_one_thing(
        self, rate: float, customers: int, groups: int, control: float | None, looks: int
    ) -> None:
        design = Design(groups, control, looks=looks)
        rise = smallest_rise(Share(rate), customers, design)
        if rise is None:
            assert (power(Share(rate), 1 - rate, customers, design) or 0) < 0.8 + 1e-6
            return
        assert power(Share(rate), rise, customers, design) == pytest.approx(0.8, rel=1e-5)
        needed = size(Share(rate), rise, design)
        assert needed
        assert customers <= needed.together + 1
        assert needed.together <= customers + groups + 1

    def test_what_came_before_takes_its_part_of_the_variance(self) -> None:
        # CUPED: 1 − ρ² of the variance is left, and of the customers
        plain, before = (size(Mean(100, rho), 5, Design()) for rho in (0.0, 0.6))
        assert plain
        assert before
        assert before.measure == pytest.approx(plain.measure * (1 - 0.36), abs=1)
        z = norm.isf(0.025) + norm.isf(0.2)
        assert plain.measure == math.ceil(2 * (z * 100 / 5) ** 2)

    @pytest.mark.slow
    def test_made_up_tests_show_the_rise_as_often_as_planned(self) -> None:
        """Two measures and a smaller control group, three looks: power, and false alarms of all."""
        rng = np.random.default_rng(11)
        design = Design(groups=3, control=0.2, looks=3)
        found = size(Share(0.12), 0.05, design)
        assert found
        tests = 40_000
        at = np.array(design.limits)

        def crossed(measure: float) -> np.ndarray:
            """Whether a measure's group shows something at any look."""
            beyond = np.zeros((2, tests), dtype=bool)
            control = np.zeros(tests)
            groups = np.zeros((2, tests))
            for look in (1, 2, 3):
                n_control, n_measure = found.control * look // 3, found.measure * look // 3
                before = (found.control * (look - 1) // 3, found.measure * (look - 1) // 3)
                control += rng.binomial(n_control - before[0], 0.12, tests)
                groups += rng.binomial(n_measure - before[1], measure, (2, tests))
                h = 2 * np.arcsin(np.sqrt(groups / n_measure))
                h -= 2 * np.arcsin(np.sqrt(control / n_control))
                z = h / math.sqrt(1 / n_measure + 1 / n_control)
                beyond |= np.abs(z) > at[look - 1]
            return beyond

        shown = crossed(0.17)
        assert shown.mean() == pytest.approx(0.8, abs=0.01)
        # Bonferroni's level is kept, and not by much, as both share a control group
        assert 0.035 < crossed(0.12).any(axis=0).mean() < 0.052
