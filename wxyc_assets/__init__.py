"""The WXYC data upkeep as one Dagster asset graph."""
