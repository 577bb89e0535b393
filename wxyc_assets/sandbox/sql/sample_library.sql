-- sample_library: inserts one row per album, with its fixed id. Compilations have volume letters that start with Z.
--
-- Parameters
--   anchor     timestamptz    the moment from which all ages count back
INSERT INTO library (
    id, artist_id, genre_id, format_id, album_title, label, code_number, add_date, last_modified, code_volume_letters,
    legacy_release_id, artist_name, canonical_entity_id, canonical_entity_confidence, canonical_entity_resolved_at,
    discogs_unavailable, discogs_unavailable_note, unresolved_attempted_at
)
SELECT
    album.id,
    artists.id,
    genres.id,
    format.id,
    album.title,
    album.label,
    row_number() OVER (PARTITION BY artists.id ORDER BY album.id),
    %(anchor)s - make_interval(days => 4000 - 5 * album.id),
    %(anchor)s - make_interval(days => 4000 - 5 * album.id),
    CASE WHEN album.artist = 'Various Artists' THEN 'Z' || chr(65 + (album.id / 17) %% 26) END,
    40000 + album.id,
    CASE WHEN album.state <> 'nameless' THEN album.artist END,
    CASE WHEN album.state NOT LIKE 'no canonical%%' THEN COALESCE(NULLIF(canonical.slug, ''), 'library-' || album.id) END,
    CASE WHEN album.state NOT LIKE 'no canonical%%' THEN 0.8 + pg_temp.sample_random('canonical ' || album.id, 20) / 100.0 END,
    CASE WHEN album.state NOT LIKE 'no canonical%%' THEN %(anchor)s - interval '40 days' END,
    album.state = 'unavailable',
    CASE WHEN album.state = 'unavailable' THEN 'Asked three times; Discogs has no page for this pressing.' END,
    CASE
        WHEN album.state LIKE '%%waiting' THEN %(anchor)s - interval '10 days'
        WHEN album.state LIKE '%%retry due' THEN %(anchor)s - interval '31 days'
    END
FROM sample_album AS album
JOIN artists ON artists.artist_name = album.artist
JOIN genres ON genres.genre_name = album.genre
JOIN format ON format.format_name = album.format
CROSS JOIN LATERAL (
    SELECT trim(BOTH '-' FROM regexp_replace(
        fold_artist_name(album.artist || ' ' || album.title), '[^[:alnum:]]+', '-', 'g')) AS slug
) AS canonical
ORDER BY album.id
