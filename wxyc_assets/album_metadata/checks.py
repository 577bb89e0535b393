"""The checks of album_metadata as Dagster sees them; what they decide is in findings.py."""

from wxyc_assets.album_metadata.findings import HEALTHY_ERROR_RATE
from wxyc_assets.check_specs import check_specs

_DESCRIPTIONS = {
    "accounting_holds": "Every pending album is counted as scanned, in exactly one outcome, and every match has its row.",
    "unexpected_index_is_zero": "Every answer came in the position that its index says; others could be another album's.",
    "unexpected_index_24h_is_zero": "So it was in all runs of the last 24 hours, as the ledger has it; this only alerts.",
    "contract_violations_zero": "Every answer is one that the contract allows; others are quarantined, never written.",
    "writer_errors_zero": "Every row could be written; one that the table refuses does not cost its siblings.",
    "surplus_answers_zero": "LML gave no more answers than albums were asked.",
    "error_rate_healthy": f"Fewer than {HEALTHY_ERROR_RATE:.0%} of the albums asked about ended in error.",
}

BLOCKING = {"unexpected_index_is_zero"}

SPECS = check_specs(
    "album_metadata", _DESCRIPTIONS, blocking=BLOCKING, scopes={"unexpected_index_24h_is_zero": "asset"}
)
