-- sample_shows: inserts a week of two-hour shows around the clock; the last one ends two hours before the current hour.
--
-- Parameters
--   anchor     timestamptz    the moment from which all ages count back
INSERT INTO shows (show_name, start_time, end_time, legacy_show_id, legacy_dj_name)
SELECT
    show.name,
    date_trunc('hour', %(anchor)s, 'UTC') - make_interval(hours => 170 - 2 * slot),
    date_trunc('hour', %(anchor)s, 'UTC') - make_interval(hours => 168 - 2 * slot),
    9000 + slot,
    show.dj_name
FROM generate_series(0, 83) AS slot
JOIN (SELECT *, row_number() OVER (ORDER BY name COLLATE "C") - 1 AS place FROM sample_show) AS show
    ON show.place = (slot + slot / 12) %% 12
ORDER BY slot
