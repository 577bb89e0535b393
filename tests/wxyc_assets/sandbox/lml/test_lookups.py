"""Lookup answers: matches, misses, and the odd values of the real LML."""

from wxyc_assets.sandbox.lml import lookups

FOUND = [lookups.lookup_response(f"Artist {number}", f"Album {number}", extended=False) for number in range(3000)]
ARTWORKS = [one["results"][0]["artwork"] for one in FOUND if one["results"]]


def test_some_albums_have_no_match_without_degradation():
    missing = [one for one in FOUND if not one["results"]]
    assert 0.02 < len(missing) / len(FOUND) < 0.08
    assert {(one["search_type"], one["timeout"], one["degraded"]) for one in missing} == {("none", False, False)}


def test_an_exceeded_deadline_is_a_degraded_answer():
    answer = lookups.degraded_response("deadline_exceeded")
    assert (answer["results"], answer["timeout"], answer["degraded"], answer["degraded_reason"]) == (
        [], True, True, "deadline_exceeded",
    )  # fmt: skip


def test_a_streaming_only_match_has_release_zero_and_no_url():
    streaming_only = [one for one in ARTWORKS if one["release_id"] == 0]
    assert streaming_only
    assert all(one["release_url"] == "" for one in streaming_only)
    assert all(one["release_url"].endswith(str(one["release_id"])) for one in ARTWORKS if one["release_id"])


def test_the_odd_values_of_the_real_lml_occur():
    assert any(one.get("release_year") == 0 for one in ARTWORKS)
    assert any("spacer.gif" in (one["artwork_url"] or "") for one in ARTWORKS)
    assert any("[a=" in (one.get("artist_bio") or "") for one in ARTWORKS)
    assert any("spotify.example" in (one["spotify_url"] or "") for one in ARTWORKS)
    assert all(0 <= one["confidence"] <= 1 for one in ARTWORKS)


def test_streaming_status_agrees_with_the_links():
    told = [one for one in ARTWORKS if one.get("streaming_status")]
    assert len(told) > 1000
    said = {status for one in told for status in one["streaming_status"].values()}
    assert said == {"verified", "absent", "unresolved"}
    for one in told:
        for service in ("spotify", "apple_music"):
            assert (one["streaming_status"][service] == "verified") == bool(one[f"{service}_url"])


def test_extended_fields_need_the_extended_flag():
    plain = lookups.lookup_response("Pavement", "Wowee Zowee", extended=False)["results"][0]["artwork"]
    extended = lookups.lookup_response("Pavement", "Wowee Zowee", extended=True)["results"][0]["artwork"]
    assert "tracklist" not in plain
    assert type(extended["discogs_artist_id"]) is int
    assert extended.items() >= plain.items()
