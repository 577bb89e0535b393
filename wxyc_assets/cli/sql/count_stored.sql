-- count_stored: how many libraries have an identity, how many sources support these identities, and how many albums have metadata.
SELECT (SELECT count(*) FROM library_identity), (SELECT count(*) FROM library_identity_source),
  (SELECT count(*) FROM album_metadata)
