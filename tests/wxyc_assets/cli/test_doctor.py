"""``wxyc doctor``: one object, a line for each diagnosis, and an exit code. The checks have tests of their own."""


def problems(finished):
    return {finding["name"]: finding for finding in finished.printed["findings"] if not finding["ok"]}


def test_healthy_station_passes(wxyc, at_station):
    finished = wxyc("doctor", **at_station)
    assert finished.exit_code == 0, finished.stdout
    assert finished.printed["ok"] is True
    assert {key for finding in finished.printed["findings"] for key in finding} == {"name", "ok", "says", "advice"}
    lines = [line for line in finished.stderr.splitlines() if not line.startswith("       ")]
    assert lines == [f"ok   {finding['name']}: {finding['says']}" for finding in finished.printed["findings"]]


def test_each_bad_setting_is_a_diagnosis_of_its_own(wxyc, at_station):
    finished = wxyc("doctor", **{**at_station, "STALE_THRESHOLD_DAYS": "soon", "LML_COST_LOOKUP_ITEM": "-1"})
    assert finished.exit_code == 1
    assert {"setting STALE_THRESHOLD_DAYS", "setting LML_COST_LOOKUP_ITEM"} <= problems(finished).keys()
    assert "FAIL setting STALE_THRESHOLD_DAYS: " in finished.stderr
    assert "       correct STALE_THRESHOLD_DAYS; the README lists all settings" in finished.stderr


def test_unreachable_database_does_not_stop_the_check_of_lml(wxyc, at_station):
    finished = wxyc("doctor", **{**at_station, "DATABASE_URL": "postgresql://x:secretpw@127.0.0.1:9/x"})
    assert finished.exit_code == 1
    assert "cannot be reached" in problems(finished)["database"]["says"]
    assert any(finding["name"] == "LML" and finding["ok"] for finding in finished.printed["findings"])
    assert "secretpw" not in finished.stdout + finished.stderr


def test_wrong_key_is_a_problem_and_never_shown(wxyc, at_station):
    finished = wxyc("doctor", **{**at_station, "LML_API_KEY": "wrong-key-marker"})
    assert "LML_API_KEY" in problems(finished)
    assert "wrong-key-marker" not in finished.stdout + finished.stderr


def test_diagnoses_without_settings_say_what_to_start(wxyc, tmp_path):
    found = problems(wxyc("doctor", WXYC_HOME=str(tmp_path)))
    assert "wxyc up" in found["database"]["advice"]
    assert "wxyc up" in found["LML"]["advice"]
