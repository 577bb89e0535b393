"""A whole run, over real HTTP into a real database: which libraries it asks about, what it writes and counts."""

from collections import Counter

from tests.libraries import add_library
from tests.run_harness import failed_checks
from tests.wxyc_assets.assets.library_identity.fake_lml import (
    all_single_artists,
    mixed,
    requested_ids,
    serve_verdicts,
    single_artist,
    unresolved,
)
from tests.wxyc_assets.assets.library_identity.harness import without_calls
from wxyc_assets.assets.library_identity.counters import Counters
from wxyc_assets.runs import advisory_locks
from wxyc_assets.sandbox.generator import generate_libraries


def test_each_library_is_requested_once_and_its_verdict_written(library):
    with serve_verdicts(mixed) as lml:
        report = library.run(lml.url)
    assert sorted(requested_ids(lml)) == list(range(1, 401))
    assert report.verdict == "done"
    assert (report.reason, failed_checks(report)) == ("", set())
    assert report.counters.totals()["rows_skipped"]["compilation"] == 40
    assert without_calls(report) == Counters(
        scanned=400, resolved=320, unresolved=40, compilation=40, source_rows_skipped_null_confidence=320
    )
    assert sorted(library.credited) == list(range(16))
    assert library.rows("SELECT library_id, wikidata_qid FROM library_identity ORDER BY 1") == [
        (one, f"Q{one}") for one in range(1, 401) if one % 10 > 1
    ]
    assert library.rows("SELECT id FROM library WHERE unresolved_attempted_at IS NOT NULL ORDER BY 1") == [
        (one,) for one in range(1, 401) if one % 10 <= 1
    ]
    assert library.tallied(report.request.run_id) == report.counters.stored()
    assert library.rows("SELECT DISTINCT complete FROM wxyc_assets.tally") == [(True,)]
    assert library.rows("SELECT asset, origin, verdict, reason, ended_at >= started_at FROM wxyc_assets.run") == [
        ("library_identity", "explicit", "done", None, True)
    ]


def test_second_run_makes_no_call_and_is_credited(library):
    with serve_verdicts(mixed) as lml:
        library.run(lml.url)
        lml.asked.clear()
        again = library.run(lml.url)
    assert lml.asked == []
    assert again.verdict == "done"
    assert again.counters == Counters()
    assert Counter(library.credited) == dict.fromkeys(range(16), 2)


def test_only_the_requested_shards_are_processed(library):
    with serve_verdicts(all_single_artists) as lml:
        library.run(lml.url, shards=[5, 3])
    assert {one % 16 for one in requested_ids(lml)} == {3, 5}
    assert sorted(library.credited) == [3, 5]


def test_recheck_and_include_null_canonical_select_libraries(empty_library):
    """recheck selects those with a marker, include_null_canonical also those without a canonical entity."""
    with empty_library.postgres.connect() as connection:
        generate_libraries(connection, 160, first_id=1, canonical_share=0.5, marker_share=0.3)
    marked = {row[0] for row in empty_library.rows("SELECT id FROM library WHERE unresolved_attempted_at IS NOT NULL")}
    canonical = {row[0] for row in empty_library.rows("SELECT id FROM library WHERE canonical_entity_id IS NOT NULL")}
    all_ids = set(range(1, 161))
    with serve_verdicts(lambda inputs: [unresolved(one["library_id"]) for one in inputs]) as lml:
        for flags, expected in (
            ({"dry_run": True}, canonical - marked),
            ({"dry_run": True, "include_null_canonical": True}, all_ids - marked),
            ({"recheck": True}, marked),
            ({"include_null_canonical": True}, all_ids - marked),
        ):
            lml.asked.clear()
            report = empty_library.run(lml.url, **flags)
            assert set(requested_ids(lml)) == expected
            assert len(requested_ids(lml)) == len(expected)
            assert report.verdict == "done", report.reason


def test_libraries_added_during_a_run_belong_to_the_next_run(library):
    def add_two_libraries(inputs):
        if len(lml.asked) == 1:
            with library.postgres.connect() as connection:
                add_library(connection, 5000)
                add_library(connection, 5001)
        return all_single_artists(inputs)

    with serve_verdicts(add_two_libraries) as lml:
        report = library.run(lml.url)
        assert report.verdict == "done", report.reason
        assert report.counters.scanned == 400
        assert library.run(lml.url).counters.scanned == 2


def test_risen_unresolved_rate_warns_and_the_run_is_done(library):
    with library.postgres.connect() as connection:
        generate_libraries(connection, 1600)
    with serve_verdicts(all_single_artists) as lml:
        library.run(lml.url, shards=range(8))
    library.execute("UPDATE library_identity SET last_verified_at = now() - interval '8 days'")
    with serve_verdicts(lambda inputs: [unresolved(one["library_id"]) for one in inputs]) as lml:
        report = library.run(lml.url, shards=range(8))
        assert (report.verdict, failed_checks(report)) == ("done", {"unresolved_rate_usual"})
        # A recheck asks only about libraries that LML did not know, so that a high rate is expected.
        assert failed_checks(library.run(lml.url, shards=range(8), recheck=True)) == set()


def test_dry_run_writes_nothing_and_counts_as_a_run_does(library):
    library.execute("UPDATE library SET unresolved_attempted_at = now() - interval '40 days' WHERE id % 7 = 0")
    invalid = {"source": "discogs", "method": "llm", "confidence": 0.7, "external_id": None}

    def every_fault(inputs):
        answers = mixed(inputs)
        for answer in answers:
            if answer["library_id"] % 20 == 3:
                answer["provenance"] = [invalid]
            if answer["library_id"] % 20 == 5:
                answer["confidence"] = 3
        return [*answers[1:], single_artist(9999)] if inputs[0]["library_id"] % 4 == 0 else answers

    before = library.everything()
    with serve_verdicts(every_fault) as lml:
        dry = library.run(lml.url, dry_run=True)
        assert library.everything() == before
        assert library.credited == []
        real = library.run(lml.url)
    assert without_calls(dry) == without_calls(real)
    assert dry.counters.contract_violation > 0
    assert dry.counters.lml_untrusted_library_id > 0
    assert dry.counters.source_rows_skipped_invalid == 20
    assert {finding.name for finding in dry.findings} == {
        "accounting_holds",
        "answers_trusted",
        "contract_violations_zero",
    }
    (line,) = library.steps("dry_run")
    assert {key: line[key] for key in dry.counters.dry_run_report()} == dry.counters.dry_run_report()
    assert library.everything() != before


def test_dry_run_does_not_wait_for_locks(library):
    with advisory_locks.run_locks(library.postgres, "the-other-run") as locks:
        locks.take([advisory_locks.unit("library_identity", shard) for shard in range(16)])
        with serve_verdicts(all_single_artists) as lml:
            assert library.run(lml.url, dry_run=True).verdict == "done"


def test_dry_run_locks_its_run_id_and_no_shard(library):
    held: list[set[str]] = []
    units = ["run/dry", *(advisory_locks.unit("library_identity", shard) for shard in range(16))]

    def look_and_answer(inputs):
        with library.postgres.connect() as connection:
            held.append(advisory_locks.held_units(connection, units))
        return mixed(inputs)

    with serve_verdicts(look_and_answer) as lml:
        library.run(lml.url, dry_run=True, run_id="dry")
    assert held
    assert all(units == {"run/dry"} for units in held)
