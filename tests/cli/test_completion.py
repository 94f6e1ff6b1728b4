"""What shells complete; docs/standalone.md says how they are told of it."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from cfmock.cli.main import COMMANDS
from cfmock.protocol.spec.model import load
from tests.support.processes import ROOT, environment_with_cfmock


@pytest.fixture
def completed(monkeypatch, cfmock, capsys):
    """The words for a line that ends where the cursor is, by the way bash asks."""

    def complete(line):
        monkeypatch.setenv("_CFMOCK_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        with pytest.raises(SystemExit):
            cfmock()
        return [tuple(each.split(",", 1)) for each in capsys.readouterr().out.splitlines()]

    return complete


def words(found):
    assert {kind for kind, _ in found} <= {"plain"}
    return [word for _, word in found]


def test_commands(completed):
    assert words(completed("cfmock ")) == list(COMMANDS)
    assert words(completed("cfmock ser")) == ["serve"]


def test_options(completed):
    assert "--port" in words(completed("cfmock serve --p"))


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("cfmock init --language ", ["go", "java", "node", "python"]),
        ("cfmock serve --auth ", ["strict", "off"]),
        ("cfmock call List", [name for name in load().operations if name.startswith("List")]),
        ("cfmock contract --code re", ["reset"]),
        ("cfmock contract --operation StopE", ["StopExecution"]),
    ],
)
def test_what_a_value_may_be(completed, line, wanted):
    assert words(completed(line)) == wanted


@pytest.mark.parametrize(
    "line",
    ["cfmock serve fix", "cfmock run fix", "cfmock test --junit fix", "cfmock serve --tls-cert fix", "cfmock init fix"],
)
def test_files(completed, line):
    assert completed(line) == [("file", "fix")]


ASKED = {
    "bash": "COMP_WORDS=(cfmock ser) COMP_CWORD=1; _cfmock_completion cfmock ser cfmock; echo ${COMPREPLY[@]}",
    "fish": "complete --do-complete 'cfmock ser'",
    "zsh": "_describe() { echo ${${(P)3}%%:*}; }; words=(cfmock ser) CURRENT=2; _cfmock_completion",
}
"""What each shell does when somebody presses Tab behind `cfmock ser`, without a terminal."""

LOADED = dict(
    re.findall(r"^\| (bash|zsh|fish) \|.*\| `(.*)` \|$", (ROOT / "docs/standalone.md").read_text("utf-8"), re.M)
)
"""The line of each shell, as the page has it."""

BEFORE = {"zsh": "compdef() { }\n"}
"""What a shell without a terminal lacks."""


def test_the_page_has_a_line_for_each_shell():
    assert LOADED.keys() == ASKED.keys()


@pytest.mark.parametrize("shell", ASKED)
def test_a_shell_completes_a_command(shell, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell} on this machine")
    line = LOADED[shell].replace("\\|", "|")  # as it stands in a table
    line = f"{BEFORE.get(shell, '')}{line}\n{ASKED[shell]}"
    ran = subprocess.run(
        [shell, "-c", line], env=environment_with_cfmock(tmp_path), capture_output=True, text=True, check=False
    )
    assert "serve" in ran.stdout.split(), ran


@pytest.mark.parametrize("shell", ASKED)
def test_its_line_says_nothing_where_cfmock_is_not_on_the_path(shell, tmp_path):
    if not (program := shutil.which(shell)):
        pytest.skip(f"there is no {shell} on this machine")
    line = BEFORE.get(shell, "") + LOADED[shell].replace("\\|", "|")
    ran = subprocess.run(
        [program, "-c", line], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.stderr) == ("", "")
