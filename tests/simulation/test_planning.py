"""Plans: one seed decides everything, and steps survive their file."""

from tests.simulation.actions import ACTIONS
from tests.simulation.planning import plan
from tests.simulation.steps import Recording, load


def test_seed_decides_every_step():
    assert plan(7, 24) == plan(7, 24)
    assert plan(7, 24) != plan(8, 24)


def test_more_hours_leave_the_first_ones_as_they_are():
    assert plan(7, 30)[: len(plan(7, 24))] == plan(7, 24)


def test_steps_are_in_order_and_known():
    steps = plan(7, 200)
    assert [step.at_s for step in steps] == sorted(step.at_s for step in steps)
    assert {step.kind for step in steps} == set(ACTIONS)


def test_recorded_steps_are_read_as_they_were(tmp_path):
    recording = Recording(7, plan(7, 3), "a_rule: it broke")
    recording.save(tmp_path / "steps.json")
    assert load(tmp_path / "steps.json") == recording
