"""Tables for people: drawn to fit a terminal, one plain line a row where a program reads them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

Row = Sequence[str]


def print_table(
    columns: Row, rows: Sequence[Row], style: Callable[[Row], str] = lambda row: "", *, whole: int = 0
) -> None:
    """Rows under their headings on stdout. Text is text: what looks like markup is printed as it is.

    `style` says how a row looks on a terminal (`red`), nothing for as usual. So many of the first columns are kept `whole`
    there; where that leaves the last one too narrow to be read, it is left out.
    """
    if sys.stdout.isatty():
        _draw(columns, rows, style, whole)
    else:
        print("\n".join(table_lines(columns, rows)))


def table_lines(columns: Row, rows: Sequence[Row]) -> list[str]:
    """The same without a terminal: a plain line for each row."""
    lines = [columns, *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


_READABLE = 20
"""Characters that the last column of a table with `whole` ones has at the least."""


def _draw(columns: Row, rows: Sequence[Row], style: Callable[[Row], str], whole: int) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    taken = sum(max(len(line[index]) for line in [columns, *rows]) + 2 for index in range(len(columns) - 1))
    shown = len(columns) - (whole > 0 and console.width - taken < _READABLE)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns[:shown]):
        table.add_column(column, overflow="fold", no_wrap=index < whole)
    for row in rows:
        table.add_row(*map(Text, row[:shown]), style=style(row))
    console.print(table)
