-- upsert_sources: each source that LML returned for a library is stored; sources that it did not return stay unchanged.
--
-- Parameters
--   rows    json   array of {library_id, source, external_id, method, confidence 0 to 1}, each source of a library once
--   notes   text   the writer of the row
INSERT INTO library_identity_source (
  library_id, source, external_id, method, confidence, last_verified_at, boost_sources, notes)
SELECT v.library_id, v.source, v.external_id, v.method, v.confidence, now(), NULL, %(notes)s
FROM json_to_recordset(%(rows)s::json)
  AS v (library_id int, source text, external_id text, method text, confidence real)
ORDER BY v.library_id, v.source
ON CONFLICT (library_id, source) DO UPDATE SET
  external_id = EXCLUDED.external_id,
  method = EXCLUDED.method,
  confidence = EXCLUDED.confidence,
  last_verified_at = EXCLUDED.last_verified_at,
  boost_sources = NULL,
  notes = EXCLUDED.notes
