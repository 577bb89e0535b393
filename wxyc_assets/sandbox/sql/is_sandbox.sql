-- is_sandbox: one row if the station that search_path finds was made as a sandbox.
SELECT WHERE obj_description(to_regclass('library'), 'pg_class') = 'A sandbox station, made by wxyc.'
