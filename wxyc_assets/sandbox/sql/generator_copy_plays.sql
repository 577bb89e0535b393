-- generator_copy_plays: loads generated plays whose metadata is pending.
COPY flowsheet (
    album_id, track_title, album_title, artist_name, record_label, play_order, add_time, entry_type, metadata_status
) FROM STDIN
