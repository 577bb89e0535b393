-- delete_billed_usage: what this transaction's search did not find again is billed or accepted by now.
DELETE FROM wxyc_assets.unbilled_usage WHERE confirmed_at <> now()
