-- analyze_track_credits: the planner's statistics of compilation_track_artist are current after a bulk write.
ANALYZE compilation_track_artist
