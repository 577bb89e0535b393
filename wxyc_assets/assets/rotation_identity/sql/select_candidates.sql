-- select_candidates: every active rotation row with a Discogs release and without an identity, by id, and whether it rests. A
-- row is active until its kill date. now()::date is the UTC day, because sessions are pinned to UTC.
SELECT r.id, r.discogs_release_id,
  EXISTS (
    SELECT FROM wxyc_assets.quarantine q
    WHERE q.asset = 'rotation_identity' AND q.input_id = r.id AND q.wait_until > now()) AS rests
FROM rotation r
WHERE (r.kill_date IS NULL OR r.kill_date > now()::date)
  AND r.lml_identity_id IS NULL AND r.discogs_release_id IS NOT NULL
ORDER BY r.id
