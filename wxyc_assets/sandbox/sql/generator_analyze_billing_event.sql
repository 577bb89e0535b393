-- generator_analyze_billing_event: the planner knows of the new events.
ANALYZE billing_event
