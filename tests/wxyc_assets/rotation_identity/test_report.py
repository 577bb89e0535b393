from tests.wxyc_assets.rotation_identity.rotations import request
from wxyc_assets.finding import Finding
from wxyc_assets.rotation_identity.counters import Counters
from wxyc_assets.rotation_identity.findings import Coverage
from wxyc_assets.rotation_identity.report import materialization, summary
from wxyc_assets.rotation_identity.run_report import RunReport

COUNTERS = Counters(scanned=5, resolved=3, unresolved=2)


def test_the_credit_has_numbers_to_plot_and_a_table_of_what_happened():
    metadata = materialization(RunReport(request(), COUNTERS, coverage=Coverage(9, 8, 6, 75.0, [3, 4]))).metadata
    table = metadata.pop("outcome").value
    assert table.splitlines() == [
        "| rows | outcome |",
        "|---:|---|",
        "| 3 | has its identity now |",
        "| 2 | LML has no identity for the release |",
    ]
    assert metadata == COUNTERS.stored() | {
        "active": 9, "active_with_discogs": 8, "active_with_lml": 6, "resolvable_coverage_pct": 75.0,
    }  # fmt: skip


def test_a_per_cent_of_nothing_is_no_number_to_plot():
    made = RunReport(request(), Counters(), coverage=Coverage(9, 0, 0, None))
    assert "resolvable_coverage_pct" not in materialization(made).metadata
    assert "no row needed an identity" in materialization(made).metadata["outcome"].value


def test_the_summary_has_no_partitions_and_the_contracts_totals():
    findings = [Finding("x", passed=False)]
    made = summary(RunReport(request(dry_run=True), COUNTERS, findings=findings, dry_run_report={"would_ask": 5}))
    assert (made.partitions, made.totals, made.dry_run) == ([], COUNTERS.stored(), True)
    assert (made.verdict, made.findings, made.dry_run_report) == ("anomaly", findings, {"would_ask": 5})
    assert made.reason == "failed checks: x"
