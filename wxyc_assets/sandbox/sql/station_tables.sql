-- station_tables: creates the station's types, tables, keys and checks in the first schema of the search_path.
-- Foreign keys to labels, auth_user and specialty_shows are left out: the sandbox has no such tables.
CREATE TYPE metadata_status_enum AS ENUM (
    'pending', 'enriching', 'enriched_match', 'enriched_no_match', 'failed_no_retry'
);
CREATE TYPE flowsheet_entry_type AS ENUM (
    'track', 'show_start', 'show_end', 'dj_join', 'dj_leave', 'talkset', 'breakpoint', 'message'
);
CREATE TYPE discogs_release_id_source_enum AS ENUM (
    'tubafrenzy_paste', 'lml_offline_backfill', 'discogs_direct_backfill', 'library_identity', 'md_verified',
    'recheck_after_unavailable'
);

CREATE TABLE genres (
    id serial PRIMARY KEY,
    genre_name varchar(64) NOT NULL,
    description text,
    plays integer NOT NULL DEFAULT 0,
    add_date date NOT NULL DEFAULT now(),
    last_modified timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE format (
    id serial PRIMARY KEY,
    format_name varchar NOT NULL,
    add_date date NOT NULL DEFAULT now()
);

CREATE TABLE artists (
    id serial PRIMARY KEY,
    artist_name varchar(128) NOT NULL,
    code_letters varchar(4) NOT NULL,
    add_date date NOT NULL DEFAULT now(),
    last_modified timestamptz NOT NULL DEFAULT now(),
    alphabetical_name varchar(128) NOT NULL,
    discogs_artist_id integer,
    musicbrainz_artist_id varchar(64),
    wikidata_qid varchar(32),
    spotify_artist_id varchar(64),
    apple_music_artist_id varchar(64),
    bandcamp_id varchar(255)
);

CREATE SEQUENCE library_legacy_release_id_seq START WITH 1000000;
CREATE TABLE library (
    id serial PRIMARY KEY,
    artist_id integer NOT NULL CONSTRAINT library_artist_id_artists_id_fk REFERENCES artists (id),
    genre_id integer NOT NULL CONSTRAINT library_genre_id_genres_id_fk REFERENCES genres (id),
    format_id integer NOT NULL CONSTRAINT library_format_id_format_id_fk REFERENCES format (id),
    alternate_artist_name varchar(128),
    album_title varchar(128) NOT NULL,
    label varchar(128),
    code_number smallint NOT NULL,
    disc_quantity smallint NOT NULL DEFAULT 1,
    plays integer NOT NULL DEFAULT 0,
    add_date timestamptz NOT NULL DEFAULT now(),
    last_modified timestamptz NOT NULL DEFAULT now(),
    code_volume_letters varchar(4),
    label_id integer,
    legacy_release_id integer NOT NULL DEFAULT nextval('library_legacy_release_id_seq'),
    date_lost timestamptz,
    date_found timestamptz,
    on_streaming boolean,
    album_artist varchar(128),
    artwork_url varchar(512),
    artist_name varchar(128),
    search_doc tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', COALESCE(artist_name, '')), 'A')
        || setweight(to_tsvector('simple', COALESCE(album_title, '')), 'B')
    ) STORED,
    canonical_entity_id text,
    canonical_entity_confidence real,
    canonical_entity_resolved_at timestamptz,
    discogs_unavailable boolean NOT NULL DEFAULT false,
    discogs_unavailable_note varchar(500),
    last_discogs_recheck_at timestamptz,
    unresolved_attempted_at timestamptz,
    CONSTRAINT library_discogs_unavailable_note_check
        CHECK (discogs_unavailable OR discogs_unavailable_note IS NULL)
);
ALTER SEQUENCE library_legacy_release_id_seq OWNED BY library.legacy_release_id;

