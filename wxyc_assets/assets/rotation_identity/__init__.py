"""rotation_identity: sets LML's identity of the release on each active rotation row with a Discogs release id."""
