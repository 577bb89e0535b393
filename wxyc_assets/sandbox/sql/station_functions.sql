-- station_functions: creates the functions that the station's triggers and one index call. Those of triggers name the schema of
-- their creation, as the live ones do: a station in a schema of another name updates its own tables, whatever the writer's
-- search_path.
CREATE FUNCTION fold_artist_name(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(regexp_replace(normalize(COALESCE(name, ''), NFD), '[\u0300-\u036F]', '', 'g'));

CREATE FUNCTION bump_flowsheet_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

DO $qualified$
BEGIN
    EXECUTE format($ddl$
        CREATE FUNCTION touch_library_watermark() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE %1$I.library_watermark SET last_modified_at = GREATEST(now(), last_modified_at);
            RETURN NULL;
        END
        $$;

        -- Moves at least one second each time, so that a client that polls sees two changes if two statements share a second.
        CREATE FUNCTION touch_flowsheet_watermark() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE %1$I.flowsheet_watermark
            SET last_modified_at = GREATEST(now(), last_modified_at + interval '1 second');
            RETURN NULL;
        END
        $$;

        CREATE FUNCTION cascade_library_artist_name() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE %1$I.library
            SET artist_name = NEW.artist_name
            WHERE artist_id = NEW.id AND artist_name IS DISTINCT FROM NEW.artist_name;
            RETURN NULL;
        END
        $$
    $ddl$, current_schema());
END
$qualified$;
