"""``wxyc why album``: metadata is traced to the run, batch and answer that wrote it, and to what it replaced."""

from datetime import timedelta

from tests.wxyc_assets.assets.album_metadata.fake_lml import album_id_of, match, no_match, serve_lookups
from wxyc_assets.assets.album_metadata.explain import explain
from wxyc_assets.cli.why import command

RETRY = timedelta(days=30)


def explanation_of(albums, album_id):
    with albums.postgres.connect() as connection:
        return explain(connection, album_id, retry_after=RETRY)


def all_match(items, **artwork):
    return [
        match(position, artwork_url=f"https://i/{album_id_of(item)}", **artwork) for position, item in enumerate(items)
    ]


def test_metadata_is_traced_to_its_run_batch_and_answer(albums, monkeypatch):
    with serve_lookups(all_match) as lml:
        albums.run(lml.url, run_id="first", origin="routine", shards=[3])
    found = explanation_of(albums, 19).as_json()
    answer = found["written_by"]
    assert answer == found["answers"][0]
    assert (answer["run_id"], answer["origin"], answer["outcome"], answer["method"]) == (
        "first", "routine", "match", "direct",
    )  # fmt: skip
    assert answer["batch"] in {line["batch_index"] for line in albums.steps("batch_done")}
    assert (found["metadata"]["artwork_url"], found["replaced"]) == ("https://i/19", [])
    monkeypatch.setenv("DATABASE_URL", albums.postgres.dsn)
    outcome = command.main(["album", "19"], standalone_mode=False)
    assert outcome.printed["metadata"] == found["metadata"]
    text = "\n".join(outcome.lines)
    assert f"by routine run first, batch {answer['batch']}, answer {answer['answer_digest']}" in text
    assert "  artwork_url https://i/19" in text


def test_only_what_a_write_really_changed_is_replaced(albums):
    with serve_lookups(all_match) as lml:
        albums.run(lml.url, run_id="first", shards=[3])
        albums.run(lml.url, run_id="second", shards=[3])
    assert explanation_of(albums, 19).replaced == []
    with serve_lookups(lambda items: all_match(items, release_year=2001)) as lml:
        albums.run(lml.url, run_id="third", shards=[3])
    explanation = explanation_of(albums, 19)
    found = explanation.as_json()
    (replaced,) = found["replaced"]
    assert replaced["columns"] == {"release_year": {"before": 1999, "after": 2001}}
    assert replaced["replaced_by"]["run_id"] == found["written_by"]["run_id"] == "third"
    assert [one["run_id"] for one in found["answers"]] == ["third", "second", "first"]
    assert "    release_year: 1999 to 2001" in "\n".join(explanation.lines())


def test_an_album_that_lml_does_not_know_rests(albums):
    with serve_lookups(lambda items: [no_match(position) for position, _ in enumerate(items)]) as lml:
        albums.run(lml.url, run_id="first", shards=[3])
    explanation = explanation_of(albums, 19)
    found = explanation.as_json()
    assert (found["metadata"], found["answers"][0]["outcome"]) == (None, "no_match")
    assert found["rests"]["no_match_until"] == found["answers"][0]["written_at"] + RETRY
    assert "LML had no match to use: not asked again before" in "\n".join(explanation.lines())
