"""deploy/compose.yaml is consistent: its commands and settings exist, and each service gets only what it needs."""

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

from resources.secrets import secret_texts
from tests.documents import SETTINGS
from tests.services.deployment import DEPLOY, compose, image, image_environment
from wxyc_assets.cli.program import cli
from wxyc_assets.cli.services.service import TICK_SETTLE

PROGRAMS = {
    "dagster": create_dagster_cli(),
    "dagster-daemon": create_dagster_daemon_cli(),
    "dagster-webserver": create_dagster_webserver_cli(),
    "wxyc": cli,
}
DAGSTER_VARIABLES = {AUTOMATION_TICK_SETTLE_SECONDS_ENV_VAR, "DAGSTER_DAEMON_HEARTBEAT_TOLERANCE"}
FOLDER = image_environment()["DAGSTER_HOME"]
SERVICES = compose()["services"]
PERMANENT = sorted(set(SERVICES) - {"migrate"})

each_service = pytest.mark.parametrize("name", sorted(SERVICES))


def parse(words):
    """Parse a command line as its program would, without running it."""
    command, rest = PROGRAMS[words[0]], words[1:]
    while isinstance(command, click.Group):
        command, rest = command.get_command(click.Context(command), rest[0]), rest[1:]
        assert command, words
    return command.make_context(words[0], [word.replace(FOLDER, str(DEPLOY)) for word in rest])


def example():
    """The settings of .env.example: the active ones and the commented ones."""
    lines = (DEPLOY / ".env.example").read_text().splitlines()
    return (dict(line.split("=", 1) for line in lines if re.match(rf"{mark}[A-Z_]+=", line)) for mark in ("", "#"))


@each_service
def test_the_program_parses_its_command(name):
    assert parse(SERVICES[name]["command"])
    check = SERVICES[name].get("healthcheck", {}).get("test", ["CMD"])[1:]
    own = [word for word in check if word not in {"python", "/opt/wxyc-assets/entrypoint.py"}]
    assert not own or own[0] == "-c" or parse(own)


def test_the_parser_refuses_an_unknown_option():
    with pytest.raises(click.UsageError):
        parse(["dagster-daemon", "run", "--werkspace", "x"])


def test_the_example_has_every_setting_with_its_default():
    given, commented = example()
    assert not given.keys() & commented.keys()
    not_for_services = {*image_environment(), "LOCAL_DEV"} & SETTINGS
    assert given.keys() | {name.lstrip("#") for name in commented} | not_for_services == SETTINGS
    readme = (DEPLOY.parent / "README.md").read_text()
    for name, default in commented.items():
        (shown,) = re.findall(rf"^\| `{name.lstrip('#')}` \| (.+?) \|", readme, re.MULTILINE)
        assert f"`{default}`" == shown or (not default and shown == "off"), name


def test_the_example_has_no_secret():
    given, _ = example()
    assert secret_texts(given) == []
    assert [line for line in (DEPLOY / ".env.example").read_text().splitlines() if re.match(r"[^#].*://", line)] == []


@each_service
def test_every_variable_is_a_setting_or_dagsters(name):
    given = SERVICES[name]["environment"]
    assert set(given) <= SETTINGS | DAGSTER_VARIABLES
    references = {word for value in given.values() for word in re.findall(r"\$\{([A-Z_]+)", str(value))}
    assert references <= SETTINGS


def test_only_code_location_and_migrate_get_station_secrets():
    assert {name for name, service in SERVICES.items() if "env_file" in service} == {"code-location", "migrate"}
    for name, more in (("webserver", {"WXYC_UI_URL", "WXYC_UI_HOSTS"}), ("daemon", set())):
        assert set(SERVICES[name]["environment"]) - DAGSTER_VARIABLES == {"DAGSTER_DATABASE_URL"} | more


@each_service
def test_a_container_is_read_only_and_unprivileged(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in service, "the image sets the user"
    assert {"mem_limit", "pids_limit"} <= set(service)


@pytest.mark.parametrize("name", PERMANENT)
def test_a_service_has_restart_health_check_and_grace_period(name):
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD", "the image may have no shell"
    assert "stop_grace_period" in service
    assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_the_daemon_stops_before_the_code_location():
    assert "code-location" in SERVICES["daemon"]["depends_on"]


def test_only_the_webserver_has_a_port_and_only_on_loopback():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"webserver": ["127.0.0.1:3000:3000"]}


def test_the_automation_settles_as_under_wxyc_up():
    assert TICK_SETTLE.items() <= SERVICES["daemon"]["environment"].items()


def test_webserver_and_daemon_find_the_code_location():
    (server,) = (one["grpc_server"] for one in yaml.safe_load((DEPLOY / "workspace.yaml").read_text())["load_from"])
    context = parse(SERVICES[server["host"]]["command"])
    assert (server["port"], server["location_name"]) == (context.params["port"], context.params["location_name"])
    for name in ("webserver", "daemon"):
        assert list(parse(SERVICES[name]["command"]).params["workspace"]) == [str(DEPLOY / "workspace.yaml")]


def test_the_volumes_are_the_folders_that_the_programs_use():
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


def test_every_service_uses_the_image_of_the_containerfile():
    assert image("ENTRYPOINT") == ['["python", "/opt/wxyc-assets/entrypoint.py"]']
    assert {
        (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).resolve()
        for service in SERVICES.values()
    } == {DEPLOY / "Containerfile"}
