-- select_optional_columns: which columns the billing tables have beside those that every station has, and how a new row of
-- rated_usage gets its id. The types are without a length: a value that is too long is refused, not cut off.
SELECT format_type(i.atttypid, NULL) AS id_type, pg_get_expr(d.adbin, d.adrelid) AS id_default,
  format_type(o.atttypid, NULL) AS usage_org_type, e.attname IS NOT NULL AS events_have_org
FROM pg_attribute i
LEFT JOIN pg_attrdef d ON d.adrelid = i.attrelid AND d.adnum = i.attnum
LEFT JOIN pg_attribute o ON o.attrelid = i.attrelid AND o.attname = 'org_id'
LEFT JOIN pg_attribute e ON e.attrelid = to_regclass('billing_event') AND e.attname = 'org_id'
WHERE i.attrelid = to_regclass('rated_usage') AND i.attname = 'id'
