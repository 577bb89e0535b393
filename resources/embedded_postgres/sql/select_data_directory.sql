-- select_data_directory: which server this is, by the directory it keeps its data in.
--
-- No parameters.
SELECT current_setting('data_directory')
