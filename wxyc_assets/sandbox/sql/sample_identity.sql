-- sample_identity: inserts identities as earlier runs would have written them: two days old (fresh) and nine days old (stale).
--
-- Parameters
--   anchor     timestamptz    the moment from which all ages count back
INSERT INTO library_identity (library_id, last_verified_at, method, confidence, notes)
SELECT
    id,
    %(anchor)s - CASE state WHEN 'fresh' THEN interval '2 days' ELSE interval '9 days' END,
    'name_variation',
    0.9 + pg_temp.sample_random('identity ' || id, 10) / 100.0,
    'consumer:lml-bulk'
FROM sample_album
WHERE (state = 'fresh' OR state LIKE '%%stale%%') AND artist <> 'Various Artists'
