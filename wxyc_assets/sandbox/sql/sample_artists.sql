-- sample_artists: inserts one row per artist, in the order of their first album, sorted by the name without its "The".
--
-- Parameters
--   anchor     timestamptz    the moment from which all ages count back
INSERT INTO artists (artist_name, code_letters, add_date, last_modified, alphabetical_name)
SELECT
    artist,
    upper(substr(COALESCE(NULLIF(regexp_replace(fold_artist_name(sorted), '[^[:alnum:]]', '', 'g'), ''), sorted), 1, 2)),
    (%(anchor)s AT TIME ZONE 'UTC')::date - 5000,
    %(anchor)s,
    sorted
FROM (
    SELECT artist, regexp_replace(artist, '^The (.*)$', '\1, The') AS sorted, min(id) AS first_id
    FROM sample_album GROUP BY artist
) AS cards
ORDER BY first_id
