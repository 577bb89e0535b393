"""Each check that a run evaluates is declared, and only the one about trust blocks."""

from wxyc_assets.library_identity.checks import SPECS
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.findings import of_answers, of_storage


def test_every_finding_of_a_run_has_a_declared_check_and_every_check_a_finding():
    found = of_answers(Counters(), walked=Counters(), inputs_read=0)
    found += of_storage(Counters(), eligible_left={}, recent=[])
    assert [spec.name for spec in SPECS] == [finding.name for finding in found]


def test_only_untrusted_answers_block_what_depends_on_the_asset():
    assert [spec.name for spec in SPECS if spec.blocking] == ["answers_trusted"]


def test_every_check_says_what_must_hold():
    assert all(spec.description and spec.description.endswith(".") for spec in SPECS)
