"""Shrinking: the steps that a failure needs, and no others."""

import pytest

from tests.simulation.shrinking import shrink


@pytest.mark.parametrize("needed", [{99}, {0}, {3, 97}, {10, 11, 50, 80}])
def test_only_needed_steps_are_kept(needed):
    assert shrink(range(100), lambda steps: needed <= set(steps), attempts=1000) == sorted(needed)


def test_shrinking_ends_after_its_attempts():
    tried = []

    def still_fails(steps):
        tried.append(steps)
        return 5 in steps

    kept = shrink(range(100), still_fails, attempts=4)
    assert len(tried) == 4
    assert 5 in kept
