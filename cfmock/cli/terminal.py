"""Tables for people: drawn to fit a terminal, one plain line a row where a program reads them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

Row = Sequence[str]


def print_table(columns: Row, rows: Sequence[Row], style: Callable[[Row], str] = lambda row: "") -> None:
    """Rows under their headings on stdout. Text is text: what looks like markup is printed as it is.

    `style` says how a row looks on a terminal (`red`), nothing for as usual.
    """
    if sys.stdout.isatty():
        _draw(columns, rows, style)
    else:
        print("\n".join(table_lines(columns, rows)))


def table_lines(columns: Row, rows: Sequence[Row]) -> list[str]:
    """The same without a terminal: a plain line for each row."""
    lines = [columns, *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _draw(columns: Row, rows: Sequence[Row], style: Callable[[Row], str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row), style=style(row))
    Console(file=sys.stdout, highlight=False).print(table)
