"""Decides whether a match is about the album that was asked; an untrusted match is about another album of the artist. Pure.

Source: contract/neighbours.md, "Same artist, another album".
"""

from pydantic import ValidationError

from resources.lml.models import LibraryItem, LookupHit
from resources.lml.names import decoded, folded

TRUSTED_SEARCHES = frozenset({"direct", "compilation"})
UNTRUSTED_SEARCHES = frozenset({"song_as_artist"})


def is_trusted(search_type: str, best: LookupHit | None, album_title: str) -> bool:
    """Return whether LML's best candidate is the album with this title.

    A search for the album itself is trusted. Any other search can find another album of the artist: its candidate must be one
    that is not in LML's catalogue, with the title that was asked.
    """
    if search_type in TRUSTED_SEARCHES:
        return True
    if search_type in UNTRUSTED_SEARCHES or best is None:
        return False
    try:
        item = LibraryItem.model_validate(best.library_item)
    except ValidationError:
        return False
    return item.id == 0 and item.title is not None and folded(decoded(item.title)) == folded(decoded(album_title))
