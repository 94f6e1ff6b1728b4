"""Tables on a terminal and in a pipe."""

import re
import sys

import pytest

from cfmock.cli.terminal import print_table


class Terminal:
    """Stands for one of some width; `lines` are those that were drawn, without colours and blanks at their ends."""

    def __init__(self, capsys, monkeypatch) -> None:
        self._capsys, self._patch = capsys, monkeypatch

    def resize(self, width: int) -> None:
        self._patch.setattr(sys.stdout, "isatty", lambda: True)
        self._patch.setenv("TERM", "xterm")
        self._patch.setenv("COLUMNS", str(width))

    def lines(self) -> list[str]:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", self._capsys.readouterr().out)
        return [line.rstrip() for line in plain.splitlines()]


@pytest.fixture
def terminal(capsys, monkeypatch) -> Terminal:
    return Terminal(capsys, monkeypatch)


def test_in_a_pipe_a_row_is_a_line_however_long(capsys):
    print_table(("A", "B"), [("x", "y" * 300), ("long", "z")])
    assert capsys.readouterr().out == f"A     B\nx     {'y' * 300}\nlong  z\n"


def test_columns_line_up_beside_chinese_names(capsys):
    print_table(("FLOW", "TEST", "ENDS"), [("订单", "付款成功", "Succeeded"), ("order", "paid", "Failed")])
    assert capsys.readouterr().out.splitlines() == [
        "FLOW   TEST      ENDS",
        "订单   付款成功  Succeeded",
        "order  paid      Failed",
    ]


def test_a_chinese_name_leaves_the_others_less_room(terminal):
    terminal.resize(60)
    print_table(("A", "SAID"), [("订" * 20, "z" * 60)], whole=1)
    lines = terminal.lines()
    assert lines[0] == "A"
    assert lines[2] == "订" * 20


def test_on_a_terminal_rows_fit_it_and_brackets_stay(terminal):
    terminal.resize(40)
    print_table(("A", "B"), [("[red]x", "y" * 100)])
    lines = terminal.lines()
    assert max(map(len, lines)) <= 40
    assert any("[red]x" in line for line in lines)


ROWS = [("a name of twenty-four c.", "12", "y" * 60), ("another", "3", "")]


def test_whole_columns_are_not_broken_and_the_last_has_the_room_that_is_left(terminal):
    terminal.resize(60)
    print_table(("A", "B", "SAID"), ROWS, whole=2, cut=True)
    lines = terminal.lines()
    assert lines[1:] == [
        " A                          B    SAID",
        f" {'─' * 58}",
        f" a name of twenty-four c.   12   {'y' * 25}…",
        " another                    3",
        "",
    ]


def test_where_there_is_no_room_the_other_columns_stand_below(terminal):
    terminal.resize(40)
    print_table(("A", "B", "HOW"), [("a name of twenty-four c.", "12", "y " * 30)], whole=1)
    assert terminal.lines() == [
        "A",
        "  B",
        "  HOW",
        "a name of twenty-four c.",
        "  12",
        f"  {'y ' * 18}y",
        f"  {'y ' * 10}y",
    ]


def test_where_there_is_no_room_a_column_that_is_cut_stands_below_in_a_line(terminal):
    terminal.resize(40)
    print_table(("A", "B", "SAID"), ROWS, whole=2, cut=True)
    assert terminal.lines() == [
        "A                         B",
        "  SAID",
        "a name of twenty-four c.  12",
        f"  {'y' * 37}…",
        "another                   3",
    ]


def test_where_there_is_plenty_of_room_all_is_shown(terminal):
    terminal.resize(120)
    print_table(("A", "B", "SAID"), ROWS, whole=2, cut=True)
    assert any(line.endswith(" " + "y" * 60) for line in terminal.lines())
