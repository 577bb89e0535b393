"""What only Dagster needs: resources, check specs and results, events, partitions, automation, dead runs.

Nothing here names an asset; rules that hold without Dagster belong in ``runs``.
"""
