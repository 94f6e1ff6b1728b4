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
    lines = drawn(capsys)
    assert max(map(len, lines)) <= 40
    assert any("[red]x" in line for line in lines)


def test_whole_columns_are_not_broken_and_the_last_is_left_out_where_it_cannot_be_read(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    rows = [("a name of twenty-four c.", "12", "y" * 60)]
    for width, there in ((60, True), (40, False)):
        monkeypatch.setenv("COLUMNS", str(width))
        print_table(("A", "B", "SAID"), rows, whole=2)
        lines = drawn(capsys)
        assert any("a name of twenty-four c.   12" in line for line in lines)
        assert any("SAID" in line for line in lines) is there


def drawn(capsys) -> list[str]:
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
