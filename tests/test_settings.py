"""One value from four sources, and what is said of a wrong one."""

from datetime import datetime, timezone
from pathlib import Path

import pytest

from cfmock import CloudFlow
from cfmock.base.errors import SettingsError
from cfmock.settings import GIVEN, SETTINGS, Settings, resolve, unknown_variables


def refusal(flags=(), environ=(), fixture=(), **more):
    with pytest.raises(SettingsError) as caught:
        resolve(dict(flags), dict(environ), dict(fixture), **more)
    return str(caught.value)


def test_nothing_given_means_the_defaults():
    assert resolve({}, {}, {}) == Settings()
    assert (Settings().host, Settings().port, Settings().auth, Settings().max_time_skew) == (
        "127.0.0.1", 8790, "strict", 900.0,
    )  # fmt: skip


def test_a_flag_beats_the_environment_beats_the_fixture_beats_the_default():
    flags, environ, fixture = {"auth": "off"}, {"CFMOCK_AUTH": "strict"}, {"auth": "off"}
    assert resolve(flags, environ, fixture).auth == "off"
    assert resolve({}, environ, fixture).auth == "strict"
    assert resolve({}, {}, fixture).auth == "off"
    assert resolve({}, {}, {}, defaults={"auth": "off"}).auth == "off"
    assert resolve({}, environ, {}, defaults={"auth": "off"}).auth == "strict"


def test_a_flag_of_none_and_an_empty_variable_are_not_given():
    assert resolve({"port": None}, {"CFMOCK_PORT": ""}, {}).port == 8790


def test_false_and_zero_are_given():
    assert resolve({"port": 0, "accept_acs3": False}, {"CFMOCK_PORT": "1"}, {"accept_acs3": True}) == Settings(
        port=0, accept_acs3=False
    )


@pytest.mark.parametrize("token", ["schlüssel", "a b", "a\n", ""])
def test_an_admin_token_is_what_a_header_can_hold_and_is_not_repeated(token):
    found = refusal({"admin_token": token})
    assert found == "--admin-token: a token has ASCII letters, digits and signs, and no blanks"


def test_every_setting_has_a_variable_that_sets_it():
    text = {
        "host": "::1", "port": "1", "auth": "off", "clock": "virtual", "errors": "gateway", "seed": "-7",
        "now": "2024-06-01T00:00:00Z", "region": "cn-beijing", "unmocked_tasks": "fail", "max_time_skew": "1m",
        "accept_acs3": "off", "check_nonce": "yes", "rate_limits": "documented", "journal_size": "5",
        "task_hosts": "a.test, B.test", "journal": "calls.jsonl", "reload": "1", "verbose": "true",
        "log_format": "json", "admin_token": "t", "strict": "on", "max_flows": "3", "max_running_executions": "4",
        "max_starts_per_advance": "9",
        "keep_executions": "5", "keep_bytes": "6KiB",
        "tls": "on", "tls_ca_out": "ca.pem", "tls_cert": "cert.pem", "tls_key": "key.pem",
        "allow_origin": "http://localhost:3000, https://a.test", "variables": "b=2,a=x=y",
        "state": "s.db", "replica_token": "r",
    }  # fmt: skip
    assert resolve({}, {f"CFMOCK_{name.upper()}": value for name, value in text.items()}, {}) == Settings(
        host="::1", port=1, auth="off", clock="virtual", errors="gateway", seed=-7, now=1717200000.0,
        region="cn-beijing", unmocked_tasks="fail", max_time_skew=60.0, accept_acs3=False, check_nonce=True,
        rate_limits="documented", journal_size=5, task_hosts=("a.test", "b.test"), journal="calls.jsonl", reload=True,
        verbose=True, log_format="json", admin_token="t", strict=True, max_flows=3, max_running_executions=4,
        max_starts_per_advance=9,
        keep_executions=5, keep_bytes=6144,
        tls=True, tls_ca_out="ca.pem", tls_cert="cert.pem", tls_key="key.pem",
        allow_origin=("http://localhost:3000", "https://a.test"), variables=(("a", "x=y"), ("b", "2")), state="s.db",
        replica_token="r",
    )  # fmt: skip
    assert set(text) == set(SETTINGS)


def test_python_values_do_as_well_as_text():
    moment = datetime(2024, 6, 1, tzinfo=timezone.utc)
    got = resolve({"now": moment, "journal": Path("x"), "task_hosts": ["a"], "max_time_skew": 60, "seed": 7}, {}, {})
    assert got == Settings(now=moment.timestamp(), journal="x", task_hosts=("a",), max_time_skew=60.0, seed=7)
    assert resolve({"now": 12}, {}, {}).now == 12.0


