-- generator_analyze_billing_event: updates the planner statistics after the load.
ANALYZE billing_event