CREATE TABLE library_identity (
    library_id integer PRIMARY KEY CONSTRAINT library_identity_library_id_library_id_fk REFERENCES library (id),
    discogs_master_id integer,
    discogs_release_id integer,
    musicbrainz_release_group_mbid uuid,
    musicbrainz_release_mbid uuid,
    musicbrainz_recording_mbid uuid,
    wikidata_qid text,
    spotify_id text,
    apple_music_id text,
    last_verified_at timestamptz NOT NULL,
    method text NOT NULL,
    confidence real NOT NULL,
    agreement_sources text,
    notes text,
    distinct_unresolved_sources integer GENERATED ALWAYS AS (
        CASE WHEN discogs_master_id IS NULL THEN 1 ELSE 0 END
        + CASE WHEN discogs_release_id IS NULL THEN 1 ELSE 0 END
        + CASE WHEN musicbrainz_release_group_mbid IS NULL THEN 1 ELSE 0 END
        + CASE WHEN musicbrainz_release_mbid IS NULL THEN 1 ELSE 0 END
        + CASE WHEN musicbrainz_recording_mbid IS NULL THEN 1 ELSE 0 END
        + CASE WHEN wikidata_qid IS NULL THEN 1 ELSE 0 END
        + CASE WHEN spotify_id IS NULL THEN 1 ELSE 0 END
        + CASE WHEN apple_music_id IS NULL THEN 1 ELSE 0 END
    ) STORED,
    CONSTRAINT library_identity_confidence_range CHECK (confidence >= 0 AND confidence <= 1)
);

CREATE TABLE library_identity_source (
    library_id integer NOT NULL CONSTRAINT library_identity_source_library_id_library_id_fk REFERENCES library (id),
    source text NOT NULL,
    external_id text NOT NULL,
    method text NOT NULL,
    confidence real NOT NULL,
    last_verified_at timestamptz NOT NULL,
    boost_sources text,
    notes text,
    CONSTRAINT library_identity_source_library_id_source_pk PRIMARY KEY (library_id, source),
    CONSTRAINT library_identity_source_confidence_range CHECK (confidence >= 0 AND confidence <= 1)
);

CREATE TABLE library_identity_history (
    history_id serial PRIMARY KEY,
    library_id integer NOT NULL,
    discogs_master_id integer,
    discogs_release_id integer,
    musicbrainz_release_group_mbid uuid,
    musicbrainz_release_mbid uuid,
    musicbrainz_recording_mbid uuid,
    wikidata_qid text,
    spotify_id text,
    apple_music_id text,
    last_verified_at timestamptz,
    method text,
    confidence real,
    agreement_sources text,
    notes text,
    superseded_at timestamptz NOT NULL DEFAULT now(),
    superseded_reason text NOT NULL,
    reason_category text,
    archived_at timestamptz
);

CREATE TABLE compilation_track_artist (
    id serial PRIMARY KEY,
    library_id integer NOT NULL
        CONSTRAINT compilation_track_artist_library_id_library_id_fk REFERENCES library (id) ON DELETE CASCADE,
    artist_name varchar(255) NOT NULL,
    track_title varchar(255),
    track_position varchar(20),
    track_artist_id integer
        CONSTRAINT compilation_track_artist_track_artist_id_artists_id_fk REFERENCES artists (id) ON DELETE SET NULL,
    track_artist_link_confidence real,
    track_artist_link_method text,
    CONSTRAINT cta_track_artist_link_confidence_range
        CHECK (track_artist_link_confidence >= 0 AND track_artist_link_confidence <= 1)
);

CREATE TABLE album_metadata (
    album_id integer PRIMARY KEY
        CONSTRAINT album_metadata_album_id_library_id_fk REFERENCES library (id) ON DELETE CASCADE,
    artwork_url varchar(512),
    discogs_url varchar(512),
    release_year smallint,
    spotify_url varchar(512),
    apple_music_url varchar(512),
    youtube_music_url varchar(512),
    bandcamp_url varchar(512),
    soundcloud_url varchar(512),
    artist_bio text,
    artist_wikipedia_url varchar(512),
    updated_at timestamptz NOT NULL DEFAULT now(),
    discogs_artist_id integer,
    label varchar(255),
    full_release_date varchar(32),
    genres text[],
    styles text[],
    tracklist jsonb,
    artist_image_url varchar(512),
    bio_tokens jsonb,
    spotify_status text,
    apple_music_status text,
    bandcamp_status text,
    streaming_reask_attempts integer NOT NULL DEFAULT 0
);

CREATE TABLE shows (
    id serial PRIMARY KEY,
    specialty_id integer,
    show_name varchar(128),
    start_time timestamptz NOT NULL DEFAULT now(),
    end_time timestamptz,
    primary_dj_id varchar(255),
    legacy_show_id integer,
    legacy_dj_name varchar(128),
    legacy_dj_id integer,
    dj_name_override varchar(255)
);

