"""Tables for people: drawn to fit a terminal, one plain line a row where a program reads them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, OverflowMethod

Row = Sequence[str]


def print_table(
    columns: Row,
    rows: Sequence[Row],
    style: Callable[[Row], str] = lambda row: "",
    *,
    whole: int = 0,
    cut: bool = False,
) -> None:
    """Rows under their headings on stdout. Text is text: what looks like markup is printed as it is.

    `style` says how a row looks on a terminal (`red`), nothing for as usual. There the first `whole` columns are never broken; if
    the others then had too little room to be read, they stand below, each in lines of its own. With `cut`, each of these has a
    single line, which ends in `…` where there is more.
    """
    if not sys.stdout.isatty():
        print("\n".join(table_lines(columns, rows)))
        return
    from rich.console import Console

    console = Console(file=sys.stdout, highlight=False)
    look: OverflowMethod = "ellipsis" if cut else "fold"
    if whole and console.width - _taken(columns, rows, whole) < (len(columns) - whole) * (_READABLE + _BETWEEN):
        _draw_stacked(console, columns, rows, style, whole, look)
    else:
        _draw(console, columns, rows, style, whole, look)


def table_lines(columns: Row, rows: Sequence[Row]) -> list[str]:
    """Write a table without a terminal: a plain line for each row."""
    lines = [columns, *rows]
    widths = [max(_width(line[index]) for line in lines) for index in range(len(columns))]
    return [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _width(text: str) -> int:
    """Return the columns that a text takes on a terminal: Chinese characters take two each."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


_READABLE = 20  # width that a column has at the least where it stands beside the others
_BETWEEN = 3  # spaces between two columns on a terminal


def _taken(columns: Row, rows: Sequence[Row], whole: int) -> int:
    """Return the width of the first columns, with the space behind each."""
    return sum(max(_width(line[index]) for line in [columns, *rows]) + _BETWEEN for index in range(whole))


def _draw(
    console: Console, columns: Row, rows: Sequence[Row], style: Callable[[Row], str], whole: int, look: OverflowMethod
) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns[:whole]:
        table.add_column(column, no_wrap=True)
    last = console.width - _taken(columns, rows, whole) - 2 if whole == len(columns) - 1 else None
    for column in columns[whole:]:
        table.add_column(column, overflow=look, no_wrap=look == "ellipsis", max_width=last)
    for row in rows:
        table.add_row(*map(Text, row), style=style(row))
    console.print(table)


def _draw_stacked(
    console: Console, columns: Row, rows: Sequence[Row], style: Callable[[Row], str], whole: int, look: OverflowMethod
) -> None:
    from rich.padding import Padding
    from rich.text import Text

    lines = table_lines(columns[:whole], [row[:whole] for row in rows])
    looks = ["bold", *map(style, rows)]
    for line, row, colour in zip(lines, [columns, *rows], looks, strict=True):
        console.print(Text(line, style=colour, overflow="fold"))
        for cell in filter(None, row[whole:]):
            text = Text(cell, style=colour, overflow=look, no_wrap=look == "ellipsis")
            console.print(Padding(text, (0, 0, 0, 2), expand=False))
