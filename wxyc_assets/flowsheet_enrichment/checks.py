"""The checks of flowsheet_enrichment as Dagster sees them; what they decide is in findings.py."""

from wxyc_assets.check_specs import check_specs

_DESCRIPTIONS = {
    "accounting_holds": "Every play that was read is counted as scanned, and in exactly one outcome.",
    "metadata_trusted": "No shard was refused because its latest album_metadata run met answers under an unexpected index.",
    "writer_errors_zero": "Every play could be marked; one that the table refuses does not cost its siblings.",
    "waiting_left_zero": "No play of these shards that waited when the run began, and whose album was enriched, still does.",
}

SPECS = check_specs("flowsheet_enrichment", _DESCRIPTIONS)
