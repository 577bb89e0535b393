"""LML's own breaker: while it is open LML is not believed that it does not know a library; all other answers count."""

from tests.wxyc_assets.assets.library_identity.fake_lml import serve_verdicts, single_artist, unresolved

MARKED = "SELECT count(*) FROM library WHERE unresolved_attempted_at IS NOT NULL"


def health(state):
    return {"status": "healthy", "discogs_breaker_state": state}


def odd_ones_unresolved(inputs):
    ids = [one["library_id"] for one in inputs]
    return [unresolved(library_id) if library_id // 16 % 2 else single_artist(library_id) for library_id in ids]


def run(library, state, **options):
    with serve_verdicts(odd_ones_unresolved) as lml:
        lml.health = health(state)
        return library.run(lml.url, shards=[3], **options)


def test_nothing_is_marked_unresolved_while_the_breaker_is_open(library):
    """The run goes on, because LML resolves from its own tables; the next one asks about the others again."""
    report = run(library, "open")
    assert (report.counters.resolved, report.counters.unresolved, report.counters.lml_error) == (13, 0, 12)
    assert library.rows(MARKED) == [(0,)]
    (line,) = library.steps("lml_error")
    assert (line["batch_size"], line["error_message"]) == (
        12,
        "unresolved, and not believed: LML's breaker to Discogs is open",
    )
    later = run(library, "closed")
    assert (later.counters.scanned, later.counters.unresolved) == (12, 12)
    assert library.rows(MARKED) == [(12,)]


def test_a_shard_without_any_other_answer_is_asked_again(library):
    with serve_verdicts(lambda inputs: [unresolved(one["library_id"]) for one in inputs]) as lml:
        lml.health = health("half_open")
        report = library.run(lml.url, shards=[3])
    assert (report.verdict, library.credited) == ("failed", [])
    assert library.rows(MARKED) == [(0,)]


def test_an_lml_without_a_breaker_is_believed(library):
    assert run(library, None).counters.unresolved == 12


def test_health_is_looked_at_only_for_doubtful_answers(library):
    with serve_verdicts(lambda inputs: [single_artist(one["library_id"]) for one in inputs]) as lml:
        lml.health = health("open")
        library.run(lml.url)
        assert lml.health_asked == 0


def test_a_dry_run_counts_the_same(library):
    assert run(library, "open", dry_run=True).counters.lml_error == 12
