-- insert_seal: appends an entry to the chain of seals.
--
-- Parameters
--   the columns of wxyc_assets.seal, but for seal_id
INSERT INTO wxyc_assets.seal (
  window_start, kind, made_by, made_at, reason, previous, digest, row_count, cost, rows_digest, event_count, events_digest,
  price_digest, rated_by, accepted_rows, accepted_cost
)
VALUES (
  %(window_start)s, %(kind)s, %(made_by)s, %(made_at)s, %(reason)s, %(previous)s, %(digest)s, %(row_count)s, %(cost)s::numeric,
  %(rows_digest)s, %(event_count)s, %(events_digest)s, %(price_digest)s, %(rated_by)s, %(accepted_rows)s,
  %(accepted_cost)s::numeric
)
