-- set_identities: each row has the identity of its release, unless somebody gave it one, or another release, since it was read.
--
-- Parameters (arrays of one length, a row once)
--   rotation_id          int[]
--   discogs_release_id   int[]   the release as it was read
--   lml_identity_id      int[]
UPDATE rotation AS r SET lml_identity_id = v.lml_identity_id
FROM unnest(%(rotation_id)s::int[], %(discogs_release_id)s::int[], %(lml_identity_id)s::int[])
  AS v (rotation_id, discogs_release_id, lml_identity_id)
WHERE r.id = v.rotation_id AND r.lml_identity_id IS NULL AND r.discogs_release_id = v.discogs_release_id
RETURNING r.id
