"""A library that LML refuses, or whose answer cannot be read or written, costs itself and no other library."""

import json

import pytest

from tests.wxyc_assets.assets.library_identity.fake_lml import all_single_artists, serve_verdicts, single_artist
from wxyc_assets.assets.library_identity import verdicts

SHARD = {"shards": [0]}  # 25 libraries: 16, 32, ... 400
POISONED = 32


def quarantined(library):
    return library.rows("SELECT input_id, kind, failures, wait_until IS NOT NULL FROM wxyc_assets.quarantine")


def test_library_that_lml_refuses_costs_itself_and_rests(library, sandbox):
    library.execute(f"UPDATE library SET artist_name = '' WHERE id = {POISONED}")
    report = library.run(sandbox.url, **SHARD)
    assert report.verdict == "anomaly"
    assert (report.counters.scanned, report.counters.accounted, report.counters.lml_refused) == (25, 25, 1)
    assert report.counters.lml_error == 0
    assert quarantined(library) == [(POISONED, "lml_refused", 1, False)]
    for _ in range(2):
        assert library.run(sandbox.url, **SHARD).counters.scanned == 1
    assert quarantined(library) == [(POISONED, "lml_refused", 3, True)]
    rested = library.run(sandbox.url, **SHARD)
    assert (rested.verdict, rested.counters.scanned) == ("done", 0)


@pytest.mark.parametrize(
    "poison",
    ["[" * 10_000 + "]" * 10_000, '"\\ud800"', '"\\u0000"', "1" * 5000, "-1e400"],
    ids=lambda poison: poison[:8],
)
@pytest.mark.parametrize("field", ["kind", "main", "method", "confidence", "provenance"])
def test_poison_in_an_answer_costs_its_own_library(library, poison, field):
    """A NUL in ``method`` is refused by the table, everything else before it."""

    def poisoned(inputs):
        texts = [json.dumps(single_artist(one["library_id"])) for one in inputs if one["library_id"] != POISONED]
        if len(texts) < len(inputs):
            rest = json.dumps({k: v for k, v in single_artist(POISONED).items() if k != field})[1:]
            texts.append(f'{{"{field}": {poison}, {rest}')
        return f'{{"results": [{", ".join(texts)}]}}'.encode()

    with serve_verdicts(poisoned) as lml:
        report = library.run(lml.url, **SHARD)
    assert report.verdict == "anomaly"
    assert (report.counters.scanned, report.counters.accounted, report.counters.resolved) == (25, 25, 24)
    assert [row[0] for row in quarantined(library)] == [POISONED]


@pytest.mark.parametrize("error", [OverflowError, RecursionError, UnicodeError, KeyError])
def test_any_error_while_an_answer_is_judged_costs_its_own_library(library, monkeypatch, error):
    judge = verdicts._judge

    def fail(library_id, *others):
        if library_id == POISONED:
            raise error("poison")
        return judge(library_id, *others)

    monkeypatch.setattr(verdicts, "_judge", fail)
    with serve_verdicts(all_single_artists) as lml:
        report = library.run(lml.url, **SHARD)
    assert (report.verdict, report.counters.resolved) == ("anomaly", 24)
    assert quarantined(library) == [(POISONED, "contract_violation", 1, False)]


def test_value_that_json_cannot_encode_costs_its_own_library(library, monkeypatch):
    judge = verdicts._judge

    def surrogate(library_id, *others):
        outcome = judge(library_id, *others)
        if outcome.identity and library_id == POISONED:
            outcome.identity.spotify_id = "\ud800"
        return outcome

    monkeypatch.setattr(verdicts, "_judge", surrogate)
    with serve_verdicts(all_single_artists) as lml:
        report = library.run(lml.url, **SHARD)
    assert (report.verdict, report.counters.resolved, report.counters.writer_error) == ("anomaly", 24, 1)
    assert quarantined(library) == [(POISONED, "writer_error", 1, False)]
