-- observe_rotation: how many rows the rotation has, how many are active (not killed by the UTC day), and a digest of what
-- rotation_identity reads of them; the identities are left out, as they are what it writes.
SELECT count(*), count(*) FILTER (WHERE kill_date IS NULL OR kill_date > now()::date),
  md5(COALESCE(string_agg((id, kill_date, discogs_release_id)::text, ',' ORDER BY id), ''))
FROM rotation
