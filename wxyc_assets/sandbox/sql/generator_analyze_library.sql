-- generator_analyze_library: updates the planner statistics after the load.
ANALYZE library, artists, library_identity
