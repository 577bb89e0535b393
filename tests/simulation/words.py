"""What LML said, as an observer of its answers reads it: without any code of the program."""

import json
import re
import threading
import unicodedata
from collections import defaultdict
from html import unescape
from typing import Any

Ids = tuple[str | None, str | None, str | None, str, float]
"""Wikidata, Spotify and Apple Music id of an artist, the method, and the confidence to five digits."""

Name = tuple[str, str]
"""Artist and title of an album, folded."""


def fold(text: str) -> str:
    """The text without marks, case, punctuation and HTML entities."""
    plain = "".join(one for one in unicodedata.normalize("NFD", unescape(text)) if not unicodedata.combining(one))
    return re.sub(r"[\W_]+", " ", plain.lower()).strip()


def name_of(artist: str, title: str) -> Name:
    return fold(artist), fold(title)


class Words:
    """Everything that LML has said so far: ``hear`` takes each answer before it is sent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.identities: defaultdict[int, set[Ids]] = defaultdict(set)
        self.resolved_to_none: set[int] = set()
        self.albums: defaultdict[Name, defaultdict[str, set[Any]]] = defaultdict(lambda: defaultdict(set))
        self.unknown_albums: set[Name] = set()
        """Albums that LML did not know, or found another album of the artist for."""
        self.minted: defaultdict[str, set[int]] = defaultdict(set)
        self.answers = 0

    def hear(self, endpoint: str, request: bytes, answer: dict[str, Any]) -> None:
        with self._lock:
            self.answers += 1
            match endpoint:
                case "bulk-resolve-libraries":
                    self._hear_libraries(json.loads(request)["inputs"], answer["results"])
                case "lookup-bulk":
                    self._hear_albums(json.loads(request)["items"], answer["results"])
                case "identity-resolve":
                    self.minted[json.loads(request)["external_id"]].add(answer["identity_id"])

    def _hear_libraries(self, inputs: list[dict[str, Any]], results: list[Any]) -> None:
        asked = {one["library_id"] for one in inputs}
        for result in results:
            library_id = result.get("library_id") if isinstance(result, dict) else None
            if type(library_id) is not int or library_id not in asked:
                continue
            confidence = result.get("confidence")
            if result["kind"] in {"unresolved", "compilation"}:
                self.resolved_to_none.add(library_id)
            elif result["kind"] == "single_artist" and type(confidence) in {int, float} and 0 <= confidence <= 1:
                main = result["main"]
                ids = [main.get(name) for name in ("wikidata_qid", "spotify_artist_id", "apple_music_artist_id")]
                self.identities[library_id].add((*ids, result["method"], round(confidence, 5)))

    def _hear_albums(self, items: list[dict[str, Any]], results: list[Any]) -> None:
        for place, (item, result) in enumerate(zip(items, results, strict=False)):
            index = result.get("index") if isinstance(result, dict) else None
            if type(index) is not int or index != place:
                continue
            name, lookup = name_of(item["artist"], item["album"]), result.get("lookup")
            if result["status"] == "no_match":
                self.unknown_albums.add(name)
            if result["status"] != "match" or not lookup or not lookup["results"]:
                continue
            best = lookup["results"][0]
            own_title = fold(str(best["library_item"].get("title"))) == name[1]
            if lookup["search_type"] in {"direct", "compilation"} or (
                lookup["search_type"] != "song_as_artist" and own_title and best["library_item"]["id"] == 0
            ):
                for field, value in best["artwork"].items():
                    if isinstance(value, str | int):
                        self.albums[name][field].add(value)
            else:
                self.unknown_albums.add(name)
