"""Track credits of compilations: each rule against real tables, and all of them against a reference in plain Python."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.blocked_sessions import wait_until_blocked
from tests.libraries import add_library
from tests.wxyc_assets.assets.library_identity import tracks_oracle
from tests.wxyc_assets.assets.library_identity.fake_lml import compilation, single_artist, track, with_tracks
from tests.wxyc_assets.assets.library_identity.tables import rows, write
from tests.wxyc_assets.assets.library_identity.tracks_oracle import Row
from wxyc_assets.assets.library_identity.counters import TRACK_COUNTERS, Counters
from wxyc_assets.assets.library_identity.verdicts import Outcome, classify_answer
from wxyc_assets.assets.library_identity.writer import DryRunWriter

CREDITS = (
    "SELECT library_id, artist_name, track_title, track_position, track_artist_id, "
    "track_artist_link_confidence::float8, track_artist_link_method FROM compilation_track_artist ORDER BY id"
)
LINK = "SELECT track_artist_id, track_artist_link_confidence, track_artist_link_method FROM compilation_track_artist"


def add_credit(connection, artist, title="Song", *, library_id=1, **columns):
    """Store a credit; return its id."""
    given = {"library_id": library_id, "artist_name": artist, "track_title": title, **columns}
    names, places = ", ".join(given), ", ".join(["%s"] * len(given))
    query = f"INSERT INTO compilation_track_artist ({names}) VALUES ({places}) RETURNING id"
    return rows(connection, query, *given.values())[0][0]


def add_artist(connection, name):
    """Add an artist to the catalogue; return its id."""
    query = "INSERT INTO artists (artist_name, code_letters, alphabetical_name) VALUES (%s, 'A', %s) RETURNING id"
    return rows(connection, query, name, name)[0][0]


def write_tracks(connection, *tracks):
    """Write LML's tracks of library 1; return the counters of track credits that are not 0, without their prefix."""
    writer, _ = write(connection, with_tracks(1, *tracks), reads_tracks=True)
    return counted(writer.tallied)


def counted(counters):
    return {
        name.removeprefix("compilation_track_"): getattr(counters, name)
        for name in TRACK_COUNTERS
        if getattr(counters, name)
    }


@pytest.fixture
def compilations(connection):
    """Libraries 1 to 8, all eligible compilations; the catalogue has one artist, of id 1."""
    for library_id in range(1, 9):
        add_library(connection, library_id, letters="ZA")
    return connection


def test_credit_gets_lmls_artist_confidence_and_position(compilations):
    artist_id = add_artist(compilations, "Björk")
    add_credit(compilations, "bjork (live)")
    assert write_tracks(
        compilations, track("bjork (live)", resolved="BJÖRK", confidence=0.75, track_position="A1")
    ) == {
        "rows_written": 1,
        "position_rows_written": 1,
    }
    assert rows(compilations, CREDITS) == [(1, "bjork (live)", "Song", "A1", artist_id, 0.75, "lml_backfill")]


def test_artist_and_title_match_exactly(compilations):
    """Also an unknown title; neither is folded or trimmed."""
    for artist, title in (("A", None), ("A", ""), ("A", "x"), ("a", "x"), ("A ", "x")):
        add_credit(compilations, artist, title)
    assert write_tracks(compilations, track("A", None, confidence=0.1), track("A", "x", confidence=0.2)) == {
        "rows_written": 2,
        "rows_skipped_no_catalog_artist": 2,
    }
    assert [row[1:3] for row in rows(compilations, CREDITS) if row[6]] == [("A", None), ("A", "x")]


def test_credit_that_the_station_lacks_is_only_counted(compilations):
    """A credit of the same name in another library is another one."""
    add_credit(compilations, "A", library_id=2)
    assert write_tracks(compilations, track("A"), track("A", position := "Other"), track("A", position)) == {
        "rows_skipped_no_cta_match": 2
    }
    assert rows(compilations, LINK) == [(None, None, None)]


def test_librarians_link_stays(compilations):
    linked = {"track_artist_id": 1, "track_artist_link_method": "librarian", "track_artist_link_confidence": 1}
    add_credit(compilations, "A", **linked)
    assert write_tracks(compilations, track("A", track_position="A1")) == {"rows_skipped_librarian": 1}
    assert rows(compilations, CREDITS) == [(1, "A", "Song", None, 1, 1.0, "librarian")]


