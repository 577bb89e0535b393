"""What the kinds of steps do: the station's other writers, librarians, LML's faults, operators, and runs.

A step whose target is not there does nothing, so that any selection of a simulation's steps can be executed.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from tests.concurrency.enrichment_worker import CLAIM, FINISH, MATCH, SHELL, VERIFY
from tests.processes import ROOT, running
from tests.simulation.invariants import manual_row
from tests.simulation.runs import Finished, Runner, new_run_id
from tests.simulation.steps import Step
from tests.simulation.words import name_of
from tests.simulation.world import BILLING_START, START, TRAILING_H, World
from wxyc_assets.assets.rated_usage.unbilled.search import accept_unbilled, find_unbilled, search_window
from wxyc_assets.sandbox.lml.faults import Fault
from wxyc_assets.sandbox.lml.release_cache import ReleaseCache

PAUSE_S = 90.0
"""How long a process is frozen."""

PROCESS_TIMEOUT_S = 120.0


def execute(world: World, step: Step) -> None:
    """Let a step happen at its time, or now if it is later."""
    world.clock.advance_to(START + timedelta(seconds=step.at_s))
    world.last_run = None
    ACTIONS[step.kind](world, **step.arguments)


# usage


def usage(world: World, events: list[dict[str, Any]]) -> None:
    """The gateway stores events."""
    for event in events:
        instant = world.clock.now() - timedelta(seconds=event["age_s"]) if event["dated"] else None
        world.rows(
            "INSERT INTO billing_event (request_id, auth_id, resource_id, model, base_model, prompt_tokens, cached_tokens, "
            "completion_tokens, event_ts) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            *(event[name] for name in ("id", "auth", "resource", "model", "base")),
            *event["tokens"],
            instant,
        )


def usage_again(world: World, ids: list[str]) -> None:
    """The gateway stores events a second time; their ids are the same, so that the table refuses them."""
    world.rows(
        "INSERT INTO billing_event SELECT * FROM billing_event WHERE request_id = ANY (%s) ON CONFLICT DO NOTHING", ids
    )


def usage_gone(world: World, ids: list[str]) -> None:
    """Events are deleted."""
    world.rows("DELETE FROM billing_event WHERE request_id = ANY (%s)", ids)


def install_prices(world: World, file: str) -> None:
    """price-fetch installs a price file, or loses it."""
    world.install_prices(file)


# the station's other writers


def plays(world: World, plays: list[dict[str, Any]]) -> None:
    """DJs play albums."""
    for play in plays:
        world.rows(
            "INSERT INTO flowsheet (id, album_id, artist_name, track_title, play_order, add_time) "
            "SELECT %s, l.id, l.artist_name, 'Brakhage', 1, now() - %s::interval FROM library l WHERE l.id = %s "
            "ON CONFLICT DO NOTHING",
            play["id"],
            timedelta(seconds=play["age_s"]),
            play["album"],
        )


def worker(world: World, offset: int, outcome: str) -> None:
    """The enrichment worker claims a play, looks its album up and finishes the play."""
    claimed = world.rows(CLAIM, offset)
    if not claimed:
        return
    ((play, album),) = claimed
    if outcome == "enriched_match":
        world.station.execute(MATCH, {"album": album})
        world.known.links[album] |= {"worker artwork", "worker release"}
    if outcome == "enriched_no_match":
        world.station.execute(SHELL, {"album": album})
        found = world.rows(
            "SELECT spotify_url, youtube_music_url, bandcamp_url, soundcloud_url FROM album_metadata WHERE album_id = %s",
            album,
        )
        world.known.links[album] |= {link for link in found[0] if "/search" in (link or "")}
    world.rows(FINISH, outcome, play)


def verify(world: World, album: int, service: str) -> None:
    """The worker finds an album on a streaming service."""
    link = f"worker {service} {album}"
    world.known.links[album].add(link)
    world.station.execute(VERIFY.format(service=service), {"album": album, "url": link})


def rotation(world: World, id: int, release: int | None, kill_days: int | None) -> None:  # noqa: A002 - the column
    """The rotation import adds an album."""
    kill = world.clock.now().date() + timedelta(days=kill_days) if kill_days else None
    world.rows(
        "INSERT INTO rotation (id, rotation_bin, artist_name, album_title, discogs_release_id, kill_date) "
        "VALUES (%s, 'H', 'Juana Molina', 'DOGA', %s, %s) ON CONFLICT DO NOTHING",
        id,
        release,
        kill,
    )
    if release:
        world.known.releases[id].add(release)


def release(world: World, id: int, release: int | None) -> None:  # noqa: A002 - the column
    """The rotation import changes the release of an album, which takes its identity."""
    world.rows("UPDATE rotation SET discogs_release_id = %s, lml_identity_id = NULL WHERE id = %s", release, id)
    if release:
        world.known.releases[id].add(release)


# librarians


def libraries(world: World, libraries: list[dict[str, Any]]) -> None:
    """Librarians add albums."""
    for one in libraries:
        world.rows(
            "INSERT INTO library (id, artist_id, genre_id, format_id, album_title, code_number, code_volume_letters, "
            "artist_name, canonical_entity_id, canonical_entity_resolved_at) "
            "VALUES (%s, %s, 1, 1, %s, 1, %s, %s, %s, CASE WHEN %s THEN now() END) ON CONFLICT DO NOTHING",
            one["id"],
            _artist(world, one["artist"]),
            one["title"],
            one["letters"],
            one["artist"],
            f"entity-{one['id']}" if one["canonical"] else None,
            one["canonical"],
        )
        world.known.names[one["id"]].add(name_of(one["artist"], one["title"]))


def rename(world: World, id: int, artist: str | None = None, title: str | None = None) -> None:  # noqa: A002 - the column
    """A librarian corrects the artist or the title of an album."""
    if artist is not None:
        world.rows(
            "UPDATE library SET artist_id = %s, artist_name = %s WHERE id = %s", _artist(world, artist), artist, id
        )
    if title is not None:
        world.rows("UPDATE library SET album_title = %s WHERE id = %s", title, id)
    for artist_name, album_title in world.rows("SELECT artist_name, album_title FROM library WHERE id = %s", id):
        world.known.names[id].add(name_of(artist_name, album_title))


def canonical(world: World, id: int) -> None:  # noqa: A002 - the column
    """The canonical-entity backfill decides that an album is eligible."""
    world.rows(
        "UPDATE library SET canonical_entity_id = 'late', canonical_entity_resolved_at = now() "
        "WHERE id = %s AND canonical_entity_id IS NULL",
        id,
    )


def manual(world: World, id: int, qid: str) -> None:  # noqa: A002 - the column
    """A librarian decides who an artist is."""
    world.rows(
        "INSERT INTO library_identity (library_id, wikidata_qid, method, confidence, last_verified_at, notes) "
        "SELECT l.id, %s, 'manual', 1, now(), 'librarian' FROM library l WHERE l.id = %s ON CONFLICT (library_id) DO UPDATE "
        "SET wikidata_qid = EXCLUDED.wikidata_qid, method = 'manual', confidence = 1, last_verified_at = now(), "
        "notes = 'librarian'",
        qid,
        id,
    )
    if row := manual_row(world, id):
        world.known.manual[id] = row


def remove(world: World, id: int) -> None:  # noqa: A002 - the column
    """A librarian merges an album into another one and deletes it."""
    for table in ("library_identity_source", "library_identity"):
        world.rows(f"DELETE FROM {table} WHERE library_id = %s", id)
    world.rows("DELETE FROM library WHERE id = %s", id)
    world.known.manual.pop(id, None)


def _artist(world: World, name: str) -> int:
    found = world.rows("SELECT id FROM artists WHERE artist_name = %s ORDER BY id LIMIT 1", name)
    if not found:
        found = world.rows(
            "INSERT INTO artists (artist_name, code_letters, alphabetical_name) VALUES (%s, 'XX', %s) RETURNING id",
            name,
            name,
        )
    artist_id: int = found[0][0]
    return artist_id


# LML


def fault(world: World, **fault: Any) -> None:
    """LML has a fault."""
    world.lml.faults.arm(Fault.model_validate(fault))
    world.faults += 1


def breaker(world: World, state: Any) -> None:
    """LML's breaker in front of Discogs opens or closes."""
    world.lml.discogs.breaker_state = state


