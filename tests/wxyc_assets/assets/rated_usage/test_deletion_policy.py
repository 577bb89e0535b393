"""The decision table: deletions and anomalies, in routine and explicit runs."""

import pytest

from wxyc_assets.assets.rated_usage.deletion_policy import PolicyDecision, decide


@pytest.mark.parametrize(
    ("origin", "deletions", "anomalies", "expected"),
    [
        ("routine", 0, 0, PolicyDecision("info", True, "info", "done")),
        ("routine", 1, 0, PolicyDecision("error", False, "info", "anomaly")),
        ("routine", 0, 1, PolicyDecision("info", True, "error", "anomaly")),
        ("routine", 1, 1, PolicyDecision("error", False, "error", "anomaly")),
        ("explicit", 0, 0, PolicyDecision("info", True, "info", "done")),
        ("explicit", 1, 0, PolicyDecision("info", True, "info", "done")),
        ("explicit", 0, 1, PolicyDecision("info", True, "error", "anomaly")),
        ("explicit", 1, 1, PolicyDecision("info", True, "error", "anomaly")),
    ],
)
def test_the_decision_table_of_deletions_and_anomalies(origin, deletions, anomalies, expected):
    """Only a routine run must not delete. Anomalies count in every run."""
    assert decide(origin, deletions=deletions, anomalies=anomalies) == expected
