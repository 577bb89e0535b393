"""Whole runs over a station with compilations: what LML is asked, what is written, counted and logged."""

import json
import signal
from collections import Counter

import psycopg
import pytest

from resources.postgres import Postgres
from tests.run_harness import child, failed_checks
from tests.waiting import wait_for
from tests.wxyc_assets.assets.library_identity.fake_lml import (
    all_single_artists,
    compilation,
    serve_verdicts,
    single_artist,
    track,
    with_tracks,
)
from tests.wxyc_assets.assets.library_identity.harness import LibraryIdentityRuns, without_calls
from wxyc_assets.assets.library_identity.counters import TRACK_COUNTERS, Counters
from wxyc_assets.sandbox.compilation_generator import generate_compilations
from wxyc_assets.sandbox.compilations import lml_tracks
from wxyc_assets.sandbox.lml.server import SandboxLml
from wxyc_assets.sandbox.lml.tracks import tracks_of

RUN_PROCESS = "tests.wxyc_assets.assets.library_identity.run_process"
LINKED = "SELECT count(*) FROM compilation_track_artist WHERE track_artist_link_method = 'lml_backfill'"
SHARD = {"shards": [0]}


@pytest.fixture
def station_with_compilations(library):
    """400 albums of artists, ids 1 to 400, and 320 compilations of 12 credits, ids 1001 to 1320: 20 in each shard."""
    with library.postgres.connect() as connection:
        generate_compilations(connection, 320, credits_each=12, first_id=1001)
    return library


@pytest.fixture
def lml_with_tracks():
    with SandboxLml(tracks=True) as lml:
        yield lml


def titles(library):
    return library.rows("SELECT id, album_title FROM library WHERE id > 1000")


def named_credits(library):
    """How many credits LML names of all compilations."""
    return sum(
        len({(one.artist_name, one.track_title) for one in lml_tracks(title) if one.resolved_artist_name})
        for _, title in titles(library)
    )


def test_compilations_are_asked_apart_by_the_hundred(library):
    """By their letters, or because they have credits."""
    with library.postgres.connect() as connection:
        generate_compilations(connection, 2000, credits_each=1, first_id=1001)
        connection.execute("UPDATE library SET code_volume_letters = 'ZZ' WHERE id BETWEEN 1 AND 32")
        connection.execute("UPDATE library SET code_volume_letters = NULL WHERE id > 1032")
        connection.execute("UPDATE library SET code_volume_letters = 'za' WHERE id BETWEEN 33 AND 64")
    with serve_verdicts(all_single_artists) as lml:
        report = library.run(lml.url)
    assert report.verdict == "done", report.reason
    asked: Counter[int] = Counter()
    for body in lml.bodies:
        ids = [one["library_id"] for one in body["inputs"]]
        filed_as_va = {one <= 32 or one > 1000 for one in ids}
        assert filed_as_va == {body["include_tracks"]}
        assert len(ids) <= (100 if body["include_tracks"] else 500)
        asked.update(ids)
    assert asked == Counter([*range(1, 401), *range(1001, 3001)])
    assert sorted(len(body["inputs"]) for body in lml.bodies) == [23] * 16 + [27] * 16 + [100] * 16


def test_run_writes_counts_and_credits_compilations(station_with_compilations, lml_with_tracks):
    library = station_with_compilations
    dry = library.run(lml_with_tracks.url, dry_run=True)
    assert library.rows(LINKED) == [(0,)]
    report = library.run(lml_with_tracks.url)
    assert (report.verdict, report.reason, failed_checks(report)) == ("done", "", set())
    counters = report.counters
    assert (counters.scanned, counters.accounted, counters.resolved_compilation) == (720, 720, 320)
    assert without_calls(dry) == without_calls(report)
    assert dry.dry_run_report["would_resolve_compilation"] == 320
    assert library.rows(LINKED) == [(counters.compilation_track_rows_written,)]
    assert counters.compilation_track_rows_written == named_credits(library)
    assert counters.compilation_track_rows_skipped_no_catalog_artist > 0
    positions = "SELECT count(*) FROM compilation_track_artist WHERE track_position ~ '^[0-9]'"
    assert library.rows(positions) == [(counters.compilation_track_position_rows_written,)]
    assert library.tallied(report.request.run_id) == counters.stored()
    assert report.totals["rows_resolved_compilation"] == 320
    assert set(TRACK_COUNTERS) < set(report.totals)
    assert sorted(library.credited) == list(range(16))


def test_second_recheck_changes_no_row(station_with_compilations, lml_with_tracks):
    library = station_with_compilations
    first = library.run(lml_with_tracks.url)
    assert library.run(lml_with_tracks.url).counters == Counters()  # the compilations rest
    versions = library.rows("SELECT id, ctid, xmin FROM compilation_track_artist ORDER BY id")
    again = library.run(lml_with_tracks.url, recheck=True)
    assert again.counters.resolved_compilation == 320
    assert again.counters.compilation_track_rows_written == 0
    assert again.counters.compilation_track_rows_skipped_unchanged == first.counters.compilation_track_rows_written
    assert library.rows("SELECT id, ctid, xmin FROM compilation_track_artist ORDER BY id") == versions


