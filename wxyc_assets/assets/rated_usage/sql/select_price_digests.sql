-- select_price_digests: the stored price files, the latest first.
SELECT b.digest, b.first_used_at, b.first_used_by, length(b.content) AS bytes,
  (SELECT count(*) FROM wxyc_assets.rated_hour h WHERE h.price_digest = b.digest) AS hours
FROM wxyc_assets.price_book b
ORDER BY b.first_used_at DESC, b.digest
