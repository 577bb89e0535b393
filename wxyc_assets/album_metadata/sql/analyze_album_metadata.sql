-- analyze_album_metadata: the planner knows what a bulk write has made of the table.
ANALYZE album_metadata