@pytest.mark.parametrize("names", [[], ["sigur ros", "Sigur Rós"]], ids=["none", "two"])
def test_artist_that_is_not_one_of_the_catalogue_is_null(compilations, names):
    for name in names:
        add_artist(compilations, name)
    add_credit(compilations, "S", track_artist_id=1)
    assert write_tracks(compilations, track("S", resolved="SIGUR RÓS")) == {
        "rows_written": 1,
        "rows_skipped_no_catalog_artist": 1,
    }
    assert rows(compilations, LINK) == [(None, pytest.approx(0.9), "lml_backfill")]


def test_last_resolved_entry_of_a_credit_decides(compilations):
    artist_id = add_artist(compilations, "B")
    add_credit(compilations, "A")
    unresolved = track("A", resolved=None, confidence=None, track_position="Z9")
    assert write_tracks(
        compilations, track("A", confidence=0.1), track("A", resolved="B", confidence=0.5), unresolved
    ) == {"rows_written": 1}
    assert rows(compilations, CREDITS) == [(1, "A", "Song", None, artist_id, 0.5, "lml_backfill")]


@pytest.mark.parametrize(
    ("stored", "offered", "becomes", "counters"),
    [
        (None, ["A1", "A1", None], "A1", {"position_rows_written": 1}),
        (None, ["A1", "B2"], None, {"position_rows_skipped_ambiguous": 1}),
        (None, ["x" * 20], "x" * 20, {"position_rows_written": 1}),
        (None, ["x" * 21], None, {}),
        ("C3", ["A1"], "C3", {}),
        ("C3", ["A1", "B2"], "C3", {}),
    ],
)
def test_only_an_empty_position_is_filled(compilations, stored, offered, becomes, counters):
    add_artist(compilations, "A")
    add_credit(compilations, "A", track_position=stored)
    tracks = [track("A", track_position=position) for position in offered]
    assert write_tracks(compilations, *tracks) == {"rows_written": 1, **counters}
    assert [row[3] for row in rows(compilations, CREDITS)] == [becomes]


@pytest.mark.parametrize("confidence", [1.5, -0.1, None, float("nan"), float("inf")])
def test_confidence_outside_its_range_is_written_as_null(compilations, confidence):
    artist_id = add_artist(compilations, "A")
    add_credit(compilations, "A")
    assert write_tracks(compilations, track("A", confidence=confidence)) == {"rows_written": 1}
    assert rows(compilations, LINK) == [(artist_id, None, "lml_backfill")]


@pytest.mark.parametrize("confidence", [0.1, 1, 0, 1e-50, 0.9999999999, None])
def test_unchanged_credit_is_not_rewritten(compilations, confidence):
    """In single precision; the row's version shows it."""
    add_artist(compilations, "A")
    for artist in ("A", "unlisted"):
        add_credit(compilations, artist)
    tracks = [track(artist, confidence=confidence, track_position="1") for artist in ("A", "unlisted")]
    write_tracks(compilations, *tracks)
    versions = rows(compilations, "SELECT ctid, xmin FROM compilation_track_artist")
    writer, _ = write(compilations, with_tracks(1, *tracks), run_id="again", reads_tracks=True)
    assert counted(writer.tallied) == {"rows_skipped_unchanged": 2, "rows_skipped_no_catalog_artist": 1}
    assert rows(compilations, "SELECT ctid, xmin FROM compilation_track_artist") == versions


@pytest.mark.parametrize(
    "entry",
    [
        *(None, 7, "text", [], {}, {"artist_name": "A"} | {"resolved_artist_name": 7}),
        *(track("A") | {key: {"deep": 1}} for key in ("artist_name", "track_title", "track_position", "confidence")),
        *(track("A") | {key: "\0"} for key in ("artist_name", "track_title", "track_position", "resolved_artist_name")),
        *(
            track("A") | {key: "\ud800"}
            for key in ("artist_name", "track_title", "track_position", "resolved_artist_name")
        ),
        track("A", confidence="0.9"),
        track("A", confidence=True),
        track("A", confidence=10**400),
    ],
    ids=repr,
)
def test_invalid_entry_is_counted_and_costs_no_other(compilations, entry):
    add_credit(compilations, "A")
    add_credit(compilations, "B")
    writer, (outcome,) = write(compilations, with_tracks(1, entry, track("B")), reads_tracks=True)
    assert outcome.bucket == "resolved_compilation"
    assert writer.tallied.compilation_track_entries_skipped_invalid == 1
    assert [row[1] for row in rows(compilations, CREDITS) if row[6]] == ["B"]


