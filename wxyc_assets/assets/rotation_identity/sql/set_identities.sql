-- set_identities: sets the identity of each row, unless another session set one, or another release, since the row was read.
--
-- Parameters (arrays of the same length, each row at most once)
--   rotation_id          int[]
--   discogs_release_id   int[]   the release that the row had when it was read
--   lml_identity_id      int[]
UPDATE rotation AS r SET lml_identity_id = v.lml_identity_id
FROM unnest(%(rotation_id)s::int[], %(discogs_release_id)s::int[], %(lml_identity_id)s::int[])
  AS v (rotation_id, discogs_release_id, lml_identity_id)
WHERE r.id = v.rotation_id AND r.lml_identity_id IS NULL AND r.discogs_release_id = v.discogs_release_id
RETURNING r.id
