"""A local LML: the wire contract over real HTTP, with a simulated Discogs and faults on request.

The client of LML does not belong here: it is in ``resources.lml``, and the two share no code.
"""