@pytest.mark.parametrize(
    ("attempted", "tracks", "bucket"),
    [
        (True, [track("A")], "resolved_compilation"),
        (True, [], "resolved_compilation"),
        (False, [track("A")], "resolved_compilation"),
        (False, [], "compilation"),
        (False, None, "compilation"),
        (None, [track("A")], "compilation"),
        (1, [track("A")], "compilation"),
        ("true", [track("A")], "compilation"),
        (True, None, "contract_violation"),
        (True, {"a": 1}, "contract_violation"),
    ],
)
def test_tracks_count_only_if_lml_attempted_them(attempted, tracks, bucket):
    answer = {**compilation(1), "tracks_attempted": attempted, "tracks": tracks}
    assert classify_answer(1, answer, reads_tracks=True).bucket == bucket
    assert classify_answer(1, answer) == Outcome(1, "compilation")


def test_tracks_of_an_album_of_one_artist_mean_nothing(compilations):
    add_credit(compilations, "A")
    answer = single_artist(1, tracks_attempted=True, tracks=[track("A")])
    write(compilations, answer, reads_tracks=True)
    assert rows(compilations, LINK) == [(None, None, None)]
    assert rows(compilations, "SELECT count(*) FROM library_identity") == [(1,)]


def test_resolved_compilation_rests_like_an_unresolved_library(compilations):
    write(compilations, with_tracks(1), with_tracks(2, track("A")), reads_tracks=True)
    marked = "SELECT id FROM library WHERE unresolved_attempted_at > now() - interval '1 minute' ORDER BY 1"
    assert rows(compilations, marked) == [(1,), (2,)]


def test_credits_do_not_move_the_librarys_watermark(compilations):
    compilations.execute("UPDATE library_watermark SET last_modified_at = '2026-01-01Z'")
    add_credit(compilations, "A")
    moved = "SELECT last_modified_at FROM library_watermark"
    before = rows(compilations, moved)
    assert write_tracks(compilations, track("A", track_position="1"))["rows_written"] == 1
    assert rows(compilations, moved) == before


# Isolation, and other writers


def refuse_credits_of(connection, library_id):
    connection.execute(
        "CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF NEW.library_id = {library_id} THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$"
    )
    connection.execute(
        "CREATE TRIGGER guard BEFORE UPDATE ON compilation_track_artist FOR EACH ROW EXECUTE FUNCTION guard()"
    )


def test_library_whose_credits_are_refused_is_quarantined_alone(compilations):
    """None of its credits is written, it gets no marker, and its siblings are stored."""
    for library_id in range(1, 9):
        for artist in ("A", "B"):
            add_credit(compilations, artist, library_id=library_id)
    refuse_credits_of(compilations, 5)
    answers = [with_tracks(one, track("A"), track("B")) for one in range(1, 8)]
    writer, outcomes = write(compilations, *answers, single_artist(8), reads_tracks=True)
    buckets = ["resolved_compilation"] * 4 + ["writer_error"] + ["resolved_compilation"] * 2 + ["resolved"]
    assert [one.bucket for one in outcomes] == buckets
    linked = "SELECT library_id, count(*) FROM compilation_track_artist WHERE track_artist_link_method IS NOT NULL GROUP BY 1"
    assert rows(compilations, f"{linked} ORDER BY 1") == [(one, 2) for one in (1, 2, 3, 4, 6, 7)]
    assert rows(compilations, "SELECT id FROM library WHERE unresolved_attempted_at IS NULL ORDER BY 1") == [(5,), (8,)]
    ((quarantined, kind, digest),) = rows(
        compilations, "SELECT input_id, kind, payload_digest FROM wxyc_assets.quarantine"
    )
    assert (quarantined, kind, len(digest)) == (5, "writer_error", 64)
    assert (writer.tallied.scanned, writer.tallied.accounted, writer.tallied.writer_error) == (8, 8, 1)
    assert counted(writer.tallied) == {"rows_written": 12, "rows_skipped_no_catalog_artist": 12}
    ((stored,),) = rows(compilations, "SELECT counters FROM wxyc_assets.tally")
    assert Counters.from_stored(stored) == writer.tallied


