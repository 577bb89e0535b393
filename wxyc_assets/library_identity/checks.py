"""The checks of library_identity as Dagster sees them; what they decide is in findings.py."""

from wxyc_assets.check_specs import check_specs
from wxyc_assets.library_identity.findings import UNRESOLVED_RISE

_DESCRIPTIONS = {
    "accounting_holds": "Every library that was read is counted as scanned, and in exactly one outcome.",
    "answers_trusted": "LML answered exactly the libraries it was asked about: none foreign, repeated or missing.",
    "contract_violations_zero": "Every verdict is one that the contract allows; others are quarantined, never written.",
    "writer_errors_zero": "Every verdict could be written; a library that the tables refuse does not cost its siblings.",
    "eligible_left_zero": "No library of these shards that needed asking when the run began still does.",
    "unresolved_rate_usual": f"The unresolved share rose by no more than {UNRESOLVED_RISE:.0%} above the last runs'.",
}

BLOCKING = {"answers_trusted"}

SPECS = check_specs("library_identity", _DESCRIPTIONS, blocking=BLOCKING)
