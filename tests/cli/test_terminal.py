"""Tables on a terminal and in a pipe."""

import re
import sys

from cfmock.cli.terminal import print_table


def test_in_a_pipe_a_row_is_a_line_however_long(capsys):
    print_table(("A", "B"), [("x", "y" * 300), ("long", "z")])
    assert capsys.readouterr().out == f"A     B\nx     {'y' * 300}\nlong  z\n"


def test_on_a_terminal_rows_fit_it_and_brackets_stay(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    print_table(("A", "B"), [("[red]x", "y" * 100)])
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= 40
    assert any("[red]x" in line for line in lines)
