"""The station's enrichment worker as a test plays it, and the triggers that notice what no writer may do."""

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Self

import psycopg

from resources.postgres import Postgres

WATCH = """
CREATE TABLE violation (what text, id int);
CREATE TABLE mark (play_id int);

CREATE FUNCTION watch_album() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (OLD.spotify_status = 'verified' AND (NEW.spotify_url, NEW.spotify_status) IS DISTINCT FROM (OLD.spotify_url, 'verified'))
    OR (OLD.apple_music_status = 'verified'
      AND (NEW.apple_music_url, NEW.apple_music_status) IS DISTINCT FROM (OLD.apple_music_url, 'verified'))
    OR (OLD.bandcamp_status = 'verified'
      AND (NEW.bandcamp_url, NEW.bandcamp_status) IS DISTINCT FROM (OLD.bandcamp_url, 'verified')) THEN
    INSERT INTO violation VALUES ('verified link lost', OLD.album_id);
  END IF;
  IF num_nulls(OLD.artwork_url, OLD.discogs_url, OLD.spotify_url, OLD.youtube_music_url, OLD.bandcamp_url, OLD.soundcloud_url)
    < num_nulls(NEW.artwork_url, NEW.discogs_url, NEW.spotify_url, NEW.youtube_music_url, NEW.bandcamp_url, NEW.soundcloud_url)
  THEN
    INSERT INTO violation VALUES ('link replaced by null', OLD.album_id);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER watch_album AFTER UPDATE ON album_metadata FOR EACH ROW EXECUTE FUNCTION watch_album();

CREATE FUNCTION watch_mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF current_setting('application_name') = 'worker' THEN
    RETURN NULL;
  END IF;
  INSERT INTO mark VALUES (OLD.id);
  IF OLD.metadata_status <> 'pending' THEN
    INSERT INTO violation VALUES ('marked a play that was ' || OLD.metadata_status, OLD.id);
  END IF;
  IF OLD.add_time > now() - interval '15 minutes' THEN
    INSERT INTO violation VALUES ('marked a young play', OLD.id);
  END IF;
  IF NOT EXISTS (
    SELECT FROM album_metadata m
    WHERE m.album_id = NEW.album_id AND (m.artwork_url IS NOT NULL OR m.discogs_url IS NOT NULL)) THEN
    INSERT INTO violation VALUES ('marked a play of a shell', OLD.id);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER watch_mark AFTER UPDATE ON flowsheet FOR EACH ROW
  WHEN (NEW.metadata_status = 'enriched_match' AND OLD.metadata_status IS DISTINCT FROM NEW.metadata_status)
  EXECUTE FUNCTION watch_mark();
"""

CLAIM = """
UPDATE flowsheet SET metadata_status = 'enriching', enriching_since = now()
WHERE id = (
  SELECT id FROM flowsheet WHERE metadata_status = 'pending' AND entry_type = 'track' AND album_id IS NOT NULL
  ORDER BY id OFFSET %s LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, album_id
"""

SHELL = """
INSERT INTO album_metadata AS m (album_id, spotify_url, youtube_music_url, bandcamp_url, soundcloud_url)
VALUES (%(album)s, 'https://open.spotify.com/search/x', 'https://music.youtube.com/search?q=x',
  'https://bandcamp.com/search?q=x', 'https://soundcloud.com/search?q=x')
ON CONFLICT (album_id) DO UPDATE SET
  spotify_url = COALESCE(m.spotify_url, EXCLUDED.spotify_url),
  youtube_music_url = COALESCE(m.youtube_music_url, EXCLUDED.youtube_music_url),
  bandcamp_url = COALESCE(m.bandcamp_url, EXCLUDED.bandcamp_url),
  soundcloud_url = COALESCE(m.soundcloud_url, EXCLUDED.soundcloud_url), updated_at = now()
"""

MATCH = """
INSERT INTO album_metadata AS m (album_id, artwork_url, discogs_url, spotify_status, apple_music_status, bandcamp_status)
VALUES (%(album)s, 'worker artwork', 'worker release', 'unresolved', 'unresolved', 'unresolved')
ON CONFLICT (album_id) DO UPDATE SET
  artwork_url = EXCLUDED.artwork_url, discogs_url = EXCLUDED.discogs_url, updated_at = now()
"""

VERIFY = """
UPDATE album_metadata SET {service}_url = %(url)s, {service}_status = 'verified', updated_at = now(),
  streaming_reask_attempts = streaming_reask_attempts + 1
WHERE album_id = %(album)s AND {service}_status IS DISTINCT FROM 'verified'
"""

FINISH = "UPDATE flowsheet SET metadata_status = %s, enriching_since = NULL, metadata_attempt_at = now() WHERE id = %s"

SERVICES = ("spotify", "apple_music", "bandcamp")


@dataclass
class EnrichmentWorker:
    """A thread that claims plays, looks albums up and asks again about services, ``steps`` times in all."""

    postgres: Postgres
    seed: int
    steps: int
    failures: list[BaseException] = field(default_factory=list)
    _thread: threading.Thread = field(init=False)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    @property
    def working(self) -> bool:
        return self._thread.is_alive()

    def _work(self) -> None:
        chance = random.Random(self.seed)
        try:
            with psycopg.connect(self.postgres.dsn, autocommit=True, application_name="worker") as connection:
                connection.execute("SET search_path TO wxyc_schema, public")
                for _ in range(self.steps):
                    chance.choice([self._enrich, self._enrich, self._ask_again, self._play])(connection, chance)
                    time.sleep(chance.random() * 0.005)
        except BaseException as error:  # noqa: BLE001  # the test raises it
            self.failures.append(error)

    def _enrich(self, connection: psycopg.Connection, chance: random.Random) -> None:
        claimed = connection.execute(CLAIM, [chance.randrange(40)]).fetchone()
        if claimed is None:
            return
        play, album = claimed
        time.sleep(chance.random() * 0.01)
        outcome = chance.choice(["enriched_match", "enriched_no_match", "pending"])
        with connection.transaction():
            if outcome != "pending":
                connection.execute(MATCH if outcome == "enriched_match" else SHELL, {"album": album})
                time.sleep(chance.random() * 0.005)
            connection.execute(FINISH, [outcome, play])

    def _ask_again(self, connection: psycopg.Connection, chance: random.Random) -> None:
        service, album = chance.choice(SERVICES), chance.randrange(1, 161)
        with connection.transaction():
            connection.execute(VERIFY.format(service=service), {"album": album, "url": f"worker {service} {album}"})
            time.sleep(chance.random() * 0.005)

    def _play(self, connection: psycopg.Connection, chance: random.Random) -> None:
        connection.execute(
            "INSERT INTO flowsheet (album_id, artist_name, play_order, add_time) VALUES (%s, 'x', 1, now() - %s::interval)",
            [chance.randrange(1, 161), chance.choice(["0 s", "14 minutes", "16 minutes", "2 hours"])],
        )
