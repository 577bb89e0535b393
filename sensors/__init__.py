"""Sensors and schedules: they start runs, end dead runs and deliver alerts.

A sensor asks one question of the database; what the answer means belongs in ``wxyc_assets``.
"""
