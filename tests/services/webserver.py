"""The webserver's GraphQL, with the queries and mutations of the Dagster UI."""

from collections.abc import Iterable, Sequence
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
MATERIALIZED_PARTITIONS = """
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
RUNS_OF_BACKFILL = """
query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { runs(limit: 100) {
  runId status } } ... on PythonError { message } } }
"""


@dataclass(frozen=True)
class Launch:
    """One run to launch: an asset, and its partitions from the first to the last, or none."""

    asset: str
    first: str | None = None
    last: str | None = None

    def parameters(self) -> dict[str, Any]:
        """The parameters of the mutation."""
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
class RunState:
    """The status, start and end of a run, as the UI shows them."""

    status: str
    start: float | None
    end: float | None


class Webserver:
    """The webserver at a URL."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/graphql"

    def execute(self, operation: str, **variables: Any) -> dict[str, Any]:
        """Return the data of a GraphQL operation."""
        answer = httpx.post(
            self._url, json={"query": operation, "variables": variables}, timeout=300, trust_env=False
        ).json()
        assert not answer.get("errors"), answer
        data: dict[str, Any] = answer["data"]
        return data

    def location(self) -> tuple[str, str]:
        """The load status of the one code location, and the type of the loaded object."""
        (entry,) = self.execute(WORKSPACE)["workspaceOrError"]["locationEntries"]
        loaded = entry["locationOrLoadError"]
        return entry["loadStatus"], loaded["__typename"] if loaded else ""

    def launch(self, launches: Iterable[Launch]) -> list[str]:
        """Launch runs, all in one request; return their ids."""
        answer = self.execute(LAUNCH, runs=[launch.parameters() for launch in launches])["launchMultipleRuns"]
        results = answer["launchMultipleRunsResult"]
        assert all(result["__typename"] == "LaunchRunSuccess" for result in results), results
        return [result["run"]["runId"] for result in results]

    def backfill(self, asset: str, partitions: Sequence[str]) -> str:
        """Backfill partitions of an asset, in as many runs as its policy says; return the backfill's id."""
        params = {"assetSelection": [{"path": [asset]}], "partitionNames": list(partitions)}
        answer = self.execute(BACKFILL, params=params)["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        return str(answer["backfillId"])

    def runs_of(self, backfill: str) -> dict[str, str]:
        """The runs of a backfill so far, with their statuses."""
        runs = self.execute(RUNS_OF_BACKFILL, id=backfill)["partitionBackfillOrError"]["runs"]
        return {run["runId"]: run["status"] for run in runs}

    def runs(self, ids: Sequence[str]) -> dict[str, RunState]:
        """The states of runs, by id."""
        results = self.execute(RUNS, ids=list(ids))["runsOrError"]["results"]
        return {run["runId"]: RunState(run["status"], run["startTime"], run["endTime"]) for run in results}

    def materialized(self, asset: str) -> list[str]:
        """The materialized shards, or ranges of hours, of an asset."""
        statuses = self.execute(MATERIALIZED_PARTITIONS, path=[asset])["assetNodeOrError"]["assetPartitionStatuses"]
        if statuses["__typename"] == "DefaultPartitionStatuses":
            return sorted(statuses["materializedPartitions"], key=int)
        return [f"{one['startKey']}..{one['endKey']}" for one in statuses["ranges"] if one["status"] == "MATERIALIZED"]

    def messages(self, run_id: str) -> list[str]:
        """The messages on a run's page."""
        events = self.execute(MESSAGES, id=run_id)["logsForRun"]["events"]
        return [event["message"] for event in events if event.get("message")]


def peak_concurrency(intervals: Iterable[tuple[float, float]]) -> int:
    """Return the most intervals, as (start, end), that overlap at one time."""
    changes = [change for start, end in intervals for change in ((start, 1), (end, -1))]
    return max(accumulate(change for _, change in sorted(changes)))