@pytest.mark.parametrize(
    ("change", "stored", "counters"),
    [
        ("track_artist_link_method = 'librarian'", (None, 1, None, "librarian"), {}),
        ("track_position = 'Z9'", ("Z9", None, 0.5, "lml_backfill"), {"rows_written": 1}),
    ],
)
def test_what_another_writer_stores_meanwhile_stays(station, compilations, change, stored, counters):
    """The other commits after the page has read the credit and before it writes it."""
    add_credit(compilations, "A")
    with station.connect() as other, ThreadPoolExecutor(1) as pool:
        with other.transaction():
            artist = ", track_artist_id = 1" if "librarian" in change else ""
            other.execute(f"UPDATE compilation_track_artist SET {change}{artist}")
            tracks = track("A", confidence=0.5, track_position="A1")
            written = pool.submit(write_tracks, compilations, tracks)
            wait_until_blocked(station, by=other)
        found = written.result(timeout=60)
    found.pop("rows_skipped_no_catalog_artist")
    assert found == counters
    assert [(row[3], row[4], row[5], row[6]) for row in rows(compilations, CREDITS)] == [stored]


def test_credit_that_is_deleted_meanwhile_is_not_written(station, compilations):
    add_credit(compilations, "A")
    with station.connect() as other, ThreadPoolExecutor(1) as pool:
        with other.transaction():
            other.execute("DELETE FROM compilation_track_artist")
            written = pool.submit(write_tracks, compilations, track("A"))
            wait_until_blocked(station, by=other)
        assert written.result(timeout=60) == {"rows_skipped_no_catalog_artist": 1}


# The reference

ARTISTS = st.sampled_from(["A", "a", "Á", "A\u0301", "B", "unlisted", "Łódź", "ŁÓDŹ", ""])
TITLES = st.sampled_from([None, "", "x", "X", "y"])
POSITIONS = st.sampled_from([None, None, "1", "2", "", "x" * 20, "x" * 21])
CONFIDENCES = st.sampled_from([None, 0, 1, 0.1, 0.30000000000000004, 0.9999999999, 1.5, -0.0, -1, 1e-50])
LIBRARIES = st.integers(1, 3)
CATALOGUE = st.lists(ARTISTS, max_size=6)
STORED = st.lists(
    st.builds(
        Row,
        library_id=LIBRARIES,
        artist_name=ARTISTS,
        track_title=TITLES,
        track_position=st.sampled_from([None, None, "1", "Z"]),
        track_artist_id=st.just(None),
        confidence=st.sampled_from([None, 0.1, 1.0]),
        method=st.sampled_from([None, "lml_backfill", "librarian", "something else"]),
    ),
    unique_by=lambda row: (row.library_id, row.artist_name, row.track_title),
    max_size=20,
)
ENTRIES = st.lists(
    st.builds(
        lambda artist, title, resolved, confidence, position: track(
            artist, title, resolved, confidence=confidence, track_position=position
        ),
        ARTISTS,
        TITLES,
        st.one_of(st.none(), ARTISTS),
        CONFIDENCES,
        POSITIONS,
    ),
    max_size=15,
)
SAID = st.dictionaries(LIBRARIES, ENTRIES, max_size=3)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=CATALOGUE, stored=STORED, first=SAID, second=SAID, links=st.randoms(use_true_random=False))
def test_any_tracks_match_the_reference(compilations, names, stored, first, second, links):
    """Two pages, so that credits meet what an earlier run wrote; a dry run before each counts the same and writes nothing."""
    compilations.execute("TRUNCATE compilation_track_artist; DELETE FROM artists WHERE id > 1")
    catalogue = {1: "C"} | {add_artist(compilations, name): name for name in names}
    for row in stored:
        add_credit(
            compilations,
            row.artist_name,
            row.track_title,
            library_id=row.library_id,
            track_position=row.track_position,
            track_artist_id=links.choice([None, *catalogue]),
            track_artist_link_confidence=row.confidence,
            track_artist_link_method=row.method,
        )
    for said in (first, second):
        before = rows(compilations, CREDITS)
        expected, counters = tracks_oracle.apply([Row(*row) for row in before], catalogue, said)
        answers = [with_tracks(library_id, *tracks) for library_id, tracks in said.items()]
        dry = DryRunWriter(compilations)
        dry.write([classify_answer(one["library_id"], one, reads_tracks=True) for one in answers], Counters())
        assert rows(compilations, CREDITS) == before
        writer, _ = write(compilations, *answers, reads_tracks=True)
        assert [Row(*row) for row in rows(compilations, CREDITS)] == expected
        assert counted(writer.tallied) == counted(dry.tallied) == {name: n for name, n in counters.items() if n}
        assert writer.tallied.accounted == len(said)
