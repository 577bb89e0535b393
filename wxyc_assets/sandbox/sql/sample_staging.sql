-- sample_staging: creates the tables for the catalogue's files, until the transaction ends. A state is one branch of the
-- eligibility rule: each has a dozen albums, in all shards, because 41 and 16 share no factor. sample_random returns a
-- number that depends on a text alone, so that derived rows vary and all sample stations are equal.
CREATE TEMPORARY TABLE sample_album (
    id integer PRIMARY KEY,
    artist text NOT NULL,
    title text NOT NULL,
    label text,
    release_year smallint NOT NULL,
    genre text NOT NULL,
    format text NOT NULL,
    tracks text,
    state text NOT NULL GENERATED ALWAYS AS (
        CASE id % 41
            WHEN 0 THEN 'no canonical'
            WHEN 1 THEN 'no canonical, stale'
            WHEN 2 THEN 'fresh'
            WHEN 3 THEN 'stale'
            WHEN 4 THEN 'waiting'
            WHEN 5 THEN 'retry due'
            WHEN 6 THEN 'nameless'
            WHEN 7 THEN 'unavailable'
            WHEN 8 THEN 'no canonical, retry due'
            WHEN 9 THEN 'stale, waiting'
            ELSE 'never asked'
        END
    ) STORED
) ON COMMIT DROP;
CREATE TEMPORARY TABLE sample_compilation_track (
    library_id integer NOT NULL, artist text NOT NULL, title text, position text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE sample_show (name text NOT NULL, dj_name text NOT NULL, genre text) ON COMMIT DROP;
CREATE TEMPORARY TABLE sample_account (
    auth_id text NOT NULL, user_id text NOT NULL, group_id text NOT NULL, resource_id text NOT NULL,
    resource_type text NOT NULL, model text NOT NULL, base_model text, gpu_type text NOT NULL, weight integer NOT NULL
) ON COMMIT DROP;
CREATE FUNCTION pg_temp.sample_random(what text, below integer) RETURNS integer LANGUAGE sql IMMUTABLE
    RETURN ('x' || substr(md5(what), 1, 7))::bit(28)::integer % below;
