-- select_data_directory: the server's data directory, which identifies the server.
--
-- No parameters.
SELECT current_setting('data_directory')
