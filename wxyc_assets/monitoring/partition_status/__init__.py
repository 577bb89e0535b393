"""Partition status: which partitions are fresh, late, failed or were never built, read from the database without Dagster."""
