"""Log lines are what the runbook's grep and jq read, and never harm the run."""

import contextlib
import io
import json
import os
import pty
import re
import subprocess
import sys
import threading
import time
from decimal import Decimal

import pytest
import structlog

from resources.step_log import step_log

BASE = ["timestamp", "level", "step", "message", "repo", "tool", "run_id"]


def lines_of(write, **settings):
    stream = io.StringIO()
    write(step_log(tool="job", run_id="r-1", stream=stream, **settings))
    return stream.getvalue().splitlines()


def only_line(write, **settings):
    (line,) = lines_of(write, **settings)
    return line


def program(body, **options):
    code = f"from resources.step_log import step_log\nlog = step_log(tool='job', run_id='r')\n{body}"
    return subprocess.run([sys.executable, "-c", code], check=False, timeout=60, **options)


def test_a_line_is_compact_json_with_the_contracts_keys_in_order():
    line = only_line(
        lambda log: log.info("batch_done", message="one batch", batch_index=1, rows_skipped={"lml_error": 0})
    )
    parsed = json.loads(line)
    assert list(parsed) == [*BASE, "batch_index", "rows_skipped"]
    assert '"step":"batch_done"' in line
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", parsed["timestamp"])
    assert line.endswith(
        '"level":"info","step":"batch_done","message":"one batch","repo":"wxyc_assets","tool":"job","run_id":"r-1",'
        '"batch_index":1,"rows_skipped":{"lml_error":0}}'
    )


def test_levels_read_as_in_the_contract():
    def write(log):
        log.info("a")
        log.warning("b")
        log.error("c")

    assert [json.loads(line)["level"] for line in lines_of(write)] == ["info", "warn", "error"]


def test_a_field_overwrites_a_base_key_in_its_place():
    parsed = json.loads(only_line(lambda log: log.info("x", message="m", step="y", event="e", method="f", self=1)))
    assert list(parsed) == [*BASE, "event", "method", "self"]
    assert (parsed["step"], parsed["message"], parsed["event"], parsed["self"]) == ("y", "m", "e", 1)


def test_any_value_can_be_logged():
    values = {"n": 3, "f": 1.5, "nan": float("nan"), "cost": Decimal("0.10"), "error": ValueError("no"), "big": 2**70}
    parsed = json.loads(only_line(lambda log: log.info("x", **values)))
    assert {key: parsed[key] for key in values} == {
        "n": 3,
        "f": 1.5,
        "nan": None,
        "cost": "0.10",
        "error": "no",
        "big": str(2**70),
    }


def test_secrets_and_url_passwords_appear_nowhere_in_a_line():
    def write(log):
        log.error("s3cr3t-key", "message s3cr3t-key", **{"s3cr3t-key": ["s3cr3t-key"], "dsn": "postgresql://u:pw@h/d"})

    for human in (False, True):
        line = only_line(write, secrets=["s3cr3t-key"], human=human)
        assert "s3cr3t-key" not in line
        assert "postgresql://u:[redacted]@h/d" in line


def test_somebody_elses_structlog_configuration_changes_nothing():
    assert not structlog.is_configured()
    structlog.configure(processors=[lambda *_: "theirs"], wrapper_class=structlog.stdlib.BoundLogger)
    try:
        assert json.loads(only_line(lambda log: log.info("x")))["step"] == "x"
    finally:
        structlog.reset_defaults()
    lines_of(lambda log: log.info("x"))
    assert not structlog.is_configured()


def test_the_default_stream_is_the_stderr_of_the_moment(capsys):
    log = step_log(tool="job", run_id="r")
    replaced = io.StringIO()
    with contextlib.redirect_stderr(replaced):
        log.info("first")
    log.info("second")
    captured = capsys.readouterr()
    assert json.loads(replaced.getvalue())["step"] == "first"
    assert json.loads(captured.err)["step"] == "second"
    assert captured.out == ""


def test_lines_of_threads_and_processes_that_share_a_file_stay_whole(tmp_path):
    body = """
import threading
def write(name):
    for index in range(50):
        log.info("batch_done", name=name, index=index, padding=name * 20_000)
threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    code = f"from resources.step_log import step_log\nlog = step_log(tool='job', run_id='r')\n{body}"
    with (tmp_path / "log").open("ab") as file:
        programs = [subprocess.Popen([sys.executable, "-c", code], stderr=file) for _ in range(2)]
        assert [program.wait(60) for program in programs] == [0, 0]
    parsed = [json.loads(line) for line in (tmp_path / "log").read_bytes().splitlines()]
    assert len(parsed) == 2 * 4 * 50
    assert all(line["padding"] == line["name"] * 20_000 for line in parsed)


def test_threads_that_share_a_stream_without_a_descriptor_do_not_tear_lines():
    class Slow(io.StringIO):
        def write(self, text):
            for sign in text:  # a stream that gives other threads every chance
                super().write(sign)
                time.sleep(0)
            return len(text)

    stream = Slow()
    logs = [step_log(tool="job", run_id=str(index), stream=stream) for index in range(4)]
    threads = [threading.Thread(target=lambda log=log: [log.info("x") for _ in range(50)]) for log in logs]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len([json.loads(line) for line in stream.getvalue().splitlines()]) == 200


def test_a_reader_that_went_away_neither_stops_the_run_nor_changes_its_exit_code():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = program("log.info('x')\nlog.info('y')\nprint('done')", stderr=writer, stdout=subprocess.PIPE)
    finally:
        os.close(writer)
    assert (done.returncode, done.stdout) == (0, b"done\n")


@pytest.mark.parametrize("human", [True, False])
def test_a_full_disk_neither_stops_the_run_nor_changes_its_exit_code(human):
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = program(f"step_log(tool='t', run_id='r', human={human}).info('x')\nlog.info('x')", stderr=full)
    assert done.returncode == 0


def test_a_closed_or_missing_stream_does_not_stop_the_run(monkeypatch):
    closed = io.StringIO()
    closed.close()
    step_log(tool="job", run_id="r", stream=closed).info("x")
    monkeypatch.setattr(sys, "stderr", None)
    step_log(tool="job", run_id="r").info("x")


def test_json_is_utf8_whatever_the_locale():
    done = program("log.info('x', artist='Sigur Rós')", stderr=subprocess.PIPE, env={"PYTHONIOENCODING": "latin-1"})
    assert json.loads(done.stderr.decode("utf-8"))["artist"] == "Sigur Rós"


def test_a_human_line_is_one_readable_line_that_cannot_steer_the_terminal():
    line = only_line(
        lambda log: log.warning(
            "lml_error", message="LML said\nno", size=5, reason="timed out", empty="", evil="\x1b[2J", n=None
        ),
        human=True,
    )
    shown = line.split(" ", 1)[1]
    assert shown == r'warn  lml_error LML said\nno size=5 reason="timed out" empty="" evil=\x1b[2J n=null'


def on_a_terminal():
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as terminal:
        step_log(tool="job", run_id="r", stream=terminal).info("batch_done", scanned=5)
    shown = os.read(master, 4096).decode()
    os.close(master)
    return shown


def test_a_terminal_gets_human_lines_in_colour(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = on_a_terminal()
    assert "\x1b[1mbatch_done" in shown
    assert "scanned=" in shown


def test_a_terminal_with_no_color_gets_human_lines_without(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    shown = on_a_terminal()
    assert "batch_done scanned=5" in shown
    assert "\x1b" not in shown


def test_human_lines_off_a_terminal_have_no_colour():
    assert "\x1b" not in only_line(lambda log: log.error("failed"), human=True)
