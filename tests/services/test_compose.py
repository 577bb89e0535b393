"""deploy/compose.yaml holds together: its commands exist, its settings are known, and each service gets what it needs only."""

import re
from pathlib import Path

import click
import pytest
import yaml
from dagster._cli import create_dagster_cli
from dagster._core.definitions.declarative_automation.automation_condition_evaluator import (
    AUTOMATION_TICK_SETTLE_SECONDS_ENV_VAR,
)
from dagster._daemon.cli import create_dagster_daemon_cli
from dagster_webserver.cli import create_dagster_webserver_cli

from tests.documents import SETTINGS
from tests.services.topology import DEPLOY, compose, image, image_environment
from wxyc_assets.cli.program import cli
from wxyc_assets.cli.services import SETTLE
from wxyc_assets.settings import secret_texts

PROGRAMS = {
    "dagster": create_dagster_cli(),
    "dagster-daemon": create_dagster_daemon_cli(),
    "dagster-webserver": create_dagster_webserver_cli(),
    "wxyc": cli,
}
DAGSTERS = {AUTOMATION_TICK_SETTLE_SECONDS_ENV_VAR, "DAGSTER_DAEMON_HEARTBEAT_TOLERANCE"}
FOLDER = image_environment()["DAGSTER_HOME"]
SERVICES = compose()["services"]
LASTING = sorted(set(SERVICES) - {"migrate"})

each_service = pytest.mark.parametrize("name", sorted(SERVICES))


def parse(words):
    """Parse a command line as its program would, without running it."""
    command, rest = PROGRAMS[words[0]], words[1:]
    while isinstance(command, click.Group):
        command, rest = command.get_command(click.Context(command), rest[0]), rest[1:]
        assert command, words
    return command.make_context(words[0], [word.replace(FOLDER, str(DEPLOY)) for word in rest])


def example():
    """The settings of .env.example: those that are to be filled in or kept, and those that are commented out."""
    lines = (DEPLOY / ".env.example").read_text().splitlines()
    return (dict(line.split("=", 1) for line in lines if re.match(rf"{mark}[A-Z_]+=", line)) for mark in ("", "#"))


@each_service
def test_its_command_is_one_that_its_program_parses(name):
    assert parse(SERVICES[name]["command"])
    check = SERVICES[name].get("healthcheck", {}).get("test", ["CMD"])[1:]
    own = [word for word in check if word not in {"python", "/opt/wxyc-assets/entrypoint.py"}]
    assert not own or own[0] == "-c" or parse(own)


def test_a_command_that_no_program_knows_is_noticed():
    with pytest.raises(click.UsageError):
        parse(["dagster-daemon", "run", "--werkspace", "x"])


def test_the_example_names_every_setting_that_the_program_knows_with_its_default():
    given, commented = example()
    assert not given.keys() & commented.keys()
    not_for_services = {*image_environment(), "LOCAL_DEV"} & SETTINGS
    assert given.keys() | {name.lstrip("#") for name in commented} | not_for_services == SETTINGS
    readme = (DEPLOY.parent / "README.md").read_text()
    for name, default in commented.items():
        (shown,) = re.findall(rf"^\| `{name.lstrip('#')}` \| (.+?) \|", readme, re.MULTILINE)
        assert f"`{default}`" == shown or (not default and shown == "off"), name


def test_the_example_holds_no_secret():
    given, _ = example()
    assert secret_texts(given) == []
    assert [line for line in (DEPLOY / ".env.example").read_text().splitlines() if re.match(r"[^#].*://", line)] == []


@each_service
def test_every_variable_it_is_given_is_a_setting_or_dagsters(name):
    given = SERVICES[name]["environment"]
    assert set(given) <= SETTINGS | DAGSTERS
    asked = {word for value in given.values() for word in re.findall(r"\$\{([A-Z_]+)", str(value))}
    assert asked <= SETTINGS


def test_only_what_runs_assets_or_migrates_gets_the_stations_secrets():
    assert {name for name, service in SERVICES.items() if "env_file" in service} == {"code-location", "migrate"}
    for name in ("webserver", "daemon"):
        assert set(SERVICES[name]["environment"]) - DAGSTERS == {"DAGSTER_DATABASE_URL"}


@each_service
def test_it_can_change_nothing_of_its_container(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in service, "the image says who it is"
    assert {"mem_limit", "pids_limit"} <= set(service)


@pytest.mark.parametrize("name", LASTING)
def test_it_is_started_again_watched_and_given_time_to_stop(name):
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD", "no shell"
    assert "stop_grace_period" in service
    assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_the_daemon_stops_before_the_code_location_that_it_launches_runs_in():
    assert "code-location" in SERVICES["daemon"]["depends_on"]


def test_only_the_webserver_can_be_reached_from_outside_and_from_this_machine_only():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"webserver": ["127.0.0.1:3000:3000"]}


def test_the_automation_settles_as_under_wxyc_up():
    assert SETTLE.items() <= SERVICES["daemon"]["environment"].items()


def test_webserver_and_daemon_find_the_code_location_where_it_is():
    (server,) = (one["grpc_server"] for one in yaml.safe_load((DEPLOY / "workspace.yaml").read_text())["load_from"])
    context = parse(SERVICES[server["host"]]["command"])
    assert (server["port"], server["location_name"]) == (context.params["port"], context.params["location_name"])
    for name in ("webserver", "daemon"):
        assert list(parse(SERVICES[name]["command"]).params["workspace"]) == [str(DEPLOY / "workspace.yaml")]


def test_the_folders_of_the_volumes_are_those_that_the_programs_use():
    instance = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
    logs = instance["compute_logs"]["config"]["base_dir"]
    given, _ = example()
    volumes = {
        name: [one["target"] if isinstance(one, dict) else one.split(":", 1)[1] for one in service.get("volumes", [])]
        for name, service in SERVICES.items()
    }
    assert volumes == {
        "migrate": [],
        "code-location": [logs, str(Path(given["PRICE_FILE"]).parent)],
        "webserver": [f"{logs}:ro"],
        "daemon": [],
    }
    assert logs.startswith(image_environment()["WXYC_HOME"])


def test_every_service_is_the_image_that_is_built_here():
    assert image("ENTRYPOINT") == ['["python", "/opt/wxyc-assets/entrypoint.py"]']
    assert {
        (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).resolve()
        for service in SERVICES.values()
    } == {DEPLOY / "Containerfile"}
