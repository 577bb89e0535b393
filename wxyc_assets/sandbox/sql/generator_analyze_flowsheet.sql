-- generator_analyze_flowsheet: the planner knows the generated plays.
ANALYZE flowsheet