CREATE TABLE show_djs (
    show_id integer NOT NULL CONSTRAINT show_djs_show_id_shows_id_fk REFERENCES shows (id),
    dj_id varchar(255) NOT NULL,
    active boolean DEFAULT true
);

CREATE TABLE rotation (
    id serial PRIMARY KEY,
    album_id integer,
    rotation_bin public.freq_enum NOT NULL,
    add_date date NOT NULL DEFAULT now(),
    kill_date date,
    legacy_rotation_id integer,
    legacy_library_release_id integer,
    artist_name varchar(128),
    album_title varchar(128),
    record_label varchar(128),
    discogs_release_id integer,
    discogs_release_id_source discogs_release_id_source_enum NOT NULL DEFAULT 'tubafrenzy_paste',
    tracklist_lookup_attempted_at timestamptz,
    lml_identity_id integer,
    discogs_release_id_resolve_attempted_at timestamptz,
    CONSTRAINT rotation_discogs_release_id_not_sentinel
        CHECK (discogs_release_id IS NULL OR discogs_release_id > 0)
);
ALTER TABLE rotation ADD CONSTRAINT rotation_album_id_library_id_fk
    FOREIGN KEY (album_id) REFERENCES library (id) ON DELETE CASCADE NOT VALID;

CREATE TABLE flowsheet (
    id serial PRIMARY KEY,
    show_id integer,
    album_id integer,
    rotation_id integer,
    track_title varchar(128),
    album_title varchar(128),
    artist_name varchar(128),
    record_label varchar(128),
    play_order integer NOT NULL,
    request_flag boolean NOT NULL DEFAULT false,
    message varchar(250),
    add_time timestamptz NOT NULL DEFAULT now(),
    entry_type flowsheet_entry_type NOT NULL DEFAULT 'track',
    label_id integer,
    segue boolean NOT NULL DEFAULT false,
    legacy_entry_id integer,
    artwork_url varchar(512),
    discogs_url varchar(512),
    release_year smallint,
    spotify_url varchar(512),
    apple_music_url varchar(512),
    youtube_music_url varchar(512),
    bandcamp_url varchar(512),
    soundcloud_url varchar(512),
    artist_bio text,
    artist_wikipedia_url varchar(512),
    legacy_release_id integer,
    dj_name text,
    linkage_source text,
    linkage_confidence real,
    linked_at timestamptz,
    legacy_link_attempted_at timestamptz,
    search_doc tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', COALESCE(artist_name, '')), 'A')
        || setweight(to_tsvector('simple', COALESCE(track_title, '')), 'B')
        || setweight(to_tsvector('simple', COALESCE(dj_name, '')), 'B')
        || setweight(to_tsvector('simple', COALESCE(album_title, '')), 'C')
        || setweight(to_tsvector('simple', COALESCE(record_label, '')), 'D')
    ) STORED,
    metadata_attempt_at timestamptz,
    track_position text,
    metadata_status metadata_status_enum NOT NULL DEFAULT 'pending',
    enriching_since timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    radio_hour timestamptz,
    composer text,
    composer_source text,
    no_match_recheck_attempted_at timestamptz
);
ALTER TABLE flowsheet
    ADD CONSTRAINT flowsheet_album_id_library_id_fk
        FOREIGN KEY (album_id) REFERENCES library (id) ON DELETE SET NULL NOT VALID,
    ADD CONSTRAINT flowsheet_rotation_id_rotation_id_fk
        FOREIGN KEY (rotation_id) REFERENCES rotation (id) ON DELETE SET NULL NOT VALID,
    ADD CONSTRAINT flowsheet_show_id_shows_id_fk
        FOREIGN KEY (show_id) REFERENCES shows (id) ON DELETE SET NULL NOT VALID;

CREATE TABLE library_watermark (
    id boolean PRIMARY KEY DEFAULT true CONSTRAINT library_watermark_singleton CHECK (id = true),
    last_modified_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE flowsheet_watermark (
    id boolean PRIMARY KEY DEFAULT true CONSTRAINT flowsheet_watermark_singleton CHECK (id = true),
    last_modified_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO library_watermark DEFAULT VALUES;
INSERT INTO flowsheet_watermark DEFAULT VALUES;

-- Marks the station as a sandbox: only a sandbox may use answers of a sandbox LML.
COMMENT ON TABLE library IS 'A sandbox station, made by wxyc.';
