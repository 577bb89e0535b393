"""LML's cache, warmed once a day for the albums in rotation, so that DJs and listeners need not wait for Discogs."""
