"""Outages of LML: which runs asked LML in vain, and when a sensor asks again."""