@pytest.mark.parametrize("version", [None, 2, "1", True])
def test_tracks_mean_nothing_without_version_1_of_their_contract(station_with_compilations, version):
    """They are asked for, and the libraries count as compilations, as if there were none."""
    library = station_with_compilations
    before = library.content()["compilation_track_artist"]

    def answer(inputs):
        known = dict(titles(library))
        return [
            with_tracks(one["library_id"], *tracks_of(known[one["library_id"]]))
            if one["library_id"] > 1000
            else single_artist(one["library_id"])
            for one in inputs
        ]

    with serve_verdicts(answer, tracks_contract_version=version) as lml:
        report = library.run(lml.url)
    assert report.verdict == "done", report.reason
    assert report.counters.compilation == 320
    assert (report.counters.resolved_compilation, report.totals["compilation_track_rows_written"]) == (0, 0)
    assert library.content()["compilation_track_artist"] == before
    assert library.rows("SELECT count(*) FROM library WHERE unresolved_attempted_at IS NOT NULL") == [(320,)]
    assert library.steps("analyze_started") == []


def test_statistics_are_updated_only_after_a_run_that_wrote(station_with_compilations, lml_with_tracks, sandbox):
    library = station_with_compilations
    library.run(lml_with_tracks.url, shards=[1], dry_run=True)
    library.run(sandbox.url, shards=[2])
    assert library.steps("analyze_started") == []
    library.run(lml_with_tracks.url, shards=[3])
    assert len(library.steps("analyze_started")) == 1
    query = "SELECT analyze_count FROM pg_stat_user_tables WHERE relname = 'compilation_track_artist'"
    assert wait_for(lambda: library.rows(query)[0][0] > 1, "count of the ANALYZE")  # the generator's is the first


def test_compilation_of_2364_credits_is_written_as_a_whole(empty_library, lml_with_tracks):
    """The longest of the station. One artist has every track of the second, so that only titles tell its credits apart."""
    with empty_library.postgres.connect() as connection:
        generate_compilations(connection, 2, credits_each=2364, first_id=16)
        connection.execute(
            "UPDATE compilation_track_artist SET artist_name = 'One', track_title = 'T' || id, "
            "track_artist_link_method = NULL WHERE library_id = 17"
        )
    tracks = [
        track("One", title)
        for (title,) in empty_library.rows("SELECT track_title FROM compilation_track_artist WHERE library_id = 17")
    ]
    report = empty_library.run(lml_with_tracks.url, **SHARD)
    assert report.verdict == "done", report.reason
    assert report.counters.compilation_track_rows_written == named_credits_of(empty_library, 16)
    with serve_verdicts(lambda _inputs: [with_tracks(17, *tracks)], tracks_contract_version=1) as lml:
        report = empty_library.run(lml.url, shards=[1])
    assert (report.verdict, report.counters.compilation_track_rows_written) == ("done", 2364)


def named_credits_of(library, library_id):
    """How many credits of a library LML names and no librarian linked."""
    ((title,),) = library.rows(f"SELECT album_title FROM library WHERE id = {library_id}")
    stored = set(
        library.rows(
            "SELECT artist_name, track_title FROM compilation_track_artist "
            f"WHERE library_id = {library_id} AND track_artist_link_method IS DISTINCT FROM 'librarian'"
        )
    )
    return len(stored & {(one.artist_name, one.track_title) for one in lml_tracks(title) if one.resolved_artist_name})


def test_killed_run_leaves_whole_compilations(server, station_template, station_with_compilations, lml_with_tracks):
    """Killed while it writes its first pages, or between them."""
    undisturbed = station_with_compilations
    undisturbed.run(lml_with_tracks.url)
    dsn = server.create_database(template=str(psycopg.conninfo.conninfo_to_dict(station_template)["dbname"]))
    killed = LibraryIdentityRuns(Postgres(dsn))
    with killed.postgres.connect() as connection:
        generate_compilations(connection, 320, credits_each=12, first_id=1001)

    def answer_then_hang(inputs):
        if len(lml.asked) > 6:
            return lml.hang(inputs)
        return [with_tracks(one["library_id"], *tracks_of(one["album_title"])) for one in inputs]

    with (
        serve_verdicts(answer_then_hang, tracks_contract_version=1) as lml,
        child(RUN_PROCESS, dsn, lml.url, "killed") as process,
    ):
        wait_for(lambda: killed.rows(LINKED) > [(0,)], "a written page")
        process.kill()
        assert process.wait() == -signal.SIGKILL
    killed.wait_until_alone()
    tallied = Counters.from_stored(killed.tallied("killed"))
    assert 0 < tallied.resolved_compilation < 320
    assert tallied.scanned == tallied.accounted
    assert killed.rows(LINKED) == [(tallied.compilation_track_rows_written,)]
    marked = "SELECT count(*) FROM library WHERE unresolved_attempted_at IS NOT NULL"
    assert killed.rows(marked) == [(tallied.resolved_compilation,)]
    partly = (
        "SELECT count(*) FROM library l WHERE (unresolved_attempted_at IS NULL) = EXISTS "
        "(SELECT FROM compilation_track_artist c WHERE c.library_id = l.id AND track_artist_link_method = 'lml_backfill')"
    )
    assert killed.rows(partly) == [(0,)]
    report = killed.run(lml_with_tracks.url)
    assert report.verdict == "done", report.reason
    assert report.counters.resolved_compilation == 320 - tallied.resolved_compilation
    query = (
        "SELECT library_id, artist_name, track_title, track_position, track_artist_link_confidence, track_artist_id IS NULL "
        "FROM compilation_track_artist ORDER BY 1, 2, 3"
    )
    assert killed.rows(query) == undisturbed.rows(query)
    server.drop_database(dsn)


