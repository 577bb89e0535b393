-- observe_billing_event: how many events there are, and when the newest was stored.
SELECT count(*), (SELECT max(e.created_at) FROM billing_event e) FROM billing_event
