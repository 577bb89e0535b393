-- select_replaced: the rows of album_metadata that one album had before, the latest first.
--
-- Parameters
--   album_id   int
SELECT r.replaced_at, r.before
FROM wxyc_assets.replaced_album r
WHERE r.album_id = %(album_id)s::int
ORDER BY r.replaced_at DESC