def cache_lost(world: World) -> None:
    """LML loses its cache of Discogs."""
    world.lml.discogs.cache = ReleaseCache(None)


# operators


def accept(world: World) -> None:
    """An operator accepts all that is unbilled."""
    with world.postgres.connect() as connection, connection.transaction():
        found = find_unbilled(connection, search_window(world.clock.now(), TRAILING_H, BILLING_START))
        buckets = [one.bucket for one in found if one.bucket != "future"]
        accept_unbilled(connection, buckets, reason="simulation", accepted_by="operator")
    for bucket in buckets:
        if bucket == "before":
            continue
        year, month, day, clock = bucket.split("-")
        rows = world.rows(
            "SELECT request_id FROM billing_event WHERE date_trunc('hour', COALESCE(event_ts, created_at), 'UTC') = %s",
            f"{year}-{month}-{day} {clock}Z",
        )
        world.known.accepted |= {request_id for (request_id,) in rows}


def run(world: World, asset: str, origin: str, interrupt: Mapping[str, Any] | None = None, **options: Any) -> None:
    """Something starts a run of an asset; it may be interrupted."""
    run_id = new_run_id()
    world.runs += 1
    runner = Runner(world.postgres, world.clock, world.lml.url, world.prices_path)
    if interrupt and interrupt["what"] == "kill":
        world.last_run = _killed(world, interrupt["after"], asset=asset, run_id=run_id, origin=origin, options=options)
    else:
        if interrupt:
            world.relay.arm(interrupt["after"], _interruption(world, interrupt["what"]))
        world.last_run = runner.run(asset, run_id, origin, options)
    world.interrupted = bool(interrupt and interrupt["what"] != "pause" and world.relay.acted)
    world.relay.disarm()
    world.clock.pause_s = 0.0


