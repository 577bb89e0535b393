"""The columns of the tables that assets are about, as a person reads them in the UI. A test holds them equal to the tables.

A table that assets write as a whole is shown in full; of one that the station owns, what the assets read or write. A line is
the column's name, its type in PostgreSQL (with a question mark if it can be null), and what it says.
"""

import re

import dagster as dg

TABLE_NAME = "dagster/table_name"
COLUMN_SCHEMA = "dagster/column_schema"
"""Under these names Dagster knows a table, and shows its columns."""

WHOLE = ("library_identity", "album_metadata", "tally", "billing_event", "rated_usage")
"""The tables that are shown in full."""

_LINE = re.compile(r"(?P<name>\w+) +(?P<type>\S+?)(?P<nullable>\??) +(?P<description>\S.*)")

_TABLES = {
    "library": """
    id                            integer              the album; its shard is id % 16
    artist_id                     integer              who made it: a row of artists
    artist_name                   varchar(128)?        the artist as LML is asked; none: not asked about
    album_title                   varchar(128)         the title as LML is asked
    legacy_release_id             integer              its number in the station's older database; LML is told it
    canonical_entity_id           text?                the station's word on the artist; none, and no identity: not asked about
    discogs_unavailable           boolean              known not to be on Discogs: its metadata is not asked for
    unresolved_attempted_at       timestamptz?         when LML last did not know it, or called it a compilation; it rests then
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
    discogs_release_id            integer?             the release that LML is asked about; without one there is nothing to ask
    lml_identity_id               integer?             LML's identity of it; only an empty one is filled
    """,
    "billing_event": """
    request_id                    varchar(255)         the request; the gateway writes it once
    auth_id                       varchar(64)?         the customer's key; without one the event cannot be billed
    user_id                       varchar(32)?         not read here
    group_id                      varchar(32)?         not read here
    resource_id                   varchar(64)?         the deployment; without one the event cannot be billed
    resource_type                 varchar(64)?         not read here
    model                         varchar(255)?        what was asked; without one the event cannot be billed
    base_model                    varchar(255)?        what a fine-tune is made of: its price follows from that
    adapter                       varchar(255)?        not read here
    prompt_tokens                 integer              tokens sent, the cached ones among them
    cached_tokens                 integer              tokens sent that were cached
    completion_tokens             integer              tokens answered
    finish_reason                 varchar(64)?         not read here
    gpu_type                      varchar(64)?         not read here
    aborted                       boolean              the customer hung up; it is billed like any other
    event_ts                      timestamptz?         when it happened: its hour
    created_at                    timestamptz          when the row came, also hours late; its hour if there is no event_ts
    """,
    "library_identity": """
    library_id                    integer              the album: a row of library
    discogs_master_id             integer?             written empty: LML is asked about the artist, not about the album
    discogs_release_id            integer?             written empty
    musicbrainz_release_group_mbid uuid?                written empty
    musicbrainz_release_mbid      uuid?                written empty
    musicbrainz_recording_mbid    uuid?                written empty
    wikidata_qid                  text?                its artist at Wikidata
    spotify_id                    text?                its artist at Spotify
    apple_music_id                text?                its artist at Apple Music
    last_verified_at              timestamptz          when LML last said so; older than STALE_THRESHOLD_DAYS it is asked again
    method                        text                 how LML knows
    confidence                    real                 how sure LML is, 0 to 1
    agreement_sources             text?                written empty
    notes                         text?                who wrote the row
    distinct_unresolved_sources   integer?             how many of the eight ids are empty; PostgreSQL counts them
    """,
    "album_metadata": """
    album_id                      integer              the album: a row of library
    artwork_url                   varchar(512)?        its cover
    discogs_url                   varchar(512)?        its page at Discogs
    release_year                  smallint?            the year it came out
    spotify_url                   varchar(512)?        where to hear it
    apple_music_url               varchar(512)?        where to hear it
    youtube_music_url             varchar(512)?        where to hear it
    bandcamp_url                  varchar(512)?        where to hear it
    soundcloud_url                varchar(512)?        where to hear it
    artist_bio                    text?                about its artist
    artist_wikipedia_url          varchar(512)?        about its artist
    updated_at                    timestamptz          when the row was last written, by whomever; a newer one is kept
    discogs_artist_id             integer?             the station's: not written here
    label                         varchar(255)?        the station's: not written here
    full_release_date             varchar(32)?         the station's: not written here
    genres                        text[]?              the station's: not written here
    styles                        text[]?              the station's: not written here
    tracklist                     jsonb?               the station's: not written here
    artist_image_url              varchar(512)?        the station's: not written here
    bio_tokens                    jsonb?               the station's: not written here
    spotify_status                text?                the station's: not written here
    apple_music_status            text?                the station's: not written here
    bandcamp_status               text?                the station's: not written here
    streaming_reask_attempts      integer              the station's: not written here
    """,
    "tally": """
    asset                         text                 whose run it is: rotation_cache here
    partition_key                 text                 the partition that was counted
    run_id                        text                 the run
    counters                      jsonb                what it counted, by name
    complete                      boolean              the partition was walked to its end
    started_at                    timestamptz          when the run first counted in it
    updated_at                    timestamptz          when the run last did
    """,
    "rated_usage": """
    id                            varchar(32)          the row: that of its customer, deployment, model and hour
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
    event_count                   bigint               how many events it sums up
    rated_at                      timestamptz          when the row was last written
    """,
}


def table_metadata(schema: str, table: str) -> dict[str, str | dg.TableSchema]:
    """Return what an asset's metadata says of the table that it is about. The schema is the usual one: settings can differ."""
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
