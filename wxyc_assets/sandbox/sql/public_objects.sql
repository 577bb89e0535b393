-- public_objects: creates the station's objects in schema public, whatever the name of its own schema. Creates only those
-- that are missing: the database may hold another station already, whose functions and types must stay.
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;

DO $missing$
BEGIN
    IF to_regtype('public.freq_enum') IS NULL THEN
        CREATE TYPE public.freq_enum AS ENUM ('S', 'L', 'M', 'H');
    END IF;

    IF to_regprocedure('public.cdc_notify()') IS NULL THEN
        CREATE FUNCTION public.cdc_notify() RETURNS trigger LANGUAGE plpgsql AS $function$
        DECLARE
            payload_limit_bytes CONSTANT integer := 7800;  -- pg_notify refuses 8000
            envelope CONSTANT jsonb := jsonb_build_object(
                'table', TG_TABLE_NAME, 'schema', TG_TABLE_SCHEMA, 'action', TG_OP,
                'timestamp', floor(extract(epoch FROM now()) * 1000)::bigint);
            changed jsonb;
            payload text;
        BEGIN
            changed := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
            payload := envelope || jsonb_build_object('data', changed);
            IF octet_length(payload) > payload_limit_bytes THEN
                RAISE WARNING 'cdc payload of %.% is % bytes, sending its primary key only',
                    TG_TABLE_SCHEMA, TG_TABLE_NAME, octet_length(payload);
                PERFORM pg_notify('cdc_oversized', (envelope || jsonb_build_object(
                    'primary_key', changed -> 'id', 'payload_bytes', octet_length(payload), 'reason', 'oversized'))::text);
            ELSE
                PERFORM pg_notify('cdc', payload);
            END IF;
            RETURN NULL;
        EXCEPTION WHEN OTHERS THEN  -- a failed notification never fails the write
            PERFORM pg_notify(
                'cdc_error', (envelope || jsonb_build_object('sqlstate', SQLSTATE, 'sqlerrm', SQLERRM))::text);
            RETURN NULL;
        END
        $function$;
    END IF;
END
$missing$;
