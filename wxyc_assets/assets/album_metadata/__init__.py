"""Metadata of each album with a pending play, as listeners see it: artwork, links, year and biography, looked up at LML."""
