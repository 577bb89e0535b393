"""Plans a simulation: the steps that a seed makes, without executing any of them.

One ``random.Random(seed)`` decides everything. A plan knows no state of the station: a step that finds nothing to act on,
because an earlier step was left out or failed, does nothing.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

from tests.simulation.steps import Step
from wxyc_assets.sandbox.names import TITLE_WORDS, artist_name

HOUR_S = 3600
LIBRARIES = 72
"""Libraries at the start. Some share artist and title, some are compilations, some have no canonical entity yet."""

MODELS: Sequence[tuple[str | None, str | None]] = (
    ("b", None),
    ("b", None),
    ("c", None),
    ("ft:own", "b"),
    ("ft:derived", None),
    ("ft:unlisted", "b"),
    ("ft:unlisted", "c"),
    ("nameless", None),
    ("late", None),
    (None, None),
)
"""Models and bases of usage events; ``tests/simulation/prices.py`` prices some of them."""

PRICE_FILES = ("first", "raised", "markup", "more models", "effective later", "missing", "broken")

INTERRUPTS = ("connections cut", "sessions ended", "lock session ended", "pause")

ANSWER_FAULTS = (
    *("shifted", "swapped", "duplicated", "foreign") * 2,
    *("short", "long", "null_item", "non_integer_index", "unknown_kind"),
)
"""Faults of answers in batches; those that could write to the wrong row come twice as often."""

LOOKUP_FAULTS = ("degraded", "another_album", "streaming_status")


ENDPOINTS = {
    "library_identity": "bulk-resolve-libraries",
    "album_metadata": "lookup-bulk",
    "rotation_cache": "refresh-for-identities",
}
"""The endpoint that each asset asks in batches, whose answers can be mixed up."""


class Planner:
    """Plans the steps of one seed, hour by hour."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._events: list[str] = []
        self._albums: list[int] = []
        self._played: list[int] = []
        self._rotation: list[int] = []
        self._plays = itertools.count(1)
        self._numbers = itertools.count(1)

    def plan(self, hours: int) -> list[Step]:
        """Return the steps of the first ``hours`` simulated hours, in the order in which they happen."""
        steps = [Step(0, "libraries", {"libraries": chunk}) for chunk in _chunks(self._libraries(LIBRARIES), 12)]
        steps += [Step(0, "rotation", self._rotation_row()) for _ in range(12)]
        for hour in range(hours):
            steps += sorted(self._hour(hour), key=lambda step: step.at_s)
        return steps

    def _hour(self, hour: int) -> Iterator[Step]:
        for kind, arguments in itertools.chain(
            self._usage(), self._station(), self._librarians(), self._lml(), self._operators()
        ):
            at_s = hour * HOUR_S + self._chance.randrange(1, HOUR_S - 60)
            if kind == "run" and arguments["asset"] in ENDPOINTS and self._sometimes(0.5):
                yield Step(at_s, "fault", self._answer_fault(ENDPOINTS[arguments["asset"]]))
            yield Step(at_s, kind, arguments)
        yield Step(hour * HOUR_S + 300, "run", self._run("rated_usage", origin="routine"))

    def _sometimes(self, chance: float) -> bool:
        return self._chance.random() < chance

    # usage

    def _usage(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for _ in range(self._chance.randrange(3)):
            yield "usage", {"events": [self._event() for _ in range(self._chance.randrange(1, 7))]}
        if self._events and self._sometimes(0.1):
            yield "usage again", {"ids": self._chance.sample(self._events, min(3, len(self._events)))}
        if self._events and self._sometimes(0.08):
            recent = self._events[-40:]
            yield "usage gone", {"ids": self._chance.sample(recent, min(2, len(recent)))}
        if self._sometimes(0.03):
            yield "prices", {"file": self._chance.choice(PRICE_FILES)}
        elif self._sometimes(0.1):
            yield "prices", {"file": self._chance.choice(PRICE_FILES[:4])}

    def _event(self) -> dict[str, Any]:
        chance = self._chance
        model, base = chance.choice(MODELS)
        age_s = chance.randrange(HOUR_S)
        if self._sometimes(0.15):
            age_s = chance.randrange(2, 60) * HOUR_S  # stored late
        if self._sometimes(0.01):
            age_s = -chance.randrange(HOUR_S, 3 * HOUR_S)  # the gateway's clock is ahead
        self._events.append(f"event-{len(self._events) + 1}")
        return {
            "id": self._events[-1],
            "auth": chance.choice(["alice", "bob", "", None] if self._sometimes(0.2) else ["alice", "bob"]),
            "resource": chance.choice(["deploy-1", "deploy-2"]),
            "model": model,
            "base": base,
            "tokens": [chance.randrange(2000), chance.choice([0, chance.randrange(2500)]), chance.randrange(500)],
            "age_s": age_s,
            "dated": not self._sometimes(0.1),
        }

    # the station's other writers

    def _station(self) -> Iterator[tuple[str, dict[str, Any]]]:
        chance = self._chance
        if self._sometimes(0.7):
            yield "plays", {"plays": [self._play() for _ in range(chance.randrange(1, 6))]}
        if self._sometimes(0.08):
            yield "plays", {"plays": [self._play() for _ in range(60)]}  # an import of old flowsheets
        if self._sometimes(0.4):
            outcome = chance.choice(["enriched_match", "enriched_no_match", "pending"])
            yield "worker", {"offset": chance.randrange(10), "outcome": outcome}
        if self._played and self._sometimes(0.5):
            service = chance.choice(["spotify", "apple_music", "bandcamp"])
            yield "verify", {"album": chance.choice(self._played[-15:]), "service": service}
        if self._sometimes(0.05):
            yield "rotation", self._rotation_row()
        if self._sometimes(0.05):
            yield (
                "release",
                {"id": chance.choice(self._rotation), "release": chance.choice([None, chance.randrange(1, 10**6)])},
            )

    def _play(self) -> dict[str, Any]:
        age_s = self._chance.choice([30, 600, 1200, 7200, 86400])
        # Some albums are played often, so that they have a row already when their next play waits.
        self._played.append(self._chance.choice(self._albums[:10] if self._sometimes(0.4) else self._albums))
        return {"id": next(self._plays), "album": self._played[-1], "age_s": age_s}

    def _rotation_row(self) -> dict[str, Any]:
        self._rotation.append(len(self._rotation) + 1)
        return {
            "id": self._rotation[-1],
            "release": self._chance.choice([None, *[self._chance.randrange(1, 10**6) for _ in range(5)]]),
            "kill_days": self._chance.choice([None, 1, 3, 30]),
        }

    # librarians

    def _libraries(self, count: int) -> list[dict[str, Any]]:
        return [self._library() for _ in range(count)]

    def _library(self) -> dict[str, Any]:
        number = len(self._albums) + 1
        self._albums.append(number)
        compilation = self._sometimes(0.06)
        return {
            "id": number,
            "artist": "Various Artists" if compilation else self._artist(),
            "title": self._title(number),
            "letters": "ZA" if compilation else None,
            "canonical": self._sometimes(0.9),
        }

    def _artist(self) -> str:
        name = artist_name(self._chance.randrange(60))
        return name.replace("&", "&amp;") if self._sometimes(0.3) else name

    def _title(self, number: int) -> str:
        # A shared title of two albums of one artist is one question to LML.
        return "Greatest Hits" if self._sometimes(0.1) else f"{self._chance.choice(TITLE_WORDS)} {number}"

    def _librarians(self) -> Iterator[tuple[str, dict[str, Any]]]:
        chance = self._chance
        if self._sometimes(0.08):
            yield "libraries", {"libraries": self._libraries(chance.randrange(1, 4))}
        if self._sometimes(0.08):
            name = {"artist": self._artist()} if self._sometimes(0.5) else {"title": self._title(next(self._numbers))}
            yield "rename", {"id": chance.choice(self._albums), **name}
        if self._sometimes(0.05):
            yield "canonical", {"id": chance.choice(self._albums)}
        if self._sometimes(0.15):
            yield "manual", {"id": chance.choice(self._albums), "qid": f"Q{chance.randrange(10**6)}"}
        if self._sometimes(0.02):
            yield "remove", {"id": chance.choice(self._albums)}

    # LML

    def _lml(self) -> Iterator[tuple[str, dict[str, Any]]]:
        if self._sometimes(0.25):
            yield "fault", self._fault()
        if self._sometimes(0.05):
            yield "cache lost", {}
        if self._sometimes(0.03):
            yield "breaker", {"state": self._chance.choice(["open", "half_open"])}
        elif self._sometimes(0.3):
            yield "breaker", {"state": self._chance.choice(["closed", "closed", None])}

    def _fault(self) -> dict[str, Any]:
        chance = self._chance
        fault: dict[str, Any] = {"times": chance.choice([1, 1, 2, 6]), "after": chance.randrange(3)}
        match chance.randrange(5):
            case 0:
                return fault | {
                    "endpoint": "*",
                    "kind": "status",
                    "status": chance.choice([400, 401, 413, 422, 500, 503]),
                }
            case 1:
                retry_after_s = chance.choice([None, 1, 45])
                return fault | {"endpoint": "*", "kind": "rate_limited", "retry_after_s": retry_after_s}
            case 2:
                return fault | {"endpoint": "*", "kind": chance.choice(["broken_json", "disconnect"])}
            case 3:
                kind = chance.choice(LOOKUP_FAULTS)
                says = {
                    "degraded": ["upstream_unavailable", "deadline_exceeded", "cache_only"],
                    "another_album": ["fallback", "song_as_artist"],
                    "streaming_status": ["verified", "absent", "unresolved"],
                }[kind]
                return fault | {
                    "endpoint": "lookup-bulk",
                    "kind": kind,
                    "says": chance.choice(says),
                    "count": chance.randrange(1, 6),
                }
        return self._answer_fault(chance.choice(list(ENDPOINTS.values())))

    def _answer_fault(self, endpoint: str) -> dict[str, Any]:
        chance = self._chance
        return {
            "endpoint": endpoint,
            "kind": chance.choice(ANSWER_FAULTS),
            "times": chance.choice([1, 3, 8]),
            "after": chance.choice([0, 0, 1]),
            "count": chance.randrange(1, 5),
        }

    # operators

    def _operators(self) -> Iterator[tuple[str, dict[str, Any]]]:
        chance = self._chance
        for asset, often in (
            ("library_identity", 0.35),
            ("album_metadata", 0.4),
            ("flowsheet_enrichment", 0.3),
            ("rotation_identity", 0.15),
            ("rotation_cache", 0.1),
        ):
            if self._sometimes(often):
                yield "run", self._run(asset)
        if self._sometimes(0.06):
            yield "run", self._run("rated_usage", back_h=chance.randrange(1, 60), hours=chance.randrange(1, 8))
        if self._sometimes(0.06):
            yield "run", self._run("rated_usage", late=True)
        if self._sometimes(0.03):
            yield "accept", {}
        if self._sometimes(0.05):
            asset = chance.choice(["library_identity", "album_metadata", "flowsheet_enrichment", "rated_usage"])
            yield "run", self._run(asset, dry_run=True)

    def _run(self, asset: str, *, origin: str = "explicit", **options: Any) -> dict[str, Any]:
        chance = self._chance
        run: dict[str, Any] = {"asset": asset, "origin": origin, **options}
        if asset == "library_identity" and self._sometimes(0.1):
            run |= {"recheck": True}
        if asset in {"library_identity", "album_metadata", "flowsheet_enrichment"} and self._sometimes(0.3):
            run |= {"shards": sorted(chance.sample(range(16), chance.randrange(1, 9)))}
        if self._sometimes(0.15):
            run |= {"interrupt": {"after": chance.randrange(5, 150), "what": chance.choice(INTERRUPTS)}}
        elif self._sometimes(0.02):
            run |= {"interrupt": {"after": chance.randrange(20, 200), "what": "kill"}}
        return run


def plan(seed: int, hours: int) -> list[Step]:
    """Return the steps of a seed."""
    return Planner(seed).plan(hours)


def _chunks(rows: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
