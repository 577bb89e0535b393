"""LML, the library-metadata-lookup service: its wire contract as models, and the one client that calls it."""
