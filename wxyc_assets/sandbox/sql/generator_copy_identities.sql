-- generator_copy_identities: what earlier runs would have stored for some of the generated albums.
COPY library_identity (library_id, last_verified_at, method, confidence, notes) FROM STDIN
