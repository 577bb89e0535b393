"""rotation_identity: gives each active rotation row with a Discogs release id the identity that LML has for that release."""
