"""Marks the plays of the flowsheet as enriched once the metadata of their album is known."""
