from wxyc_assets.sandbox.lml import lookups

FOUND = [lookups.found(f"Artist {number}", f"Album {number}", extended=False) for number in range(3000)]
ARTWORKS = [one["results"][0]["artwork"] for one in FOUND if one["results"]]


def test_some_albums_are_not_found_and_that_is_no_degradation():
    missing = [one for one in FOUND if not one["results"]]
    assert 0.02 < len(missing) / len(FOUND) < 0.08
    assert {(one["search_type"], one["timeout"], one["degraded"]) for one in missing} == {("none", False, False)}


def test_a_caller_whose_budget_ran_out_is_told_so():
    cut = lookups.cut_off()
    assert (cut["results"], cut["timeout"], cut["degraded"], cut["degraded_reason"]) == (
        [], True, True, "deadline_exceeded",
    )  # fmt: skip


def test_the_streaming_only_sentinel_has_release_zero_and_an_empty_url():
    sentinels = [one for one in ARTWORKS if one["release_id"] == 0]
    assert sentinels
    assert all(one["release_url"] == "" for one in sentinels)
    assert all(one["release_url"].endswith(str(one["release_id"])) for one in ARTWORKS if one["release_id"])


def test_the_odd_spellings_that_lml_is_known_for_occur():
    assert any(one.get("release_year") == 0 for one in ARTWORKS)
    assert any("spacer.gif" in (one["artwork_url"] or "") for one in ARTWORKS)
    assert any("[a=" in (one.get("artist_bio") or "") for one in ARTWORKS)
    assert any("spotify.example" in (one["spotify_url"] or "") for one in ARTWORKS)
    assert all(0 <= one["confidence"] <= 1 for one in ARTWORKS)


def test_extended_fields_come_only_when_asked_for():
    plain = lookups.found("Pavement", "Wowee Zowee", extended=False)["results"][0]["artwork"]
    extended = lookups.found("Pavement", "Wowee Zowee", extended=True)["results"][0]["artwork"]
    assert "tracklist" not in plain
    assert type(extended["discogs_artist_id"]) is int
    assert extended.items() >= plain.items()
