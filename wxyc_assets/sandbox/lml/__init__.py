"""A local LML: the wire contract over real HTTP, with a simulated Discogs and faults on request."""
