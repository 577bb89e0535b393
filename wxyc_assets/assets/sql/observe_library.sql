-- observe_library: how many albums there are, and when the catalogue last changed.
SELECT (SELECT count(*) FROM library), (SELECT last_modified_at FROM library_watermark)
