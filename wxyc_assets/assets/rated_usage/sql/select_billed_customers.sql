-- select_billed_customers: every customer that has a bill.
SELECT DISTINCT r.auth_id FROM rated_usage r ORDER BY r.auth_id
