"""What the facts of a run say about its plan."""

from tests.wxyc_assets.monitoring.alerts.facts import asset, failed, passed


def test_missed_partitions_are_planned_and_not_credited():
    assert asset(planned="0 1 2", done="1").missed == {"0", "2"}


def test_an_asset_without_partitions_is_missed_as_a_whole():
    assert (asset(planned="", done="").missed, asset(planned="", done="1").missed) == ({""}, frozenset())


def test_unevaluated_checks_are_planned_and_have_no_result():
    facts = asset(expected=frozenset({"one", "two", "three"}), evaluations=[passed("one"), failed("two")])
    assert facts.unevaluated == {"three"}
