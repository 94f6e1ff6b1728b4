"""The frame around the commands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import cfmock.cli.main as frame
from cfmock import __version__
from cfmock.base.errors import SettingsError, SourceError
from cfmock.base.problems import Problem
from cfmock.base.source_marks import Mark
from cfmock.cli.main import COMMANDS
from tests.support.processes import environment


def test_the_version_is_the_package_s(cfmock):
    assert cfmock("--version").out == f"cfmock {__version__}\n"


def test_the_help_lists_every_command(cfmock):
    ran = cfmock("--help")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.partition("Commands:\n")[2].splitlines()] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(cfmock, name):
    ran = cfmock(name, "--help")
    assert ran.code == 0
    assert ran.out.partition("Example:")[2].split()[:2] == ["cfmock", name]


def test_an_unknown_command_is_refused_with_the_likely_one(cfmock):
    ran = cfmock("eror")
    assert (ran.code, ran.out) == (2, "")
    assert "no command 'eror' (did you mean 'errors'?)" in ran.err


def test_an_unknown_option_is_refused_with_the_likely_one(cfmock):
    ran = cfmock("errors", "--jsn")
    assert (ran.code, ran.out) == (2, "")
    assert "--jsn" in ran.err
    assert "--json" in ran.err


@pytest.fixture
def failing(monkeypatch):
    def make(error):
        @click.command
        def command():
            raise error

        monkeypatch.setattr(frame.LazyGroup, "get_command", lambda *_: command)

    return make


def test_mistakes_in_files_and_settings_are_messages_of_their_own(cfmock, failing):
    failing(SourceError([Problem.at(Mark("a.yaml", 2, 3), "no", path=["x"]), Problem.at(Mark("a.yaml", 1, 1), "well")]))
    assert cfmock("errors") == type(cfmock("errors"))(2, "", "a.yaml:1:1: well\na.yaml:2:3: x: no\n")
    failing(SettingsError("--port: no"))
    assert cfmock("errors").err == "--port: no\n"


def test_an_interrupt_ends_with_130(cfmock, failing):
    failing(KeyboardInterrupt())
    assert cfmock("errors").code == 130


def test_a_name_that_is_no_text_is_printed_all_the_same(cfmock, tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/no\xfftext.yaml")
    Path(path).write_text("cfmock: 2\n")
    ran = cfmock("check", path, "--format", "json")
    assert ran.code == 2
    assert json.loads(ran.out)["findings"][0]["file"] == path


def test_our_own_bugs_are_not_dressed_up(cfmock, failing):
    failing(ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError):
        cfmock("errors")


def test_the_module_runs_and_a_reader_who_leaves_early_sees_no_traceback():
    code = (
        "import sys, os; from cfmock.__main__ import main\n"
        "r, w = os.pipe(); os.close(r); os.dup2(w, 1)\n"
        "c = main(['errors', '--json']); sys.exit(c)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this machine")
@pytest.mark.parametrize("words", [["errors", "--json"], ["--version"]])
def test_a_full_disk_behind_stdout_is_one_line(words):
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "cfmock", *words], stdout=full, stderr=subprocess.PIPE, text=True,
            env=environment(), check=False,
        )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (2, "cannot write to stdout: No space left on device\n")


def test_in_a_folder_that_is_gone_whole_paths_work_and_others_are_a_line(tmp_path):
    fixture = tmp_path / "f.yaml"
    fixture.write_text("cfmock: 1\nflows: [{name: f}]\n")

    def check(path):
        gone = tmp_path / "gone"
        gone.mkdir()
        return subprocess.run(
            ["sh", "-c", f'rmdir "{gone}"; exec "{sys.executable}" -m cfmock check "{path}"'],
            cwd=gone, env=environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip

    ran = check(fixture)
    assert (ran.returncode, ran.stdout) == (0, "ok: 1 flow\n")
    ran = check("f.yaml")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "the working folder was removed or renamed: cd to one that exists\n"


def test_the_help_needs_neither_server_nor_tables():
    code = (
        "import sys; from cfmock.__main__ import main; main(['--help'])\n"
        "print(sorted(m for m in ('aiohttp', 'rich', 'yaml') if m in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout.splitlines()[-1] == "[]", ran.stderr


def test_a_server_that_is_asked_nothing_loads_neither_control_nor_languages_nor_yaml():
    code = (
        "import sys; from cfmock.cli import server_setup; started = server_setup.prepare([], {}); started.tell_unused()\n"
        "loaded = [m for m in sys.modules if m.startswith(('yaml', 'cronsim', 'difflib', 're2', 'dataclasses',"
        " 'cfmock.control', 'cfmock.graph', 'cfmock.lint', 'cfmock.tools', 'cfmock.fixtures.outer.t',"
        " 'cfmock.engine.languages.legacy', 'cfmock.engine.languages.statem',"
        " 'cfmock.server.admin.http', 'cfmock.observe.models'))]\n"
        "print(sorted(loaded)); print(started.control, started.control.health()['status'])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    loaded, control = ran.stdout.splitlines()
    assert loaded == "[]", ran.stderr
    assert control.endswith("ok")


def test_closed_streams_are_no_mishap():
    shell = f'exec "{sys.executable}" -m cfmock run -- "{sys.executable}" -c "import sys; sys.exit(3)" <&- >&- 2>&-'
    ran = subprocess.run(["sh", "-c", shell], env=environment(), check=False)
    assert ran.returncode == 3
    assert (
        subprocess.run(
            ["sh", "-c", f'"{sys.executable}" -m cfmock errors >&-'], env=environment(), check=False
        ).returncode
        == 0
    )


def test_a_misspelt_variable_is_named_by_every_command_without_a_log(cfmock, monkeypatch):
    monkeypatch.setenv("CFMOCK_URL", "http://127.0.0.1:9")
    assert cfmock("errors", "--json").err == ""
    monkeypatch.setenv("CFMOCK_PROT", "1")
    monkeypatch.setenv("CFMOCK_UQUX", "1")
    lines = [
        "cfmock: CFMOCK_PROT: there is no such variable (did you mean 'CFMOCK_PORT'?)",
        "cfmock: CFMOCK_UQUX: there is no such variable",
    ]
    for command in COMMANDS.keys() - {"serve", "run", "contract"}:
        assert cfmock(command).err.splitlines()[:2] == lines
