"""The sandbox station: its tables, a sample catalogue, a generator of test data, and a local LML with faults.

No asset belongs here, and nothing that needs Dagster: the assets cannot tell the sandbox from the real station.
"""
