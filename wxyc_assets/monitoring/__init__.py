"""Watches the assets from outside: partition status (fresh, late, failed, never built) and the alert outbox.

Checks that judge one run belong to the asset; how status and alerts are printed belongs in ``cli``.
"""
