-- station_indexes: creates the station's indexes, after its functions, because one index is on fold_artist_name.
-- artists_normalized_name_idx is left out: it is on a function that the sandbox does not have.
CREATE INDEX artist_name_trgm_idx ON artists USING gin (artist_name gin_trgm_ops);
CREATE INDEX artists_fold_name_idx ON artists (fold_artist_name(artist_name::text));
CREATE INDEX code_letters_idx ON artists (code_letters);

CREATE INDEX album_artist_trgm_idx ON library USING gin (album_artist gin_trgm_ops);
CREATE INDEX artist_id_idx ON library (artist_id);
CREATE INDEX format_id_idx ON library (format_id);
CREATE INDEX genre_id_idx ON library (genre_id);
CREATE INDEX library_artist_name_trgm_idx ON library USING gin (artist_name gin_trgm_ops);
CREATE INDEX library_canonical_entity_id_idx ON library (canonical_entity_id);
CREATE INDEX library_discogs_unavailable_idx ON library (discogs_unavailable) WHERE discogs_unavailable = true;
CREATE UNIQUE INDEX library_legacy_release_id_idx ON library (legacy_release_id);
CREATE INDEX library_norm_album_title_idx ON library (lower(TRIM(BOTH FROM COALESCE(album_title, ''))));
CREATE INDEX library_search_doc_idx ON library USING gin (search_doc);
CREATE INDEX title_trgm_idx ON library USING gin (album_title gin_trgm_ops);

CREATE INDEX library_identity_audit_idx ON library_identity (confidence, distinct_unresolved_sources DESC);

CREATE INDEX cta_artist_name_idx ON compilation_track_artist (artist_name);
CREATE INDEX cta_artist_name_trgm_idx ON compilation_track_artist USING gin (artist_name gin_trgm_ops);
CREATE INDEX cta_library_id_idx ON compilation_track_artist (library_id);
CREATE INDEX cta_track_artist_id_idx ON compilation_track_artist (track_artist_id);
CREATE INDEX cta_track_title_trgm_idx ON compilation_track_artist USING gin (track_title gin_trgm_ops);
CREATE UNIQUE INDEX cta_unique_idx ON compilation_track_artist (library_id, artist_name, track_title);
CREATE UNIQUE INDEX cta_unique_null_track_idx ON compilation_track_artist (library_id, artist_name)
    WHERE track_title IS NULL;

CREATE INDEX flowsheet_add_time_idx ON flowsheet (add_time);
CREATE INDEX flowsheet_album_id_linked_idx ON flowsheet (album_id, metadata_attempt_at) WHERE album_id IS NOT NULL;
CREATE INDEX flowsheet_album_link_lookup_idx ON flowsheet (
    ((lower(TRIM(BOTH FROM artist_name)) || '-') || lower(TRIM(BOTH FROM COALESCE(album_title, ''))))
) WHERE album_id IS NOT NULL;
CREATE INDEX flowsheet_album_title_trgm_idx ON flowsheet USING gin (album_title gin_trgm_ops);
CREATE INDEX flowsheet_artist_name_trgm_idx ON flowsheet USING gin (artist_name gin_trgm_ops);
CREATE INDEX flowsheet_entry_type_idx ON flowsheet (entry_type);
CREATE UNIQUE INDEX flowsheet_legacy_entry_id_idx ON flowsheet (legacy_entry_id);
CREATE INDEX flowsheet_legacy_release_id_idx ON flowsheet (legacy_release_id);
CREATE INDEX flowsheet_metadata_status_enriching_stale_idx ON flowsheet (enriching_since)
    WHERE metadata_status = 'enriching';
CREATE INDEX flowsheet_metadata_status_pending_idx ON flowsheet (id)
    WHERE entry_type = 'track' AND artist_name IS NOT NULL AND metadata_status = 'pending';
CREATE INDEX flowsheet_no_match_recheck_id_desc_idx
    ON flowsheet (no_match_recheck_attempted_at NULLS FIRST, id DESC)
    WHERE metadata_status = 'enriched_no_match' AND entry_type = 'track' AND artist_name IS NOT NULL;
CREATE INDEX flowsheet_record_label_trgm_idx ON flowsheet USING gin (record_label gin_trgm_ops);
CREATE INDEX flowsheet_rotation_id_idx ON flowsheet (rotation_id) WHERE rotation_id IS NOT NULL;
CREATE INDEX flowsheet_rotation_no_match_idx ON flowsheet (rotation_id)
    WHERE metadata_status = 'enriched_no_match' AND rotation_id IS NOT NULL;
CREATE INDEX flowsheet_search_doc_idx ON flowsheet USING gin (search_doc);
CREATE INDEX flowsheet_show_id_idx ON flowsheet (show_id);
CREATE INDEX flowsheet_show_id_play_order_idx ON flowsheet (show_id, play_order DESC);
CREATE INDEX flowsheet_track_add_time_idx ON flowsheet (add_time DESC) WHERE entry_type = 'track';
CREATE INDEX flowsheet_track_title_trgm_idx ON flowsheet USING gin (track_title gin_trgm_ops);
CREATE INDEX flowsheet_updated_at_idx ON flowsheet (updated_at DESC);

CREATE INDEX album_id_idx ON rotation (album_id);
CREATE UNIQUE INDEX rotation_legacy_rotation_id_idx ON rotation (legacy_rotation_id);
CREATE INDEX rotation_norm_artist_album_idx ON rotation (
    lower(TRIM(BOTH FROM COALESCE(artist_name, ''))), lower(TRIM(BOTH FROM COALESCE(album_title, '')))
);

CREATE UNIQUE INDEX shows_legacy_show_id_idx ON shows (legacy_show_id);
CREATE INDEX shows_open_start_time_idx ON shows (start_time) WHERE end_time IS NULL;
CREATE UNIQUE INDEX show_djs_show_id_dj_id_unique ON show_djs (show_id, dj_id);

-- Statistics for flowsheet_album_link_lookup_idx, on the same expression. The object is in schema public, so a second
-- station in the same database has none.
CREATE STATISTICS IF NOT EXISTS public.flowsheet_album_link_lookup_stats
    ON ((lower(TRIM(BOTH FROM artist_name)) || '-') || lower(TRIM(BOTH FROM COALESCE(album_title, '')))) FROM flowsheet;
