-- select_price_books: the stored price files whose digest begins so, the latest first.
--
-- Parameters
--   digest   text
SELECT b.digest, b.content
FROM wxyc_assets.price_book b
WHERE starts_with(b.digest, %(digest)s)
ORDER BY b.first_used_at DESC, b.digest
