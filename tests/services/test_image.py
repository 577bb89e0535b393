"""deploy/Containerfile and its lock: the content of the image, its user, and what it must not contain."""

import fnmatch
import re
import tomllib

import pytest

from tests.services.deployment import DEPLOY, ROOT, image, image_environment, stages

FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix not in {".lock", ".pyc"})
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==([^ ;]+)(.*)$", re.MULTILINE)

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def pins(path):
    """The pins of a lock: each name and version, with its hashes."""
    found = PIN.findall(re.sub(r"\\\n *", " ", path.read_text()))
    return {(name, version): frozenset(re.findall(r"sha256:[0-9a-f]{64}", rest)) for name, version, rest in found}


def names(requirements):
    """The canonical names of the packages in requirements."""
    return {re.split(r"[^A-Za-z0-9_.-]", one)[0].lower().replace("_", "-") for one in requirements}


def copied():
    """The sources that stages copy from the repository."""
    for stage in stages():
        for one in stage:
            if one.name == "COPY" and "--from" not in one.rest:
                yield from one.rest.split()[:-1]


def test_the_user_is_a_number_and_not_root():
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", image("USER")[-1])


def test_the_last_stage_only_copies():
    assert not {one.name for one in stages()[-1]} - {"FROM", "ENV", "COPY", "WORKDIR", "USER", "ENTRYPOINT", "CMD"}
    assert len(stages()) == 3


def test_the_builder_gets_every_copied_path_and_no_other():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*", "the first pattern excludes everything"
    included = [line[1:] for line in lines if line.startswith("!")]
    sources = list(copied())
    assert sources
    for source in sources:
        assert (ROOT / source.removeprefix("./")).exists(), source
    assert sorted(set(included)) == sorted(set(sources))
    assert not any(fnmatch.fnmatch(name, pattern) for name in (".env", "deploy/.env", ".git") for pattern in included)


def test_packages_have_hashes_or_come_from_the_built_wheel():
    runs = [one.rest for stage in stages() for one in stage if one.name == "RUN"]
    installs = [command for run in runs for command in re.findall(r"pip (?:install|wheel)[^&]*", run)]
    assert len(installs) == 4
    assert all("--require-hashes" in one or "--no-deps" in one for one in installs)


def test_both_locks_pin_shared_packages_equally():
    image_pins, development = pins(DEPLOY / "requirements.lock"), pins(ROOT / "requirements.lock")
    shared = {name for name, _ in image_pins} & {name for name, _ in development}
    assert len(shared) > 50
    assert {key: value for key, value in image_pins.items() if key[0] in shared}.items() <= development.items()
    assert all(image_pins.values())


def test_the_images_lock_has_no_test_dependencies():
    locked = {name for name, _ in pins(DEPLOY / "requirements.lock")}
    needed = names(PROJECT["project"]["dependencies"])
    extra = names(re.findall(r"^[a-z].*", (DEPLOY / "requirements.in").read_text(), re.MULTILINE))
    assert needed | extra <= locked
    assert not (names(PROJECT["dependency-groups"]["dev"]) - needed - extra) & locked


def test_image_and_chart_have_the_same_dagster_version():
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


def test_the_image_sets_only_its_own_folders():
    assert {name for name in image_environment() if name.startswith(("WXYC", "DAGSTER", "LML", "SENTRY", "PRICE"))} == {
        "WXYC_HOME",
        "DAGSTER_HOME",
        "DAGSTER_DISABLE_TELEMETRY",
    }
