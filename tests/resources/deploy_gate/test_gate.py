"""The gate over real HTTP: whom it asks, in which order, and what it makes of every kind of answer."""

import json

import pytest
from pydantic import SecretStr

from resources.deploy_gate import github as github_module
from resources.deploy_gate.gate import DeployGate
from resources.deploy_gate.github import GitHub
from resources.deploy_gate.rules import GATE_SHA
from resources.lml.client import LmlClient
from resources.lml.config import LmlConfig
from tests.resources.lml.loopback import after, answer, cut_short, drip, hang_up, reply, serving

NEWER = "f00dfeedf00dfeedf00dfeedf00dfeedf00dfeed"
KEY = "sk-lml"
QUICK = {"backoff_initial_s": 0.001, "backoff_jitter_s": 0.001, "retry_after_max_s": 0.01, "attempts": 2}


class World:
    """An LML and a GitHub on loopback, and what the gate says of them."""

    def __init__(self, lml, github):
        self.lml, self.github = lml, github
        github.always = answer({"status": "ahead"})

    def health(self, commit_sha=None, status=200, **more):
        """What LML says of itself, and of a refresh of nothing, unless a test says otherwise."""
        self.lml.plays = [answer({"status": "healthy", "commit_sha": commit_sha, **more}, status)]
        self.lml.always = answer({"message": "at least one"}, 422)

    def ask(self, *, local_dev=False, timeouts_s=None, key=KEY):
        config = LmlConfig(self.lml.url, SecretStr(key) if key else None, timeouts_s=timeouts_s or {}, **QUICK)
        with LmlClient(config) as client:
            return DeployGate(client, GitHub(self.github.url), local_dev=local_dev).ask()

    @property
    def asked(self):
        return [(seen.method, seen.path) for seen in self.lml.seen], len(self.github.seen)


@pytest.fixture
def world():
    with serving() as lml, serving() as github:
        yield World(lml, github)


HEALTH = ("GET", "/health")
PROBE = ("POST", "/api/v1/cache/refresh-for-identities")


# What LML says of itself


def test_the_gates_own_commit_passes_and_nobody_else_is_asked(world):
    world.health(GATE_SHA + "0" * 33)
    ruling = world.ask()
    assert (ruling.is_open, ruling.commit_sha) == (True, GATE_SHA + "0" * 33)
    assert world.asked == ([HEALTH], 0)
    assert "authorization" not in world.lml.seen[0].headers


