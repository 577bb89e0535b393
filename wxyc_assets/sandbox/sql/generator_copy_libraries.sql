-- generator_copy_libraries: loads generated albums.
COPY library (
    id, artist_id, genre_id, format_id, album_title, label, code_number, add_date, artist_name, canonical_entity_id,
    canonical_entity_confidence, canonical_entity_resolved_at, unresolved_attempted_at, code_volume_letters
) FROM STDIN
