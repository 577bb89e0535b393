-- generator_analyze_track_credits: updates the planner statistics after the load.
ANALYZE library, artists, compilation_track_artist
