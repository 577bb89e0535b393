-- sample_formats: what the sample's albums are made of.
--
-- Parameters
--   anchor     timestamptz    the moment that every age is counted back from
INSERT INTO format (format_name, add_date)
SELECT format, (%(anchor)s AT TIME ZONE 'UTC')::date - 10000 FROM sample_album GROUP BY format ORDER BY format COLLATE "C"
