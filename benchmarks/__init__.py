"""Measurements of speed: each module prints one JSON object, with ratios from one run.

What a test must assert does not belong here: absolute times differ between machines.
"""
