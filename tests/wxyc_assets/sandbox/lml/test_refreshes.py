"""Minted identities, the cost of a refresh, and its answers."""

import pytest

from wxyc_assets.sandbox.lml import refreshes


def test_no_two_discogs_releases_share_an_identity():
    minted = [refreshes.mint("discogs_release", str(number)) for number in range(1, 20_000)]
    assert len(set(minted)) == len(minted)
    assert len({refreshes.mint("discogs_release", str(1 + (1 << bit))) for bit in range(30)}) == 30
    assert all(0 < one < refreshes.MINTED_BELOW for one in minted)
    assert minted[0] != 1  # so that a mix-up of release and identity shows


@pytest.mark.parametrize(
    ("source", "external_id"),
    [
        ("discogs_release", "0"),
        ("discogs_release", "-4"),
        ("discogs_release", "x1"),
        ("discogs_release", "١٢"),
        ("discogs_release", str(1 << 30)),
        ("discogs_master", ""),
        ("bandcamp", "not a url"),
        ("bandcamp", "http://[broken"),
        ("spotify", "1"),
    ],
)
def test_an_invalid_external_id_is_refused(source, external_id):
    with pytest.raises(ValueError, match="must be"):
        refreshes.mint(source, external_id)


@pytest.mark.parametrize(
    ("identity_id", "status"),
    [
        (1, "warmed"),
        (refreshes.NOT_IMPLEMENTED_FROM - 1, "warmed"),
        (refreshes.NOT_IMPLEMENTED_FROM, "not_implemented"),
        (refreshes.ERROR_FROM, "error"),
        (refreshes.NOT_FOUND_FROM, "not_found"),
        (0, "not_found"),
        (-5, "not_found"),
    ],
)
def test_every_status_has_ids_and_only_warmed_ids_cost_calls(identity_id, status):
    answer = refreshes.refresh_answer(identity_id)
    assert answer["status"] == status
    assert (answer["sources"] is None) == (status == "not_found")
    assert (refreshes.discogs_calls(identity_id) > 0) == (status == "warmed")


def test_a_refresh_costs_two_to_four_calls_or_one_if_deleted():
    """One call if Discogs has deleted the release."""
    costs = [refreshes.discogs_calls(identity_id) for identity_id in range(1, 500)]
    assert set(costs) == {1, 2, 3, 4}
    tombstone = refreshes.refresh_answer(50)["sources"]["discogs"]
    assert (tombstone["release_outcome"], tombstone["artists"]) == ("success", [])
    assert refreshes.discogs_calls(50) == 1


def test_a_failed_artist_or_source_leaves_the_identity_warmed():
    answer = refreshes.refresh_answer(35)
    assert answer["status"] == "warmed"
    assert answer["sources"]["discogs"]["artists"][-1]["outcome"] == "error"
    assert answer["sources"]["bandcamp"]["release_outcome"] == "not_implemented"
    assert all(type(one["external_id"]) is str for one in answer["sources"]["discogs"]["artists"])
