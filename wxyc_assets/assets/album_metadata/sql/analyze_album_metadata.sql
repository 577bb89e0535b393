-- analyze_album_metadata: the planner's statistics of album_metadata are current after a bulk write.
ANALYZE album_metadata
