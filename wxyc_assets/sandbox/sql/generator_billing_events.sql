-- generator_billing_events: inserts billing events at even intervals over a number of hours, each of a random account.
-- The same parameters give the same events; events that exist already stay as they are. An odd event lacks an id, has a
-- model or a base model that no price file has, has more cached than prompt tokens or no tokens, has no event_ts, or has
-- an event_ts 30 hours before created_at.
--
-- Parameters
--   count               bigint        number of events
--   seed                bigint        another number gives other events
--   first_instant       timestamptz   instant of the first event
--   seconds             float8        length of the period from the first event
--   accounts            integer       number of (customer, deployment, model) triples: at most that many rollups an hour
--   models              text[]        account n has model n modulo the number of models
--   base_models         text[]        base models of these models, in the same order; null for none
--   odd_share           float8        share of odd events, 0 to 1
INSERT INTO billing_event (
    request_id, auth_id, user_id, group_id, resource_id, resource_type, model, base_model, prompt_tokens, cached_tokens,
    completion_tokens, finish_reason, aborted, event_ts, created_at
)
SELECT
    'gen-' || %(seed)s::bigint || '-' || extract(epoch FROM %(first_instant)s::timestamptz)::bigint || '-' || lpad(n::text, 9, '0'),
    CASE WHEN oddity IS DISTINCT FROM 0 THEN 'customer-' || account %% customers END,
    'user-' || account %% 997,
    'group-' || account %% 31,
    CASE WHEN oddity IS DISTINCT FROM 1 THEN 'deployment-' || account / customers END,
    'deployment',
    CASE oddity WHEN 2 THEN NULL WHEN 3 THEN 'unknown-model' WHEN 4 THEN 'ft:unknown-base'
        ELSE (%(models)s::text[])[model] END,
    CASE WHEN oddity IN (4, 5) THEN 'unknown-model' ELSE (%(base_models)s::text[])[model] END,
    CASE WHEN oddity = 6 THEN 0 ELSE prompt END,
    CASE WHEN oddity = 6 THEN 0 WHEN oddity = 7 THEN prompt + 30 ELSE cached END,
    CASE WHEN oddity = 6 THEN 0 ELSE completion END,
    CASE WHEN oddity = 8 THEN 'abort' ELSE 'stop' END,
    oddity IS NOT DISTINCT FROM 8,
    CASE WHEN oddity IS DISTINCT FROM 9 THEN happened_at END,
    happened_at + CASE oddity WHEN 9 THEN interval '0' WHEN 10 THEN interval '30 hours' ELSE interval '2 seconds' END
FROM (
    SELECT
        n,
        %(first_instant)s::timestamptz + make_interval(secs => n * (%(seconds)s::float8 / %(count)s::bigint)) AS happened_at,
        (hashint8extended(n, %(seed)s::bigint) & 2147483647) %% %(accounts)s::integer AS account,
        1 + (hashint8extended(n, %(seed)s::bigint) & 2147483647) %% %(accounts)s::integer
            %% cardinality(%(models)s::text[]) AS model,
        GREATEST(1, %(accounts)s::integer / 7) AS customers,
        20 + (hashint8extended(n, %(seed)s::bigint + 1) & 2047)::integer AS prompt,
        (hashint8extended(n, %(seed)s::bigint + 2) & 15)::integer AS cached,
        1 + (hashint8extended(n, %(seed)s::bigint + 3) & 511)::integer AS completion,
        CASE WHEN (hashint8extended(n, %(seed)s::bigint + 4) & 1048575) < %(odd_share)s::float8 * 1048576
            THEN (hashint8extended(n, %(seed)s::bigint + 5) & 2147483647) %% 11 END AS oddity
    FROM generate_series(0, %(count)s::bigint - 1) AS n
) AS events
ON CONFLICT (request_id) DO NOTHING
