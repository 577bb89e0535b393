-- is_sandbox: one row if the station on the search_path is a sandbox.
SELECT WHERE obj_description(to_regclass('library'), 'pg_class') = 'A sandbox station, made by wxyc.'
