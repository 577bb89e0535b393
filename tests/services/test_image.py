"""deploy/Containerfile and its lock: what is in the image, who it runs as, and what never gets into it."""

import fnmatch
import re
import tomllib

import pytest

from tests.services.topology import DEPLOY, ROOT, image, image_environment, stages

FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix not in {".lock", ".pyc"})
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==([^ ;]+)(.*)$", re.MULTILINE)

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def pins(path):
    """What a lock pins: each name and version, with its hashes."""
    found = PIN.findall(re.sub(r"\\\n *", " ", path.read_text()))
    return {(name, version): frozenset(re.findall(r"sha256:[0-9a-f]{64}", rest)) for name, version, rest in found}


def names(requirements):
    """The packages that requirements ask for, by their canonical names."""
    return {re.match(r"[A-Za-z0-9_.-]+", one)[0].lower().replace("_", "-") for one in requirements}


def copied():
    """What stages copy out of the repository."""
    for stage in stages():
        for one in stage:
            if one.name == "COPY" and "--from" not in one.rest:
                yield from one.rest.split()[:-1]


def test_it_runs_as_a_number_that_is_not_root():
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", image("USER")[-1])


def test_the_last_stage_runs_nothing_so_that_it_holds_what_was_copied_only():
    assert not {one.name for one in stages()[-1]} - {"FROM", "ENV", "COPY", "WORKDIR", "USER", "ENTRYPOINT", "CMD"}
    assert len(stages()) == 3


def test_everything_that_is_copied_exists_and_reaches_the_builder():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*", "everything stays out that is not let in"
    let_in = [line[1:] for line in lines if line.startswith("!")]
    wanted = list(copied())
    assert wanted
    for source in wanted:
        assert (ROOT / source.removeprefix("./")).exists(), source
    assert sorted(set(let_in)) == sorted(set(wanted))
    assert not any(fnmatch.fnmatch(name, pattern) for name in (".env", "deploy/.env", ".git") for pattern in let_in)


def test_packages_come_by_their_hashes_or_from_the_wheel_that_was_built():
    runs = [one.rest for stage in stages() for one in stage if one.name == "RUN"]
    installs = [command for run in runs for command in re.findall(r"pip (?:install|wheel)[^&]*", run)]
    assert len(installs) == 4
    assert all("--require-hashes" in one or "--no-deps" in one for one in installs)


def test_the_images_lock_is_the_development_lock_where_both_have_a_package():
    mine, development = pins(DEPLOY / "requirements.lock"), pins(ROOT / "requirements.lock")
    shared = {name for name, _ in mine} & {name for name, _ in development}
    assert len(shared) > 50
    assert {key: value for key, value in mine.items() if key[0] in shared}.items() <= development.items()
    assert all(mine.values())


def test_the_images_lock_has_all_that_the_program_needs_and_nothing_that_only_tests():
    locked = {name for name, _ in pins(DEPLOY / "requirements.lock")}
    needed = names(PROJECT["project"]["dependencies"])
    extra = names(re.findall(r"^[a-z].*", (DEPLOY / "requirements.in").read_text(), re.MULTILINE))
    assert needed | extra <= locked
    assert not (names(PROJECT["dependency-groups"]["dev"]) - needed - extra) & locked


def test_the_images_dagster_is_the_charts():
    versions = dict(pins(DEPLOY / "requirements.lock").keys())
    (chart,) = re.findall(r"dagster/dagster (\d[\d.]+\d)", (DEPLOY / "helm" / "values.yaml").read_text())
    assert versions["dagster"] == chart


@each_file
def test_no_file_names_a_registry_a_machine_or_a_secret(path):
    text = path.read_text()
    assert not re.search(
        r"\b(?:docker\.io|ghcr\.io|quay\.io|gcr\.io|[\w.-]+\.amazonaws\.com|pypi\.org|index-url)\b", text
    )
    assert not re.search(r"/(?:home|root|work|Users)/", text)
    assert not re.search(r"(?i)(?:password|secret|token|api_key)['\"]?\s*[:=]\s*['\"]?[A-Za-z0-9+/]{8,}\b(?!-)", text)
    assert not re.search(r"://[^/\s:@]+:(?!PASSWORD@)[^/\s@{}$]+@", text)


def test_the_image_holds_no_setting_but_its_own_folders():
    assert {name for name in image_environment() if name.startswith(("WXYC", "DAGSTER", "LML", "SENTRY", "PRICE"))} == {
        "WXYC_HOME",
        "DAGSTER_HOME",
        "DAGSTER_DISABLE_TELEMETRY",
    }
