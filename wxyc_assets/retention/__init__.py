"""Retention: removes what has been stored for longer than an age, from Dagster's storage, its log files and our own schema.

What runs write, and for how long a check or an alert reads it, belongs in their own packages.
"""
