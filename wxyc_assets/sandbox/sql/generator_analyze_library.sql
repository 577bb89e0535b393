-- generator_analyze_library: the planner knows the generated albums.
ANALYZE library, artists, library_identity
