"""Clients of the outside world: one module or package per system, each turning configuration into a plain object.

Nothing in here knows the assets: code that does belongs in ``wxyc_assets`` or ``sensors``.
"""
