"""rotation_cache: warms LML's cache once a day for the albums in rotation, so that no DJ or listener waits for Discogs."""
