"""Options made from the table of settings."""

import click
import pytest

from cfmock.cli.options import format_options, settings_options
from cfmock.settings import SETTINGS, resolve


@pytest.fixture
def parse():
    @click.command
    @settings_options(port=0)
    def command(**flags):
        return flags

    return lambda *arguments: command.main(list(arguments), standalone_mode=False)


def test_every_setting_with_an_option_has_one_under_its_name(parse):
    assert set(parse()) == {row.name for row in SETTINGS.values() if row.option}


def test_what_is_not_given_is_none_and_what_is_given_is_read_by_the_settings(parse):
    assert set(parse().values()) == {None}
    assert resolve(parse("--port", "81", "-v", "--auth=off"), {}, {}) == resolve(
        {"port": 81, "verbose": True, "auth": "off"}, {}, {}
    )


def test_an_option_that_may_be_given_again_adds_up(parse):
    assert parse("--allow-origin", "http://a.test", "--allow-origin", "http://b.test")["allow_origin"] == (
        "http://a.test",
        "http://b.test",
    )


def test_the_help_says_variable_and_default(parse, capsys):
    parse("--help")
    text = " ".join(capsys.readouterr().out.split())
    assert "--port N port to listen on; 0: a free one [CFMOCK_PORT; default: 0]" in text
    assert "--auth strict|off whether signatures are checked [CFMOCK_AUTH; default: strict]" in text
    assert "-v, --verbose log a line for each call [CFMOCK_VERBOSE]" in text


def test_replicas_on_a_virtual_clock_are_refused_with_one_line(cfmock):
    done = cfmock("serve", "--state", "postgresql://127.0.0.1:1/x", "--replica-token", "t", "--clock", "virtual")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "--clock virtual: replicas of one database have the real clock" in done.err


@pytest.fixture
def form():
    @click.command
    @format_options(("text", "json", "html"))
    def command(form):
        return form

    return lambda *words: command.main(list(words), standalone_mode=False)


@pytest.mark.parametrize("words", [["--json"], ["--json", "--format", "json"], ["--format=text", "--json"]])
def test_json_is_the_same_as_the_format_json(form, words):
    assert form(*words) == "json"


def test_without_json_the_format_is_that_given_or_the_first(form):
    assert (form(), form("--format", "html")) == ("text", "html")


@pytest.mark.parametrize("words", [["--json", "--format", "html"], ["--format", "html", "--json"]])
def test_json_and_another_format_are_refused(form, words):
    with pytest.raises(click.UsageError, match="--json cannot be used with --format html"):
        form(*words)


@pytest.mark.parametrize("name", ["check", "contract", "replay"])
def test_every_report_that_can_be_json_takes_json(name, cfmock):
    assert "--json" in cfmock(name, "--help").out
