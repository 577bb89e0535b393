-- sample_advance_library_id: the next album gets the id after the sample's last album.
SELECT setval(pg_get_serial_sequence('library', 'id'), max(id)) FROM library
