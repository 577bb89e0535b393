"""``wxyc sandbox``: the parts of a sample station, one by one."""

import json
import signal
import subprocess
import sys

import httpx

from tests.processes import running


def test_create_makes_the_tables_and_prints_row_counts(wxyc, database):
    empty = wxyc("sandbox", "create", "--empty", DATABASE_URL=database)
    assert empty.exit_code == 0, empty.stderr
    assert empty.printed["rows"]["library"] == 0
    filled = wxyc("sandbox", "create", DATABASE_URL=database)
    assert filled.printed["rows"]["library"] > 300
    again = wxyc("sandbox", "create", DATABASE_URL=database)
    assert again.printed["rows"] == filled.printed["rows"]
    assert again.printed["created"] is False


def test_lml_serves_until_ctrl_c_with_the_options_it_was_given(environ, free_port):
    port = free_port()
    program = [
        sys.executable,
        "-m",
        "wxyc_assets",
        "sandbox",
        "lml",
        "--port",
        str(port),
        "--api-key",
        "a-key",
        "--tracks",
    ]
    with running(program, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = json.loads(process.stdout.readline())
        assert printed == {"LIBRARY_METADATA_URL": f"http://127.0.0.1:{port}", "LML_API_KEY": "a-key"}
        refresh = f"{printed['LIBRARY_METADATA_URL']}/api/v1/cache/refresh-for-identities"
        codes = [
            httpx.post(
                refresh, json={"identity_ids": []}, headers={"Authorization": f"Bearer {key}"}, trust_env=False
            ).status_code
            for key in ("a-key", "another-key")
        ]
        assert (codes[0] != 401, codes[1]) == (True, 401)
        resolve = f"{printed['LIBRARY_METADATA_URL']}/api/v1/identity/bulk-resolve-libraries"
        inputs = [{"library_id": 1, "artist_name": "Stereolab", "album_title": "Dots and Loops"}]
        resolved = httpx.post(
            resolve, json={"inputs": inputs}, headers={"Authorization": "Bearer a-key"}, trust_env=False
        )
        assert resolved.json()["tracks_contract_version"] == 1
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (0, "")
    assert f"the sandbox LML is at http://127.0.0.1:{port}, its key is a-key; Ctrl-C stops it" in stderr


def test_lml_port_in_use_is_an_error_that_names_the_option(wxyc, free_port):
    finished = wxyc("sandbox", "lml", "--port", str(free_port(keep=True)))
    assert finished.exit_code == 1
    assert "choose another with --port" in finished.printed["error"]
