-- select_has_billing: whether the station has the tables that usage is rated in.
SELECT to_regclass('billing_event') IS NOT NULL AND to_regclass('rated_usage') IS NOT NULL