def _interruption(world: World, what: str) -> Callable[[], object]:
    def pause() -> None:
        world.clock.pause_s = PAUSE_S  # between a reservation and its call
        world.clock.advance(PAUSE_S)

    return {
        "connections cut": world.relay.cut,
        "sessions ended": world.end_sessions,
        "lock session ended": lambda: world.end_sessions(only_locks=True),
        "pause": pause,
    }[what]


def _killed(world: World, after: int, **run: Any) -> Finished:
    command = [
        *(sys.executable, "-m", "tests.simulation.runs", world.dsn, world.postgres.dsn),
        *(world.lml.url, str(world.prices_path), json.dumps(run)),
    ]
    with running(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        world.relay.arm(after, process.kill)
        _, errors = process.communicate(timeout=PROCESS_TIMEOUT_S)
    finished = Finished(run["asset"], run["run_id"])
    if process.returncode not in {0, 1, 2, -9}:
        finished.error, finished.trace = ChildProcessError(f"exit {process.returncode}"), errors.decode()
    return finished


OF_THE_PROGRAM = frozenset({"run", "accept"})
"""The kinds of steps in which the program does something; after the others, the database is as their writers left it."""

ACTIONS: Mapping[str, Callable[..., None]] = {
    "usage": usage,
    "usage again": usage_again,
    "usage gone": usage_gone,
    "prices": install_prices,
    "plays": plays,
    "worker": worker,
    "verify": verify,
    "rotation": rotation,
    "release": release,
    "libraries": libraries,
    "rename": rename,
    "canonical": canonical,
    "manual": manual,
    "remove": remove,
    "fault": fault,
    "breaker": breaker,
    "cache lost": cache_lost,
    "accept": accept,
    "run": run,
}