@pytest.mark.parametrize(
    ("text", "size"),
    [("128MiB", 134_217_728), ("1GiB", 2**30), ("5KiB", 5120), ("7B", 7), ("7", 7), (7, 7), (" 1KiB ", 1024)],
)
def test_a_size_has_a_unit_or_is_a_number_of_bytes(text, size):
    assert resolve({"keep_bytes": text}, {}, {}).keep_bytes == size


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("port", "http", "'http' is not a whole number from 0 to 65535"),
        ("port", 65536, "65536 is not a whole number from 0 to 65535"),
        ("port", True, "True is not a whole number"),
        ("port", "９", "is not a whole number"),
        ("journal_size", -1, "-1 is not a whole number from 0"),
        ("seed", "x", "'x' is not a whole number"),
        ("keep_executions", 0, "0 is not a whole number from 1 to"),
        ("keep_bytes", "128 MB", "'128 MB' is not a size such as 128MiB, or a number of bytes"),
        ("keep_bytes", "0MiB", "is not a size"),
        ("keep_bytes", -1, "-1 is not a size"),
        ("keep_bytes", 1.5, "1.5 is not a size"),
        ("keep_bytes", True, "True is not a size"),
        ("auth", "stric", "'stric' is not one of strict, off (did you mean 'strict'?)"),
        ("auth", True, "True is not one of strict, off"),
        ("clock", ["real"], "is not one of real, virtual"),
        ("check_nonce", "maybe", "'maybe' is not one of true, false"),
        ("max_time_skew", "-1s", "is negative"),
        ("now", "yesterday", "'yesterday' is not a time"),
        ("now", datetime(2024, 6, 1), "is not a time"),
        ("host", " ", "' ' is not a text"),
        ("journal", 3, "3 is not a text"),
        ("task_hosts", "a b", "'a b' is not a host name"),
        ("task_hosts", {"a": 1}, "is not a list of host names"),
        ("task_hosts", 3, "is not a list of host names"),
        ("task_hosts", [3], "3 is not a host name"),
        ("allow_origin", "*", "'*' is not an origin such as http://localhost:3000"),
        ("allow_origin", ["null"], "'null' is not an origin"),
        ("allow_origin", "http://a.test/page", "is not an origin"),
        ("allow_origin", 3, "3 is not a list of origins"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_words(name, value, says):
    assert says in refusal({name: value}, keywords=True)


def test_a_variable_that_nothing_reads_is_named():
    with CloudFlow() as cf:
        given = cf.environ
    assert {name for name in given if name.startswith("CFMOCK_")} <= set(GIVEN)
    environ = {**given, "CFMOCK_PORT": "1", "CFMOCK_PROT": "1", "CFMOCK_QUUX": "", "PATH": ""}
    assert unknown_variables(environ) == [
        "CFMOCK_PROT: there is no such variable (did you mean 'CFMOCK_PORT'?)",
        "CFMOCK_QUUX: there is no such variable",
    ]


def test_a_mistake_is_told_by_the_name_under_which_it_was_made():
    assert refusal({"log_format": "xml"}).startswith("--log-format: ")
    assert refusal({"log_format": "xml"}, keywords=True).startswith("log_format: ")
    assert refusal(environ={"CFMOCK_LOG_FORMAT": "xml"}).startswith("CFMOCK_LOG_FORMAT: ")
    assert refusal(fixture={"auth": "xml"}).startswith("settings.auth: ")
    assert refusal({"unmocked_tasks": "x"}).startswith("unmocked_tasks: ")


def test_all_mistakes_are_told_at_once_with_the_likely_word():
    lines = refusal({"prot": 1, "port": "x"}, {"CFMOCK_AUTH": "of"}, keywords=True).splitlines()
    assert lines == [
        "prot: unknown setting (did you mean 'port'?)",
        "port: 'x' is not a whole number from 0 to 65535",
        "CFMOCK_AUTH: 'of' is not one of strict, off (did you mean 'off'?)",
    ]


def test_every_default_reads_back_as_itself():
    for row in SETTINGS.values():
        assert row.default is None or row.read(row.default) == row.default, row.name


def test_settings_are_a_value():
    with pytest.raises(AttributeError):
        Settings().port = 1
    assert hash(Settings()) == hash(Settings())
