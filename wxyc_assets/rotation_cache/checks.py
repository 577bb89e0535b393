"""The checks of rotation_cache as Dagster sees them; what they decide is in findings.py."""

from wxyc_assets.check_specs import check_specs
from wxyc_assets.rotation_cache.findings import GATE, HEALTHY_ERROR_RATE, NOT_FOUND_RATE, TOLERATED_PCT

_DESCRIPTIONS = {
    GATE: "LML is recent enough to be asked for refreshes. Can be executed on its own, which asks LML for no work.",
    "accounting_holds": "Every identity is counted as scanned, in exactly one outcome.",
    "answers_trusted": "LML answered about the identities that it was asked about, each once, and about no others.",
    NOT_FOUND_RATE: (
        f"At most {TOLERATED_PCT} % of the identities that LML answered for in the last 24 hours, in all runs, are unknown to "
        "it. Can be executed on its own: it asks the ledger."
    ),
    "error_rate_healthy": f"Fewer than {HEALTHY_ERROR_RATE:.0%} of the identities asked about ended in lml_error.",
}

BLOCKING = {GATE}

SPECS = check_specs("rotation_cache", _DESCRIPTIONS, blocking=BLOCKING, scope="asset")
