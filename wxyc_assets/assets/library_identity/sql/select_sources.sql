-- select_sources: the external ids of one album's identity, by source.
--
-- Parameters
--   library_id   int
SELECT s.source, s.external_id, s.method, s.confidence, s.last_verified_at
FROM library_identity_source s
WHERE s.library_id = %(library_id)s::int
ORDER BY s.source
