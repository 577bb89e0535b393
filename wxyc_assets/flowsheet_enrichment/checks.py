"""The checks of flowsheet_enrichment as Dagster sees them; what they decide is in findings.py."""

import dagster as dg

_DESCRIPTIONS = {
    "accounting_holds": "Every play that was read is counted as scanned, and in exactly one outcome.",
    "metadata_trusted": "No shard was refused because its latest album_metadata run met answers under an unexpected index.",
    "writer_errors_zero": "Every play could be marked; one that the table refuses does not cost its siblings.",
    "waiting_left_zero": "No play of these shards that waited when the run began, and whose album was enriched, still does.",
}

SPECS = [
    dg.AssetCheckSpec(name, asset="flowsheet_enrichment", description=description)
    for name, description in _DESCRIPTIONS.items()
]
