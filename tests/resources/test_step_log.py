"""Log lines are as the runbook's grep and jq programs read them, and no failure to write one stops the run."""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
from decimal import Decimal

import pytest
import structlog

from resources.step_log import StepLog, step_log

AMPLE_S = 240.0
"""Time for anything that is expected to happen, however busy the machine is."""

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
    return subprocess.run([sys.executable, "-c", code], check=False, timeout=AMPLE_S, **options)


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


def test_levels_are_those_of_the_contract():
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

    shown: list[object] = []
    line = only_line(write, secrets=["s3cr3t-key"], show=shown.append)
    for text in (line, str(shown)):
        assert "s3cr3t-key" not in text
        assert "postgresql://u:[redacted]@h/d" in text


def test_a_structlog_configuration_elsewhere_changes_nothing():
    assert not structlog.is_configured()
    structlog.configure(processors=[lambda *_: "other"], wrapper_class=structlog.stdlib.BoundLogger)
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


def test_lines_of_processes_and_threads_in_one_file_stay_whole(tmp_path):
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
        assert [program.wait(AMPLE_S) for program in programs] == [0, 0]
    parsed = [json.loads(line) for line in (tmp_path / "log").read_bytes().splitlines()]
    assert len(parsed) == 2 * 4 * 50
    assert all(line["padding"] == line["name"] * 20_000 for line in parsed)


def test_lines_of_threads_in_one_stream_of_text_stay_whole():
    class Slow(io.StringIO):
        def write(self, text):
            for sign in text:  # a stream that lets other threads run between two characters
                super().write(sign)
                time.sleep(0)
            return len(text)

    stream = Slow()
    logs = [step_log(tool="job", run_id=str(index), stream=stream) for index in range(4)]

    def write(log: StepLog) -> None:
        for _ in range(50):
            log.info("x")

    threads = [threading.Thread(target=write, args=(log,)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([json.loads(line) for line in stream.getvalue().splitlines()]) == 200


def test_a_reader_that_went_away_leaves_the_exit_code_0():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = program("log.info('x')\nlog.info('y')\nprint('done')", stderr=writer, stdout=subprocess.PIPE)
    finally:
        os.close(writer)
    assert (done.returncode, done.stdout) == (0, b"done\n")


def test_a_full_disk_leaves_the_exit_code_0():
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = program("log.info('x')", stderr=full)
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


@pytest.mark.parametrize("error", [OSError, ValueError])
def test_a_terminal_that_is_gone_does_not_stop_the_run(error):
    def show(_line):
        raise error("the terminal is gone")

    assert '"step":"x"' in only_line(lambda log: log.info("x"), show=show)
