-- pin_text_format: timestamps have one text until the transaction ends, whatever the role's settings are: digests are made of it.
SELECT set_config('datestyle', 'ISO, MDY', true), set_config('timezone', 'UTC', true)
