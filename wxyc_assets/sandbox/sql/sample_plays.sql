-- sample_plays: inserts twenty plays per show, of the show's genre if it has one, and no album twice in a show. The metadata
-- of most plays is pending, as on the day on which an upkeep job starts. One in twelve has no link to the library, as if
-- a DJ typed it in, and a few have no artist: no pass may touch those.
INSERT INTO flowsheet (
    show_id, album_id, rotation_id, track_title, album_title, artist_name, record_label, play_order, request_flag,
    segue, add_time, entry_type, legacy_entry_id, legacy_release_id, dj_name, metadata_status, metadata_attempt_at,
    enriching_since
)
SELECT
    show_id,
    CASE WHEN linked THEN album_id END,
    CASE WHEN linked THEN rotation_id END,
    track_title,
    album_title,
    CASE WHEN pg_temp.sample_random('nameless ' || play, 60) > 0 THEN artist END,
    label,
    place + 1 + place / 5,
    pg_temp.sample_random('request ' || play, 15) = 0,
    pg_temp.sample_random('segue ' || play, 4) = 0,
    add_time,
    'track',
    500000 + legacy_show_id * 100 + place,
    CASE WHEN linked THEN 40000 + album_id END,
    dj_name,
    status,
    CASE WHEN status IN ('enriched_match', 'enriched_no_match', 'failed_no_retry') THEN add_time + interval '10 minutes' END,
    CASE WHEN status = 'enriching' THEN add_time + interval '10 minutes' END
FROM (
    SELECT
        shows.id AS show_id,
        shows.legacy_show_id,
        shows.legacy_dj_name AS dj_name,
        picked.*,
        rotation.id AS rotation_id,
        shows.start_time + make_interval(secs => 300 + 330 * place + pg_temp.sample_random('time ' || play, 40)) AS add_time,
        pg_temp.sample_random('linked ' || play, 12) > 0 AS linked,
        CASE pg_temp.sample_random('status ' || play, 50)
            WHEN 0 THEN 'enriched_match'
            WHEN 1 THEN 'enriched_match'
            WHEN 2 THEN 'enriched_no_match'
            WHEN 3 THEN 'enriching'
            WHEN 4 THEN 'failed_no_retry'
            ELSE 'pending'
        END::metadata_status_enum AS status
    FROM shows
    JOIN sample_show ON sample_show.name = shows.show_name
    CROSS JOIN LATERAL (
        SELECT
            row_number() OVER (ORDER BY md5(shows.legacy_show_id || ' ' || candidate.album_id)) - 1 AS place,
            shows.legacy_show_id || ' ' || candidate.album_id AS play,
            candidate.*
        FROM (
            SELECT
                album.id AS album_id, album.title AS album_title, album.label, heard.artist, heard.track_title
            FROM sample_album AS album
            CROSS JOIN LATERAL (
                SELECT known.artist, known.track_title
                FROM (
                    SELECT album.artist, unnest(string_to_array(album.tracks, ';'))
                    UNION ALL
                    SELECT artist, title FROM sample_compilation_track WHERE library_id = album.id AND title IS NOT NULL
                ) AS known (artist, track_title)
                ORDER BY md5(shows.legacy_show_id || known.track_title)
                LIMIT 1
            ) AS heard
            WHERE sample_show.genre IS NULL OR album.genre = sample_show.genre
               OR pg_temp.sample_random('guest ' || shows.legacy_show_id || ' ' || album.id, 60) = 0
        ) AS candidate
        ORDER BY place
        LIMIT 20
    ) AS picked
    LEFT JOIN rotation ON rotation.album_id = picked.album_id AND rotation.add_date <= shows.start_time::date
        AND (rotation.kill_date IS NULL OR rotation.kill_date > shows.start_time::date)
) AS plays
ORDER BY add_time
