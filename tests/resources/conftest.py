"""Sentry's place in tests: a transport that collects envelopes, and an HTTP server."""

from collections.abc import Iterator

import pytest

from resources.sentry import Sentry, open_sentry
from tests.resources.sentry_collector import CONFIG, Collector, Ingest, serve_ingest


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def sentry(collector: Collector) -> Iterator[Sentry]:
    sentry = open_sentry(CONFIG, transport=collector)
    yield sentry
    sentry.close()


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    with serve_ingest() as server:
        yield server
