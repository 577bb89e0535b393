"""The gate over real HTTP: its requests in order, and its decision after every kind of answer."""

import json
from typing import Any

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
QUICK: dict[str, Any] = {
    "backoff_initial_s": 0.001,
    "backoff_jitter_s": 0.001,
    "retry_after_max_s": 0.01,
    "attempts": 2,
}


class World:
    """An LML and a GitHub on loopback, and the gate's decision on them."""

    def __init__(self, lml, github):
        self.lml, self.github = lml, github
        github.always = answer({"status": "ahead"})

    def health(self, commit_sha=None, status=200, **more):
        """Let LML answer ``/health`` with this commit, and a refresh of no ids with 422."""
        self.lml.plays = [answer({"status": "healthy", "commit_sha": commit_sha, **more}, status)]
        self.lml.always = answer({"message": "at least one"}, 422)

    def decide(self, *, local_dev=False, timeouts_s=None, key=KEY):
        config = LmlConfig(self.lml.url, SecretStr(key) if key else None, timeouts_s=timeouts_s or {}, **QUICK)
        with LmlClient(config) as client:
            return DeployGate(client, GitHub(self.github.url), local_dev=local_dev).decide()

    @property
    def requests(self):
        return [(seen.method, seen.path) for seen in self.lml.seen], len(self.github.seen)


@pytest.fixture
def world():
    with serving() as lml, serving() as github:
        yield World(lml, github)


HEALTH = ("GET", "/health")
PROBE = ("POST", "/api/v1/cache/refresh-for-identities")


# LML's health


def test_the_gates_own_commit_passes_without_another_request(world):
    world.health(GATE_SHA + "0" * 33)
    decision = world.decide()
    assert (decision.is_open, decision.commit_sha) == (True, GATE_SHA + "0" * 33)
    assert world.requests == ([HEALTH], 0)
    assert "authorization" not in world.lml.seen[0].headers