@pytest.mark.parametrize(
    "poison",
    ["[" * 10_000 + "]" * 10_000, '"\\ud800"', '"\\u0000"', "1" * 5000, "-1e400", "{}"],
    ids=lambda one: one[:8],
)
@pytest.mark.parametrize(
    "field",
    [
        "tracks",
        "tracks_attempted",
        "artist_name",
        "track_title",
        "resolved_artist_name",
        "track_position",
        "confidence",
    ],
)
def test_poison_in_tracks_costs_at_most_its_own_library(station_with_compilations, field, poison):
    """A poisoned entry costs itself; what cannot be read at all, its library. The 19 others of the shard are written."""
    library = station_with_compilations
    poisoned = 1008

    def answer(inputs):
        texts = []
        for one in inputs:
            whole = with_tracks(one["library_id"], track("X", "Poisoned"), *tracks_of(one["album_title"]))
            if one["library_id"] == poisoned:
                place = whole if field in whole else whole["tracks"][0]
                place[field] = "POISON"
            texts.append(json.dumps(whole).replace('"POISON"', poison))
        return f'{{"tracks_contract_version": 1, "results": [{", ".join(texts)}]}}'.encode()

    library.execute("DELETE FROM library WHERE id <= 400")
    with serve_verdicts(answer) as lml:
        report = library.run(lml.url, **SHARD)
    counters = report.counters
    assert (counters.scanned, counters.accounted) == (20, 20)
    assert counters.resolved_compilation >= 19
    if counters.resolved_compilation + counters.compilation == 20:
        assert report.verdict == "done"
    else:
        assert report.verdict == "anomaly"
        assert library.rows("SELECT input_id FROM wxyc_assets.quarantine") == [(poisoned,)]
    siblings = "SELECT count(DISTINCT library_id) FROM compilation_track_artist WHERE track_artist_link_method = 'lml_backfill'"
    assert library.rows(f"{siblings} AND library_id <> {poisoned}") == [(19,)]


def test_log_says_what_is_odd_about_tracks(station_with_compilations):
    """With the fields of the contract; the gap is of a batch."""
    library = station_with_compilations

    def answer(inputs):
        answers = []
        for one in inputs:
            stored = library.rows(
                "SELECT artist_name, track_title FROM compilation_track_artist WHERE library_id = %s "
                "AND track_position IS NULL AND track_artist_link_method IS NULL ORDER BY id LIMIT 3",
                [one["library_id"]],
            )
            (a, ta), (b, tb), (c, tc) = stored
            answers.append(
                with_tracks(
                    one["library_id"],
                    *[track(f"missing {place}") for place in range(3)],
                    track(a, ta, confidence=1.5),
                    *(track(b, tb, track_position=position) for position in ("1", "2")),
                    track(c, tc, track_position="x" * 21),
                )
            )
        return answers

    library.execute("DELETE FROM library WHERE id <= 400")
    with serve_verdicts(answer, tracks_contract_version=1) as lml:
        report = library.run(lml.url, **SHARD)
    assert report.verdict == "done", report.reason
    fields = {
        "compilation_confidence_out_of_range": ("confidence", 1.5),
        "compilation_position_ambiguous": ("distinct_positions", 2),
        "compilation_position_too_long": ("position_length", 21),
    }
    for step, (name, value) in fields.items():
        lines = library.steps(step)
        assert len(lines) == 20
        assert {line["level"] for line in lines} == {"warn"}
        assert {line[name] for line in lines} == {value}
        assert {line["library_id"] % 16 for line in lines} == {0}
        assert len({line["cta_id"] for line in lines}) == 20
    (gap,) = library.steps("compilation_cta_match_gap")
    assert (gap["batch_index"], gap["rows_skipped_no_cta_match"], gap["entry_keys"]) == (1, 60, 120)


def test_small_gap_is_not_logged(station_with_compilations):
    library = station_with_compilations
    library.execute("DELETE FROM library WHERE id <= 400")

    def answer(inputs):
        first = inputs[0]["library_id"]
        missing = with_tracks(first, *[track(f"missing {place}") for place in range(9)])
        return [missing, *(compilation(one["library_id"]) for one in inputs[1:])]

    with serve_verdicts(answer, tracks_contract_version=1) as lml:
        report = library.run(lml.url, **SHARD)
    assert report.counters.compilation_track_rows_skipped_no_cta_match == 9
    assert library.steps("compilation_cta_match_gap") == []
