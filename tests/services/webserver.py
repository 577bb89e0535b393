"""What the Dagster UI asks of the webserver, as GraphQL."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import httpx

LAUNCH = """
mutation($runs: [ExecutionParams!]!) { launchMultipleRuns(executionParamsList: $runs) { __typename
  ... on LaunchMultipleRunsResult { launchMultipleRunsResult { __typename
    ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } ... on InvalidSubsetError { message } } }
  ... on PythonError { message } } }
"""
RUNS = """
query($ids: [String!]) { runsOrError(filter: {runIds: $ids}) { ... on Runs { results {
  runId status startTime endTime } } } }
"""
WORKSPACE = """
{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus locationOrLoadError { __typename
  ... on PythonError { message } } } } } }
"""
CREDITED = """
query($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode { assetPartitionStatuses { __typename
  ... on DefaultPartitionStatuses { materializedPartitions }
  ... on TimePartitionStatuses { ranges { status startKey endKey } } } } } }
"""
MESSAGES = """
query($id: ID!) { logsForRun(runId: $id, limit: 1000) { ... on EventConnection { events { __typename
  ... on MessageEvent { message } } } } }
"""
BACKFILL = """
mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) { __typename
  ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
OF_BACKFILL = """
query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { runs(limit: 100) {
  runId status } } ... on PythonError { message } } }
"""


@dataclass(frozen=True)
class Launch:
    """One run to be launched: an asset, and the partitions from the first to the last, or none."""

    asset: str
    first: str | None = None
    last: str | None = None

    def parameters(self) -> dict[str, Any]:
        """As the webserver wants it."""
        span = {"dagster/asset_partition_range_start": self.first, "dagster/asset_partition_range_end": self.last}
        return {
            "selector": {
                "repositoryLocationName": "wxyc_assets",
                "repositoryName": "__repository__",
                "jobName": "__ASSET_JOB",
                "assetSelection": [{"path": [self.asset]}],
                "assetCheckSelection": None,
            },
            "mode": "default",
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in span.items() if value]},
            "runConfigData": {},
        }


@dataclass(frozen=True)
class Ran:
    """What the UI knows of a run."""

    status: str
    start: float | None
    end: float | None


class Ui:
    """The webserver at a URL."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/graphql"

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = httpx.post(
            self._url, json={"query": query, "variables": variables}, timeout=60, trust_env=False
        ).json()
        assert not answer.get("errors"), answer
        return answer["data"]

    def location(self) -> tuple[str, str]:
        """How the one code location stands: the status of its loading, and what was loaded."""
        (entry,) = self.ask(WORKSPACE)["workspaceOrError"]["locationEntries"]
        loaded = entry["locationOrLoadError"]
        return entry["loadStatus"], loaded["__typename"] if loaded else ""

    def launch(self, launches: Iterable[Launch]) -> list[str]:
        """Launch runs, all in one request; return their ids."""
        answer = self.ask(LAUNCH, runs=[launch.parameters() for launch in launches])["launchMultipleRuns"]
        results = answer["launchMultipleRunsResult"]
        assert all(result["__typename"] == "LaunchRunSuccess" for result in results), results
        return [result["run"]["runId"] for result in results]

    def backfill(self, asset: str, partitions: Sequence[str]) -> str:
        """Backfill partitions of an asset, in as many runs as it wants; return the backfill's id."""
        params = {"assetSelection": [{"path": [asset]}], "partitionNames": list(partitions)}
        answer = self.ask(BACKFILL, params=params)["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        return str(answer["backfillId"])

    def runs_of(self, backfill: str) -> dict[str, str]:
        """The runs that a backfill has launched, each with its status."""
        runs = self.ask(OF_BACKFILL, id=backfill)["partitionBackfillOrError"]["runs"]
        return {run["runId"]: run["status"] for run in runs}

    def runs(self, ids: Sequence[str]) -> dict[str, Ran]:
        """How runs stand."""
        results = self.ask(RUNS, ids=list(ids))["runsOrError"]["results"]
        return {run["runId"]: Ran(run["status"], run["startTime"], run["endTime"]) for run in results}

    def credited(self, asset: str) -> list[str]:
        """The shards, or ranges of hours, that are credited."""
        statuses = self.ask(CREDITED, path=[asset])["assetNodeOrError"]["assetPartitionStatuses"]
        if statuses["__typename"] == "DefaultPartitionStatuses":
            return sorted(statuses["materializedPartitions"], key=int)
        return [f"{one['startKey']}..{one['endKey']}" for one in statuses["ranges"] if one["status"] == "MATERIALIZED"]

    def messages(self, run_id: str) -> list[str]:
        """What a run's page says."""
        events = self.ask(MESSAGES, id=run_id)["logsForRun"]["events"]
        return [event["message"] for event in events if event.get("message")]


def most_at_once(runs: Mapping[str, Ran]) -> int:
    """Return how many of the runs were under way at one time, by their own start and end."""
    steps = [(run.start or 0.0, 1) for run in runs.values()] + [(run.end or 0.0, -1) for run in runs.values()]
    return max(accumulate(step for _, step in sorted(steps)))
