"""Whether the webserver has loaded the graph."""

import httpx
import pytest

from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.cli.services import readiness


def answering(monkeypatch, workspace, status=200):
    answer = httpx.Response(status, json={"data": {"workspaceOrError": workspace}})
    monkeypatch.setattr(httpx, "post", lambda *_, **__: answer)


def location(status, loaded=None):
    return {
        "__typename": "Workspace",
        "locationEntries": [{"name": "wxyc_assets", "loadStatus": status, "locationOrLoadError": loaded}],
    }


def test_ready_once_every_code_location_has_loaded(monkeypatch, free_port):
    assert not readiness.is_ready(f"http://127.0.0.1:{free_port()}")
    for workspace, ready in (
        (location("LOADING"), False),
        (location("LOADED", {"__typename": "RepositoryLocation"}), True),
        ({"__typename": "Workspace", "locationEntries": []}, False),
    ):
        answering(monkeypatch, workspace)
        assert readiness.is_ready("http://127.0.0.1:1") is ready
    answering(monkeypatch, location("LOADED"), status=500)
    assert not readiness.is_ready("http://127.0.0.1:1")


def test_code_location_that_cannot_load_says_the_cause(monkeypatch):
    chain = [{"error": {"message": "ModuleNotFoundError: No module named 'x'\nmore"}}]
    answering(monkeypatch, location("LOADED", {"__typename": "PythonError", "message": "outer", "errorChain": chain}))
    with pytest.raises(
        CannotError, match=r"cannot load the code location wxyc_assets: ModuleNotFoundError: No module named 'x'$"
    ):
        readiness.is_ready("http://127.0.0.1:1")
    answering(monkeypatch, {"__typename": "PythonError", "message": "no workspace"})
    with pytest.raises(CannotError, match="workspace: no workspace"):
        readiness.is_ready("http://127.0.0.1:1")
