"""``wxyc why library``: an identity is traced to the run, batch and answer that wrote it, and to what it replaced."""

import hashlib
import json
from datetime import timedelta

import click
import pytest

from tests.wxyc_assets.assets.library_identity.fake_lml import serve_verdicts, single_artist, unresolved
from wxyc_assets.assets.library_identity.explain import explain
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.cli.why import command

STALE, RETRY = timedelta(days=7), timedelta(days=30)


def explanation_of(library, library_id):
    with library.postgres.connect() as connection:
        return explain(connection, library_id, stale_after=STALE, retry_after=RETRY)


def digest_of(answer):
    text = json.dumps(answer, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def age(library):
    library.execute("UPDATE library_identity SET last_verified_at = last_verified_at - interval '8 days'")


def test_an_identity_is_traced_to_its_run_batch_and_answer(library):
    answers = {}

    def say(inputs):
        said = [single_artist(one["library_id"]) for one in inputs]
        answers.update({one["library_id"]: one for one in said})
        return said

    with serve_verdicts(say) as lml:
        library.run(lml.url, run_id="first", origin="routine")
    (shown,) = [line for line in library.steps("batch_done") if line["last_id"] % 16 == 5]
    found = explanation_of(library, 21).as_json()
    assert found["written_by"] == found["answers"][0]
    answer = found["answers"][0]
    assert (answer["run_id"], answer["origin"], answer["outcome"]) == ("first", "routine", "resolved")
    assert answer["batch"] == shown["batch_index"]
    assert answer["answer_digest"] == digest_of(answers[21])
    assert answer["method"] == found["identity"]["method"]
    assert found["rests"]["fresh_until"] == answer["written_at"] + STALE
    assert {source["source"] for source in found["sources"]}


def test_what_an_identity_replaced_is_traced_as_well(library):
    with serve_verdicts(lambda inputs: [single_artist(one["library_id"]) for one in inputs]) as lml:
        library.run(lml.url, run_id="first", shards=[3])
    age(library)
    changed = {"method": "another_method"}
    with serve_verdicts(lambda inputs: [single_artist(one["library_id"], **changed) for one in inputs]) as lml:
        library.run(lml.url, run_id="second", shards=[3])
    explanation = explanation_of(library, 19)
    found = explanation.as_json()
    (replaced,) = found["replaced"]
    assert replaced["method"] != "another_method"
    assert (replaced["replaced_by"]["run_id"], found["written_by"]["run_id"]) == ("second", "second")
    assert [one["run_id"] for one in found["answers"]] == ["second", "first"]
    assert len({one["answer_digest"] for one in found["answers"]}) == 2
    text = "\n".join(explanation.lines())
    assert "its identity was decided by another_method" in text
    assert "by explicit run second, batch" in text


def test_an_unresolved_album_says_until_when_it_rests(library):
    with serve_verdicts(lambda inputs: [unresolved(one["library_id"]) for one in inputs]) as lml:
        library.run(lml.url, run_id="first", shards=[3])
    explanation = explanation_of(library, 19)
    found = explanation.as_json()
    assert (found["identity"], found["written_by"], found["answers"][0]["outcome"]) == (None, None, "unresolved")
    assert found["rests"]["unresolved_until"] == found["answers"][0]["written_at"] + RETRY
    assert "it has no identity" in "\n".join(explanation.lines())


def test_failures_are_listed_with_their_reason(library):
    with serve_verdicts(lambda inputs: [{"library_id": one["library_id"], "kind": "odd"} for one in inputs]) as lml:
        library.run(lml.url, run_id="first", shards=[3])
    explanation = explanation_of(library, 19)
    (failure,) = explanation.as_json()["failures"]
    assert (failure["kind"], failure["run_id"]) == ("contract_violation", "first")
    assert "failed once, at" in "\n".join(explanation.lines())


def test_an_identity_of_another_program_says_so(library):
    library.execute(
        "INSERT INTO library_identity (library_id, method, confidence, notes, last_verified_at) "
        "VALUES (19, 'manual', 1, 'a librarian', now())"
    )
    explanation = explanation_of(library, 19)
    assert explanation.as_json()["written_by"] is None
    text = "\n".join(explanation.lines())
    assert "by a program that is not recorded here, notes a librarian" in text
    assert "no answer of LML is recorded" in text


def test_the_command_prints_it_and_refuses_an_unknown_id(library, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", library.postgres.dsn)
    outcome = command.main(["library", "19"], standalone_mode=False)
    assert outcome.printed["library_id"] == 19
    assert json.dumps(outcome.printed, default=str)
    assert outcome.lines[0].startswith("album 19, shard 3, ")
    for name in ("library", "album"):
        with pytest.raises(CannotError, match="the library has no album 9999, and no run has asked about one"):
            command.main([name, "9999"], standalone_mode=False)
        with pytest.raises(click.UsageError):
            command.main([name, "abc"], standalone_mode=False)
