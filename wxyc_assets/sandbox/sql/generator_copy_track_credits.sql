-- generator_copy_track_credits: loads the track credits of generated compilations.
COPY compilation_track_artist (
    library_id, artist_name, track_title, track_position, track_artist_link_confidence, track_artist_link_method
) FROM STDIN
