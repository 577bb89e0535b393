"""The Dagster webserver and daemon that ``wxyc up`` runs: how they start, how ``up`` watches them, how they all end together.

``up`` itself is in ``serve``. The processes that it starts begin in ``entry``.
"""
