-- generator_genres_and_formats: ensures that there is a genre and a format, and returns the ids of all genres and formats.
WITH new_genre AS (
    INSERT INTO genres (genre_name) SELECT 'Rock' WHERE NOT EXISTS (SELECT FROM genres) RETURNING id
), new_format AS (
    INSERT INTO format (format_name) SELECT 'cd' WHERE NOT EXISTS (SELECT FROM format) RETURNING id
)
SELECT
    (SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM genres UNION ALL SELECT id FROM new_genre) AS known),
    (SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM format UNION ALL SELECT id FROM new_format) AS known)