@pytest.mark.parametrize("status", [201, 204, 301, 400, 401, 403, 404, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("commit_sha", [GATE_SHA, None])
def test_an_unhealthy_lml_is_refused_whatever_its_commit(world, status, commit_sha):
    world.lml.always = answer({"status": "unhealthy", "commit_sha": commit_sha}, status)
    assert not world.decide(local_dev=True).is_open
    assert set(world.requests[0]) == {HEALTH}
    assert world.requests[1] == 0


def test_a_503_is_refused_even_with_a_healthy_body(world):
    world.lml.always = answer({"status": "healthy", "commit_sha": GATE_SHA}, 503)
    decision = world.decide(local_dev=True)
    assert not decision.is_open
    assert "503" in decision.reason


@pytest.mark.parametrize("body", [b"", b"OK", b"<html>502</html>", b'{"status": "healthy"', b"\xff\xfe"])
def test_a_health_that_is_no_json_is_refused_with_that_reason(world, body):
    world.lml.always = reply(200, body)
    decision = world.decide(local_dev=True)
    assert not decision.is_open
    assert "no JSON" in decision.reason


@pytest.mark.parametrize("body", [None, [], "healthy", 7])
def test_a_health_that_is_no_object_is_refused(world, body):
    world.lml.always = answer(body)
    assert not world.decide(local_dev=True).is_open


@pytest.mark.parametrize(
    "play",
    [hang_up, cut_short, after(2, answer({})), drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")],
    ids=["hangs up", "cut short", "says nothing", "drips"],
)
def test_an_lml_that_does_not_answer_is_refused(world, play):
    world.lml.always = play
    decision = world.decide(local_dev=True, timeouts_s={"health": 0.2})
    assert not decision.is_open
    assert "health could not be read" in decision.reason


def test_an_lml_that_cannot_be_reached_is_refused():
    with LmlClient(LmlConfig("http://127.0.0.1:9", **QUICK)) as client:
        decision = DeployGate(client, GitHub("http://127.0.0.1:9"), local_dev=True).decide()
    assert not decision.is_open
    assert "no connection to LML" in decision.reason


# An LML that names no commit


@pytest.mark.parametrize(
    "body",
    [{"status": "healthy", "commit_sha": None}, {"status": "degraded"}, {"commit_sha": None}, {}],
    ids=["null", "absent", "no status", "empty"],
)
def test_an_lml_without_a_commit_is_probed_with_the_key(world, body):
    world.health()
    world.lml.plays = [answer(body)]
    decision = world.decide()
    assert (decision.is_open, decision.commit_sha) == (True, None)
    assert world.requests == ([HEALTH, PROBE], 0)
    assert world.lml.seen[1].json == {"identity_ids": []}
    assert world.lml.seen[1].headers["authorization"] == f"Bearer {KEY}"


def test_a_probe_without_a_key_sends_none(world):
    world.health()
    assert world.decide(key=None).is_open
    assert "authorization" not in world.lml.seen[1].headers


@pytest.mark.parametrize("body", [{"status": "healthy", "commit_sha": None}, {"status": "degraded"}])
def test_local_dev_trusts_an_lml_without_a_commit_unprobed(world, body):
    world.lml.plays = [answer(body)]
    assert world.decide(local_dev=True).is_open
    assert world.requests == ([HEALTH], 0)


@pytest.mark.parametrize(
    "status", [200, 201, 204, 302, 400, 401, 403, 409, 410, 422, 429, 499, 500, 501, 503, 404, 405]
)
@pytest.mark.parametrize(
    "body", [{"message": "m"}, {"results": []}, [], None], ids=["error", "results", "list", "null"]
)
def test_only_404_and_405_of_the_probe_refuse(world, status, body):
    world.health()
    world.lml.always = answer(body, status)
    decision = world.decide()
    assert decision.is_open == (status not in {404, 405})
    assert str(status) in decision.reason


def test_a_probe_whose_answer_is_no_json_opens_the_gate(world):
    world.health()
    world.lml.always = reply(200, b"<html>")
    assert world.decide().is_open


@pytest.mark.parametrize(
    "play", [hang_up, cut_short, after(2, answer({}, 422))], ids=["hangs up", "cut short", "says nothing"]
)
def test_a_probe_without_an_answer_refuses(world, play):
    world.health()
    world.lml.always = play
    decision = world.decide(timeouts_s={"probe": 0.2})
    assert not decision.is_open
    assert "could not be probed" in decision.reason


# An LML with another commit


@pytest.mark.parametrize(
    ("relation", "opens"),
    [("identical", True), ("ahead", True), ("behind", False), ("diverged", False), (None, False), ("AHEAD", False)],
)
@pytest.mark.parametrize("local_dev", [False, True])
def test_another_commit_is_compared_also_with_local_dev(world, relation, opens, local_dev):
    world.health(NEWER)
    world.github.always = answer({"status": relation} if relation else {})
    decision = world.decide(local_dev=local_dev)
    assert (decision.is_open, decision.commit_sha) == (opens, NEWER)
    assert world.requests == ([HEALTH], 1)
    assert world.github.seen[0].path == f"/repos/WXYC/library-metadata-lookup/compare/{GATE_SHA}...{NEWER}"


def test_an_empty_commit_is_not_null_and_is_compared(world):
    world.health("")
    world.github.always = answer({"message": "Not Found"}, 404)
    assert not world.decide(local_dev=True).is_open
    assert world.github.seen[0].path.endswith(f"/compare/{GATE_SHA}...")


@pytest.mark.parametrize("status", [301, 401, 403, 404, 422, 429, 500, 503])
def test_a_github_that_refuses_closes_the_gate(world, status):
    world.health(NEWER)
    world.github.always = answer({"status": "ahead"}, status)
    decision = world.decide()
    assert not decision.is_open
    assert str(status) in decision.reason


@pytest.mark.parametrize(
    "play",
    [hang_up, cut_short, after(2, answer({"status": "ahead"})), reply(200, b"<html>"), reply(200, b"")],
    ids=["hangs up", "cut short", "says nothing", "html", "empty"],
)
def test_a_github_that_does_not_answer_closes_the_gate(world, monkeypatch, play):
    monkeypatch.setattr(github_module, "COMPARE_TIMEOUT_S", 0.3)
    world.health(NEWER)
    world.github.always = play
    decision = world.decide()
    assert not decision.is_open
    assert "not known: GitHub's answer" in decision.reason


def test_no_request_is_work_for_lml(world):
    for commit_sha in (None, GATE_SHA, NEWER, ""):
        world.health(commit_sha)
        world.decide()
    bodies = [json.loads(seen.body) for seen in world.lml.seen if seen.method == "POST"]
    assert bodies == [{"identity_ids": []}]
