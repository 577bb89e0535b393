-- generator_copy_identities: loads identities of generated albums, as earlier runs would have stored them.
COPY library_identity (library_id, last_verified_at, method, confidence, notes) FROM STDIN
