-- sample_formats: inserts the formats of the sample's albums.
--
-- Parameters
--   anchor     timestamptz    the moment from which all ages count back
INSERT INTO format (format_name, add_date)
SELECT format, (%(anchor)s AT TIME ZONE 'UTC')::date - 10000 FROM sample_album GROUP BY format ORDER BY format COLLATE "C"
