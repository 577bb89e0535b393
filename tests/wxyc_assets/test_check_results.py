"""Findings as Dagster's results, and the specs that they answer to."""

import dagster as dg
import pytest

from wxyc_assets.check_results import TOLD_PARTITIONS, check_results
from wxyc_assets.check_specs import SCOPE, check_specs
from wxyc_assets.finding import Finding


def test_a_finding_becomes_a_result_with_its_numbers():
    (result,) = check_results(
        [Finding("rows", passed=False, severity="WARN", numbers={"rows": 3}, description="3 rows")]
    )
    assert (result.check_name, result.passed, result.severity) == ("rows", False, dg.AssetCheckSeverity.WARN)
    assert {name: value.value for name, value in result.metadata.items()} == {"rows": 3}
    assert result.description == "3 rows"


@pytest.mark.parametrize(
    ("partitions", "told"),
    [([], None), (["3", "11"], "3, 11"), (list(map(str, range(TOLD_PARTITIONS + 1))), None)],
)
def test_a_failed_result_names_the_partitions_to_blame_unless_they_are_too_many_to_read(partitions, told):
    (result,) = check_results([Finding("rows", passed=False, partitions=partitions)])
    assert (result.metadata["failed_partitions"].value if told else result.metadata.get("failed_partitions")) == told


def test_specs_say_what_blocks_and_what_a_result_speaks_of():
    specs = check_specs("an_asset", {"a": "A.", "b": "B."}, blocking={"b"}, scopes={"a": "watched"}, scope="asset")
    assert [(spec.name, spec.description, spec.blocking, spec.metadata[SCOPE]) for spec in specs] == [
        ("a", "A.", False, "watched"), ("b", "B.", True, "asset"),
    ]  # fmt: skip
