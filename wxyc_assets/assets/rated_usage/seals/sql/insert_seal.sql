-- insert_seal: appends an entry to the chain of seals.
--
-- Parameters
--   window_start, made_at                              timestamptz
--   kind, made_by, reason, previous, digest            text
--   row_count, event_count, accepted_rows              bigint   null unless the entry seals the hour, like those below
--   rows_digest, events_digest, price_digest, rated_by text
--   cost, accepted_cost                                text     USD
INSERT INTO wxyc_assets.seal (
  window_start, kind, made_by, made_at, reason, previous, digest, row_count, cost, rows_digest, event_count, events_digest,
  price_digest, rated_by, accepted_rows, accepted_cost
)
VALUES (
  %(window_start)s, %(kind)s, %(made_by)s, %(made_at)s, %(reason)s, %(previous)s, %(digest)s, %(row_count)s, %(cost)s::numeric,
  %(rows_digest)s, %(event_count)s, %(events_digest)s, %(price_digest)s, %(rated_by)s, %(accepted_rows)s,
  %(accepted_cost)s::numeric
)