@pytest.mark.parametrize("status", [201, 204, 301, 400, 401, 403, 404, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("commit_sha", [GATE_SHA, None])
def test_an_lml_that_is_not_well_is_refused_whatever_commit_it_runs(world, status, commit_sha):
    world.lml.always = answer({"status": "unhealthy", "commit_sha": commit_sha}, status)
    assert not world.ask(local_dev=True).is_open
    assert set(world.asked[0]) == {HEALTH}
    assert world.asked[1] == 0


def test_a_503_is_refused_even_if_its_body_says_that_all_is_well(world):
    world.lml.always = answer({"status": "healthy", "commit_sha": GATE_SHA}, 503)
    ruling = world.ask(local_dev=True)
    assert not ruling.is_open
    assert "503" in ruling.reason


@pytest.mark.parametrize("body", [b"", b"OK", b"<html>502</html>", b'{"status": "healthy"', b"\xff\xfe"])
def test_a_health_without_json_is_refused_and_says_so(world, body):
    world.lml.always = reply(200, body)
    ruling = world.ask(local_dev=True)
    assert not ruling.is_open
    assert "no JSON" in ruling.reason


@pytest.mark.parametrize("body", [None, [], "healthy", 7])
def test_a_health_that_is_no_object_is_refused(world, body):
    world.lml.always = answer(body)
    assert not world.ask(local_dev=True).is_open


@pytest.mark.parametrize(
    "play",
    [hang_up, cut_short, after(2, answer({})), drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")],
    ids=["hangs up", "cut short", "says nothing", "drips"],
)
def test_an_lml_that_cannot_be_asked_is_refused(world, play):
    world.lml.always = play
    ruling = world.ask(local_dev=True, timeouts_s={"health": 0.2})
    assert not ruling.is_open
    assert "could not be asked how it is" in ruling.reason


def test_an_lml_that_is_not_there_is_refused():
    with LmlClient(LmlConfig("http://127.0.0.1:9", **QUICK)) as client:
        ruling = DeployGate(client, GitHub("http://127.0.0.1:9"), local_dev=True).ask()
    assert not ruling.is_open
    assert "no connection to LML" in ruling.reason


# An LML that does not say which commit it runs


@pytest.mark.parametrize(
    "body",
    [{"status": "healthy", "commit_sha": None}, {"status": "degraded"}, {"commit_sha": None}, {}],
    ids=["null", "absent", "no status", "empty"],
)
def test_an_lml_without_a_commit_is_probed_with_the_key_and_a_refresh_of_nothing(world, body):
    world.health()
    world.lml.plays = [answer(body)]
    ruling = world.ask()
    assert (ruling.is_open, ruling.commit_sha) == (True, None)
    assert world.asked == ([HEALTH, PROBE], 0)
    assert world.lml.seen[1].json == {"identity_ids": []}
    assert world.lml.seen[1].headers["authorization"] == f"Bearer {KEY}"


def test_a_probe_without_a_key_sends_none(world):
    world.health()
    assert world.ask(key=None).is_open
    assert "authorization" not in world.lml.seen[1].headers


@pytest.mark.parametrize("body", [{"status": "healthy", "commit_sha": None}, {"status": "degraded"}])
def test_on_ones_own_machine_an_lml_without_a_commit_is_trusted_unprobed(world, body):
    world.lml.plays = [answer(body)]
    assert world.ask(local_dev=True).is_open
    assert world.asked == ([HEALTH], 0)


@pytest.mark.parametrize(
    "status", [200, 201, 204, 302, 400, 401, 403, 409, 410, 422, 429, 499, 500, 501, 503, 404, 405]
)
@pytest.mark.parametrize(
    "body", [{"message": "m"}, {"results": []}, [], None], ids=["error", "results", "list", "null"]
)
def test_only_404_and_405_of_the_probe_refuse(world, status, body):
    world.health()
    world.lml.always = answer(body, status)
    ruling = world.ask()
    assert ruling.is_open == (status not in {404, 405})
    assert str(status) in ruling.reason


def test_a_probe_whose_answer_is_no_json_has_met_somebody_all_the_same(world):
    world.health()
    world.lml.always = reply(200, b"<html>")
    assert world.ask().is_open


@pytest.mark.parametrize(
    "play", [hang_up, cut_short, after(2, answer({}, 422))], ids=["hangs up", "cut short", "says nothing"]
)
def test_a_probe_without_an_answer_refuses(world, play):
    world.health()
    world.lml.always = play
    ruling = world.ask(timeouts_s={"probe": 0.2})
    assert not ruling.is_open
    assert "could not be probed" in ruling.reason


# An LML that runs another commit


@pytest.mark.parametrize(
    ("relation", "opens"),
    [("identical", True), ("ahead", True), ("behind", False), ("diverged", False), (None, False), ("AHEAD", False)],
)
@pytest.mark.parametrize("local_dev", [False, True])
def test_another_commit_is_compared_at_github_also_on_ones_own_machine(world, relation, opens, local_dev):
    world.health(NEWER)
    world.github.always = answer({"status": relation} if relation else {})
    ruling = world.ask(local_dev=local_dev)
    assert (ruling.is_open, ruling.commit_sha) == (opens, NEWER)
    assert world.asked == ([HEALTH], 1)
    assert world.github.seen[0].path == f"/repos/WXYC/library-metadata-lookup/compare/{GATE_SHA}...{NEWER}"


def test_an_empty_commit_is_not_null_and_is_compared(world):
    world.health("")
    world.github.always = answer({"message": "Not Found"}, 404)
    assert not world.ask(local_dev=True).is_open
    assert world.github.seen[0].path.endswith(f"/compare/{GATE_SHA}...")


@pytest.mark.parametrize("status", [301, 401, 403, 404, 422, 429, 500, 503])
def test_a_github_that_refuses_closes_the_gate(world, status):
    world.health(NEWER)
    world.github.always = answer({"status": "ahead"}, status)
    ruling = world.ask()
    assert not ruling.is_open
    assert str(status) in ruling.reason


@pytest.mark.parametrize(
    "play",
    [hang_up, cut_short, after(2, answer({"status": "ahead"})), reply(200, b"<html>"), reply(200, b"")],
    ids=["hangs up", "cut short", "says nothing", "html", "empty"],
)
def test_a_github_that_cannot_be_asked_closes_the_gate(world, monkeypatch, play):
    monkeypatch.setattr(github_module, "COMPARE_TIMEOUT_S", 0.3)
    world.health(NEWER)
    world.github.always = play
    ruling = world.ask()
    assert not ruling.is_open
    assert "not known: GitHub's answer" in ruling.reason


def test_nothing_of_it_is_work_for_lml(world):
    for commit_sha in (None, GATE_SHA, NEWER, ""):
        world.health(commit_sha)
        world.ask()
    bodies = [json.loads(seen.body) for seen in world.lml.seen if seen.method == "POST"]
    assert bodies == [{"identity_ids": []}]
