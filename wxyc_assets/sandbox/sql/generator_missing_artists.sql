-- generator_missing_artists: inserts the artists of these names that the catalogue does not have.
--
-- Parameters
--   names   text[]
INSERT INTO artists (artist_name, code_letters, alphabetical_name)
SELECT name, upper(left(name, 2)), name
FROM unnest(%(names)s::text[]) WITH ORDINALITY AS wanted (name, place)
WHERE NOT EXISTS (SELECT FROM artists WHERE artists.artist_name = wanted.name)
ORDER BY place
