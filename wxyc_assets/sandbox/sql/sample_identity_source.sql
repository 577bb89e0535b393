-- sample_identity_source: inserts the sources of those identities. The ids are invented: only the sandbox LML knows them.
INSERT INTO library_identity_source (library_id, source, external_id, method, confidence, last_verified_at, notes)
SELECT library_id, 'discogs', (8000000 + library.artist_id)::text, method, confidence, last_verified_at, 'consumer:lml-bulk'
FROM library_identity
JOIN library ON library.id = library_identity.library_id
