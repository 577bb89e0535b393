"""The request to GitHub, its answers, and the token, which no error shows."""

import json
import traceback

import pytest
from pydantic import SecretStr

from resources.deploy_gate import github as github_module
from resources.deploy_gate.github import Comparison, GitHub, GitHubError
from tests.resources.lml.loopback import after, answer, cut_short, drip, hang_up, reply, serving

TOKEN = "ghp_never_to_be_seen"


@pytest.fixture
def server():
    with serving() as loopback:
        loopback.always = answer({"status": "ahead"})
        yield loopback


def github(server, token=TOKEN):
    return GitHub(server.url, SecretStr(token) if token else None)


def test_the_comparison_is_requested_as_github_documents_it(server):
    assert github(server).compare("WXYC/library-metadata-lookup", "8a1344c", "f00d") == Comparison(200, "ahead")
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("GET", "/repos/WXYC/library-metadata-lookup/compare/8a1344c...f00d")
    assert seen.headers["accept"] == "application/vnd.github+json"
    assert seen.headers["authorization"] == f"Bearer {TOKEN}"


def test_without_a_token_no_other_credential_is_sent(server, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("default login me password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    github(server, token=None).compare("o/r", "a", "b")
    assert "authorization" not in server.seen[0].headers


@pytest.mark.parametrize("slash", ["", "/", "/api/v3", "/api/v3/"])
def test_a_base_url_may_end_in_a_slash_and_have_a_path(server, slash):
    GitHub(server.url + slash).compare("o/r", "a", "b")
    assert server.seen[0].path == slash.rstrip("/") + "/repos/o/r/compare/a...b"


@pytest.mark.parametrize(
    ("head", "written"),
    [
        ("main/../../x", "main%2F..%2F..%2Fx"),
        ("a b?c#d%2F", "a%20b%3Fc%23d%252F"),
        ("é", "%C3%A9"),
        ("", ""),
        ("\ud800", "%3F"),
        ("x\r\nX-Evil: 1", "x%0D%0AX-Evil%3A%201"),
    ],
)
def test_the_commit_that_lml_names_is_encoded(server, head, written):
    github(server).compare("o/r", "8a1344c", head)
    assert server.seen[0].path == f"/repos/o/r/compare/8a1344c...{written}"
    assert "x-evil" not in server.seen[0].headers


@pytest.mark.parametrize(
    ("body", "relation"),
    [
        ({"status": "behind"}, "behind"),
        ({"status": None}, None),
        ({"state": "ahead"}, None),
        ({"status": ["ahead"]}, ["ahead"]),
        ([], None),
        (None, None),
        ("ahead", None),
    ],
)
def test_only_the_status_of_an_object_is_a_relation(server, body, relation):
    server.always = answer(body)
    assert github(server).compare("o/r", "a", "b") == Comparison(200, relation)


@pytest.mark.parametrize("status", [301, 302, 304, 401, 403, 404, 422, 429, 500, 503])
def test_a_refusal_returns_its_status_and_is_not_followed(server, status):
    server.always = answer({"status": "ahead"}, status, Location=f"{server.url}/elsewhere")
    assert github(server).compare("o/r", "a", "b") == Comparison(status, None)
    assert len(server.seen) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"status":', b"\xff"])
def test_an_answer_without_json_is_no_comparison(server, body):
    server.always = reply(200, body)
    with pytest.raises(GitHubError, match="no JSON"):
        github(server).compare("o/r", "a", "b")


@pytest.mark.parametrize("play", [hang_up, cut_short], ids=["hangs up", "cut short"])
def test_a_connection_that_breaks_is_no_comparison(server, play):
    server.always = play
    with pytest.raises(GitHubError, match=r"127\.0\.0\.1 \(GITHUB_API_URL\)"):
        github(server).compare("o/r", "a", "b")


def test_a_refused_connection_is_no_comparison():
    with pytest.raises(GitHubError, match="GITHUB_API_URL"):
        GitHub("http://127.0.0.1:9").compare("o/r", "a", "b")


@pytest.mark.parametrize(
    "play",
    [
        after(2, answer({"status": "ahead"})),
        drip(b"HTTP/1.1 200 OK\r\nX-Long: "),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"),
    ],
    ids=["says nothing", "drips headers", "drips its body"],
)
def test_an_answer_has_a_deadline_as_a_whole(server, monkeypatch, play):
    assert github_module.COMPARE_TIMEOUT_S == 15
    monkeypatch.setattr(github_module, "COMPARE_TIMEOUT_S", 0.3)
    server.always = play
    with pytest.raises(GitHubError, match=r"within 0\.3 s"):
        github(server).compare("o/r", "a", "b")


def test_an_answer_without_end_is_not_read_to_its_end(server, monkeypatch):
    monkeypatch.setattr(github_module, "MAX_ANSWER_BYTES", 1000)
    server.always = reply(200, json.dumps({"status": "ahead", "files": "x" * 2000}).encode())
    with pytest.raises(GitHubError, match="larger than 1000 bytes"):
        github(server).compare("o/r", "a", "b")


def test_a_commit_that_fits_no_url_is_no_comparison(server):
    with pytest.raises(GitHubError, match="no commit"):
        github(server).compare("o/r", "a", "b" * 100_000)
    assert server.seen == []


@pytest.mark.parametrize("token", ["with space", "line\nend", "é", "\x00"])
def test_a_token_that_no_header_can_carry_is_refused_unquoted(server, token):
    with pytest.raises(GitHubError) as caught:
        github(server, token=token).compare("o/r", "a", "b")
    assert "GITHUB_TOKEN" in str(caught.value)
    assert token not in str(caught.value)
    assert server.seen == []


@pytest.mark.parametrize("play", [hang_up, reply(200, b"<html>")], ids=["broken", "no JSON"])
def test_no_error_shows_the_token(server, play):
    server.always = play
    with pytest.raises(GitHubError) as caught:
        github(server).compare("o/r", "a", "b")
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    ours = [repr(frame.f_locals) for frame in frames if "/deploy_gate/github.py" in frame.f_code.co_filename]
    assert ours
    assert server.seen[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in "".join([repr(github(server)), repr(caught.value), *ours])
