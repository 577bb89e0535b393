"""Whether the webserver answers, and has loaded the code location."""

from typing import Any

import httpx

from wxyc_assets.cli.outcome import CannotError

ANSWER_TIMEOUT_S = 30.0
LOCATIONS = """{ workspaceOrError { __typename ... on PythonError { message } ... on Workspace { locationEntries {
  name loadStatus locationOrLoadError { __typename
    ... on PythonError { message errorChain { error { message } } } } } } } }"""


def is_ready(ui: str) -> bool:
    """Return whether every code location has loaded; raises CannotError with the reason if one cannot be loaded."""
    try:
        answer = httpx.post(f"{ui}/graphql", json={"query": LOCATIONS}, timeout=ANSWER_TIMEOUT_S, trust_env=False)
    except httpx.TransportError:
        return False
    if not answer.is_success:
        return False
    workspace: dict[str, Any] = answer.json()["data"]["workspaceOrError"]
    if workspace["__typename"] == "PythonError":
        raise CannotError(f"Dagster cannot load its workspace: {_root_cause(workspace)}")
    entries = workspace["locationEntries"]
    for entry in entries:
        loaded = entry["locationOrLoadError"] or {}
        if loaded.get("__typename") == "PythonError":
            raise CannotError(f"Dagster cannot load the code location {entry['name']}: {_root_cause(loaded)}")
    return bool(entries) and all(entry["loadStatus"] == "LOADED" for entry in entries)


def _root_cause(error: dict[str, Any]) -> str:
    """Return the first line of the error that caused the others."""
    messages = [error["message"], *(link["error"]["message"] for link in error.get("errorChain", []))]
    return str(messages[-1]).strip().splitlines()[0]
