-- generator_analyze_flowsheet: updates the planner statistics after the load.
ANALYZE flowsheet
