"""The assets of the graph: one package per asset, plus the registry of assets and the external assets that they read.

What several assets share belongs in ``runs`` or ``orchestration``; nothing here knows the command line or the monitoring.
"""
