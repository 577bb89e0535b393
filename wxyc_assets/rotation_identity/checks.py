"""The checks of rotation_identity as Dagster sees them; what they decide is in findings.py."""

from wxyc_assets.check_specs import check_specs
from wxyc_assets.rotation_identity.findings import REQUIRED_PCT

_DESCRIPTIONS = {
    "accounting_holds": "Every row that was read is counted as scanned, and in exactly one outcome.",
    "contract_violations_zero": "Every identity is one that can be right; others are quarantined, never written.",
    "writer_errors_zero": "Every row could be written; one that the table refuses does not cost its siblings.",
    "coverage_of_resolvable": (
        f"Of the active rows that have a Discogs release, at least {REQUIRED_PCT} % have an identity; a release that LML "
        "does not know counts as one without."
    ),
}

BLOCKING = {"coverage_of_resolvable"}

SPECS = check_specs("rotation_identity", _DESCRIPTIONS, blocking=BLOCKING, scope="asset")
