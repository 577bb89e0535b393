-- station_triggers: creates the triggers: change notifications (cdc_*), the two watermarks, and the two columns that
-- the station maintains itself.
CREATE TRIGGER cdc_library AFTER INSERT OR DELETE OR UPDATE ON library
    FOR EACH ROW EXECUTE FUNCTION public.cdc_notify();
CREATE TRIGGER touch_library_watermark
    AFTER INSERT OR DELETE OR UPDATE OF
        id, legacy_release_id, artist_id, genre_id, format_id, alternate_artist_name, album_artist, album_title, label,
        code_number, on_streaming, artwork_url, artist_name, canonical_entity_id
    OR TRUNCATE ON library
    FOR EACH STATEMENT EXECUTE FUNCTION touch_library_watermark();

CREATE TRIGGER cascade_library_artist_name AFTER UPDATE OF artist_name ON artists
    FOR EACH ROW WHEN (OLD.artist_name IS DISTINCT FROM NEW.artist_name) EXECUTE FUNCTION cascade_library_artist_name();
CREATE TRIGGER cdc_artists AFTER INSERT OR DELETE OR UPDATE ON artists
    FOR EACH ROW EXECUTE FUNCTION public.cdc_notify();
CREATE TRIGGER touch_library_watermark_from_artists AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON artists
    FOR EACH STATEMENT EXECUTE FUNCTION touch_library_watermark();

CREATE TRIGGER cdc_compilation_track_artist AFTER INSERT OR DELETE OR UPDATE ON compilation_track_artist
    FOR EACH ROW EXECUTE FUNCTION public.cdc_notify();
CREATE TRIGGER touch_library_watermark_from_compilation_track_artist
    AFTER INSERT OR DELETE OR UPDATE OF id, library_id, artist_name, track_title OR TRUNCATE ON compilation_track_artist
    FOR EACH STATEMENT EXECUTE FUNCTION touch_library_watermark();

CREATE TRIGGER bump_flowsheet_updated_at BEFORE INSERT OR UPDATE ON flowsheet
    FOR EACH ROW EXECUTE FUNCTION bump_flowsheet_updated_at();
CREATE TRIGGER cdc_flowsheet AFTER INSERT OR DELETE OR UPDATE ON flowsheet
    FOR EACH ROW EXECUTE FUNCTION public.cdc_notify();
CREATE TRIGGER touch_flowsheet_watermark AFTER INSERT OR DELETE OR UPDATE ON flowsheet
    FOR EACH STATEMENT EXECUTE FUNCTION touch_flowsheet_watermark();

CREATE TRIGGER cdc_rotation AFTER INSERT OR DELETE OR UPDATE ON rotation
    FOR EACH ROW EXECUTE FUNCTION public.cdc_notify();
CREATE TRIGGER touch_library_watermark_from_rotation AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON rotation
    FOR EACH STATEMENT EXECUTE FUNCTION touch_library_watermark();

CREATE TRIGGER cdc_shows AFTER INSERT OR DELETE OR UPDATE ON shows
    FOR EACH ROW EXECUTE FUNCTION public.cdc_notify();
CREATE TRIGGER cdc_show_djs AFTER INSERT OR DELETE OR UPDATE ON show_djs
    FOR EACH ROW EXECUTE FUNCTION public.cdc_notify();
