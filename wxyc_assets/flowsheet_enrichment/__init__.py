"""The flowsheet's plays of albums whose metadata is known, marked as enriched."""
