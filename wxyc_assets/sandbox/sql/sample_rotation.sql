-- sample_rotation: inserts every tenth album into the rotation. Some are killed (today's kill date counts as killed), some
-- have a kill date in the future, some have no release id, and some have an identity. It is the identity that the sandbox
-- LML mints: the release id times an odd constant, modulo 2^30. Release ids are invented.
--
-- Parameters
--   anchor     timestamptz    the moment from which all ages count back
INSERT INTO rotation (
    album_id, rotation_bin, add_date, kill_date, legacy_rotation_id, legacy_library_release_id, artist_name, album_title,
    record_label, discogs_release_id, discogs_release_id_source, lml_identity_id
)
SELECT
    id,
    ('{S,L,M,H}'::public.freq_enum[])[1 + turn %% 4],
    today - 20 - turn,
    CASE turn %% 6 WHEN 0 THEN today - 3 WHEN 1 THEN today WHEN 2 THEN today + 14 END,
    7000 + turn,
    40000 + id,
    artist,
    title,
    label,
    release_id,
    CASE WHEN turn %% 2 = 0 THEN 'tubafrenzy_paste' ELSE 'library_identity' END::discogs_release_id_source_enum,
    CASE WHEN turn %% 3 = 0 THEN release_id::bigint * 2654435761 %% 1073741824 END
FROM (
    SELECT
        album.*,
        album.id / 10 AS turn,
        CASE WHEN album.id / 10 %% 5 <> 4 THEN 1000000 + album.id * 37 END AS release_id,
        (%(anchor)s AT TIME ZONE 'UTC')::date AS today
    FROM sample_album AS album
    WHERE album.id %% 10 = 0 AND album.artist <> 'Various Artists'
) AS candidates
ORDER BY id
