"""Each check that a pass evaluates is declared."""

from wxyc_assets.flowsheet_enrichment.checks import SPECS
from wxyc_assets.flowsheet_enrichment.counters import Counters
from wxyc_assets.flowsheet_enrichment.findings import of_plays, of_storage


def test_every_finding_of_a_pass_has_a_declared_check_and_every_check_a_finding():
    found = of_plays(Counters(), plays_read=0, distrusted={}) + of_storage(Counters(), waiting_left={})
    assert [spec.name for spec in SPECS] == [finding.name for finding in found]


def test_every_check_says_what_must_hold():
    assert all(spec.description and spec.description.endswith(".") for spec in SPECS)
