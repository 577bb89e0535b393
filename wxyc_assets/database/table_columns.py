"""The columns of the tables that assets read and write, with their meaning, for the UI. A test compares them with the tables.

A table that assets write as a whole is listed in full; of a table that the station owns, the columns that assets read or write.
A line is the column's name, its type in PostgreSQL (with a question mark if it can be null), and its meaning.
"""

import re

import dagster as dg

TABLE_NAME = "dagster/table_name"
COLUMN_SCHEMA = "dagster/column_schema"
"""The metadata keys under which Dagster shows a table and its columns."""

WHOLE = ("library_identity", "album_metadata", "tally", "billing_event", "rated_usage")
"""The tables that are listed in full."""

_LINE = re.compile(r"(?P<name>\w+) +(?P<type>\S+?)(?P<nullable>\??) +(?P<description>\S.*)")

_TABLES = {
    "library": """
    id                            integer              the album; its shard is id % 16
    artist_id                     integer              who made it: a row of artists
    artist_name                   varchar(128)?        the artist as it is sent to LML; null: not sent
    album_title                   varchar(128)         the title as it is sent to LML
    legacy_release_id             integer              its number in the station's older database; it is sent to LML
    canonical_entity_id           text?                the station's link of the artist; null, no identity: not sent
    discogs_unavailable           boolean              known not to be on Discogs: no metadata is requested
    unresolved_attempted_at       timestamptz?         when LML last did not know it or called it a compilation; it rests since
    """,
    "flowsheet": """
    id                            integer              the entry
    entry_type                    flowsheet_entry_type track, or what else happens in a show
    add_time                      timestamptz          when it was played; a recent track means that a DJ is live
    artist_name                   varchar(128)?        as the DJ entered it
    album_id                      integer?             its album in the library; the shard is album_id % 16
    metadata_status               metadata_status_enum pending until its album has metadata, then enriched_match
    metadata_attempt_at           timestamptz?         when it was first marked
    """,
    "rotation": """
    id                            integer              the row
    add_date                      date                 from this day on DJs are asked to play it
    kill_date                     date?                from this day (UTC) on it is not active any more
    discogs_release_id            integer?             the release whose identity is requested; null: none is requested
    lml_identity_id               integer?             LML's identity of the release; only a null is filled
    """,
    "billing_event": """
    request_id                    varchar(255)         the request; the gateway writes it once
    auth_id                       varchar(64)?         the customer's key; without one the event cannot be billed
    user_id                       varchar(32)?         not read here
    group_id                      varchar(32)?         not read here
    resource_id                   varchar(64)?         the deployment; without one the event cannot be billed
    resource_type                 varchar(64)?         not read here
    model                         varchar(255)?        the requested model; without one the event cannot be billed
    base_model                    varchar(255)?        the base of a fine-tune, which decides its price
    adapter                       varchar(255)?        not read here
    prompt_tokens                 integer              tokens sent, the cached ones among them
    cached_tokens                 integer              tokens sent that were cached
    completion_tokens             integer              tokens answered
    finish_reason                 varchar(64)?         not read here
    gpu_type                      varchar(64)?         not read here
    aborted                       boolean              the customer closed the connection; the event is billed all the same
    event_ts                      timestamptz?         when the event happened; decides its hour
    created_at                    timestamptz          when the row was stored; decides the hour if event_ts is null
    """,
    "library_identity": """
    library_id                    integer              the album: a row of library
    discogs_master_id             integer?             always null: the artist is resolved, not the album
    discogs_release_id            integer?             always null
    musicbrainz_release_group_mbid uuid?                always null
    musicbrainz_release_mbid      uuid?                always null
    musicbrainz_recording_mbid    uuid?                always null
    wikidata_qid                  text?                its artist at Wikidata
    spotify_id                    text?                its artist at Spotify
    apple_music_id                text?                its artist at Apple Music
    last_verified_at              timestamptz          when LML last gave this verdict; stale after STALE_THRESHOLD_DAYS
    method                        text                 the method by which LML decided
    confidence                    real                 LML's confidence, 0 to 1
    agreement_sources             text?                always null
    notes                         text?                the program that wrote the row
    distinct_unresolved_sources   integer?             how many of the eight ids are null; generated by PostgreSQL
    """,
    "album_metadata": """
    album_id                      integer              the album: a row of library
    artwork_url                   varchar(512)?        its cover
    discogs_url                   varchar(512)?        its page at Discogs
    release_year                  smallint?            the year of its release
    spotify_url                   varchar(512)?        where to hear it
    apple_music_url               varchar(512)?        where to hear it
    youtube_music_url             varchar(512)?        where to hear it
    bandcamp_url                  varchar(512)?        where to hear it
    soundcloud_url                varchar(512)?        where to hear it
    artist_bio                    text?                about its artist
    artist_wikipedia_url          varchar(512)?        about its artist
    updated_at                    timestamptz          when any writer last wrote the row; a newer match is kept
    discogs_artist_id             integer?             the station's: not written here
    label                         varchar(255)?        the station's: not written here
    full_release_date             varchar(32)?         the station's: not written here
    genres                        text[]?              the station's: not written here
    styles                        text[]?              the station's: not written here
    tracklist                     jsonb?               the station's: not written here
    artist_image_url              varchar(512)?        the station's: not written here
    bio_tokens                    jsonb?               the station's: not written here
    spotify_status                text?                verified (its link never changes), absent or unresolved; null: unknown
    apple_music_status            text?                verified (its link never changes), absent or unresolved; null: unknown
    bandcamp_status               text?                verified (its link never changes), absent or unresolved; null: unknown
    streaming_reask_attempts      integer              how often LML was asked again about an album that had a match
    """,
    "tally": """
    asset                         text                 the asset of the run: rotation_cache here
    partition_key                 text                 the partition that was counted
    run_id                        text                 the run
    counters                      jsonb                the counters by name
    complete                      boolean              the partition was processed to its end
    started_at                    timestamptz          when the run first wrote the counters
    updated_at                    timestamptz          when the run last wrote the counters
    """,
    "rated_usage": """
    id                            varchar(32)          derived from customer, deployment, model and hour
    auth_id                       varchar(64)          the customer
    resource_id                   varchar(64)          the deployment
    model_id                      varchar(255)         the model, a base or a fine-tune
    window_start                  timestamptz          the hour, in UTC
    window_end                    timestamptz          its end, not included
    prompt_tokens                 bigint               tokens sent, the cached ones among them
    cached_tokens                 bigint               tokens sent that were cached
    completion_tokens             bigint               tokens answered
    billable_prompt_tokens        bigint               tokens sent that were not cached
    cost                          numeric(20,9)        USD, exact: the tokens times the three rates
    applied_prompt_rate           numeric(20,9)        USD for each of billable_prompt_tokens
    applied_cached_rate           numeric(20,9)        USD for each of cached_tokens
    applied_completion_rate       numeric(20,9)        USD for each of completion_tokens
    event_count                   bigint               number of events in the row
    rated_at                      timestamptz          when the row was last written
    """,
}


def table_metadata(schema: str, table: str) -> dict[str, str | dg.TableSchema]:
    """Return an asset's metadata about its table. The schema is the default one; a station's settings can differ."""
    return {TABLE_NAME: f"{schema}.{table}", COLUMN_SCHEMA: table_columns(table)}


def table_columns(table: str) -> dg.TableSchema:
    """Return the columns of a table, by its name without the schema."""
    return dg.TableSchema([_column(line) for line in _TABLES[table].split("\n") if line.strip()])


def _column(line: str) -> dg.TableColumn:
    found = _LINE.fullmatch(line.strip())
    if not found:
        raise ValueError(f"no name, type and description: {line!r}")
    constraints = dg.TableColumnConstraints(nullable=bool(found["nullable"]))
    return dg.TableColumn(found["name"], found["type"], found["description"], constraints)
