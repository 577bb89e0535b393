"""The decision table of a run's end: deletions and anomalies, routine and explicit."""

import pytest

from wxyc_assets.rated_usage.ruling import Ruling, rule


@pytest.mark.parametrize(
    ("origin", "deletions", "anomalies", "expected"),
    [
        ("routine", 0, 0, Ruling("info", True, "info", "done")),
        ("routine", 1, 0, Ruling("error", False, "info", "anomaly")),
        ("routine", 0, 1, Ruling("info", True, "error", "anomaly")),
        ("routine", 1, 1, Ruling("error", False, "error", "anomaly")),
        ("explicit", 0, 0, Ruling("info", True, "info", "done")),
        ("explicit", 1, 0, Ruling("info", True, "info", "done")),
        ("explicit", 0, 1, Ruling("info", True, "error", "anomaly")),
        ("explicit", 1, 1, Ruling("info", True, "error", "anomaly")),
    ],
)
def test_only_a_routine_run_must_not_delete_and_anomalies_count_always(origin, deletions, anomalies, expected):
    assert rule(origin, deletions=deletions, anomalies=anomalies) == expected
