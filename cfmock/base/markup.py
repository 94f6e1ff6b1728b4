"""Text as XML and HTML may hold it, and the frame of our pages: one file each, which loads nothing and runs nothing."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, not even escaped."""


def legal(text: str) -> str:
    """Text with what no document may hold replaced by the sign for that."""
    return _FORBIDDEN.sub("\ufffd", text)


def escaped(text: str) -> str:
    """Text between tags, or in a quoted attribute."""
    return html.escape(legal(text))


def heads(*words: str) -> str:
    """Return the first row of a table. Where the screen is narrow, each cell names its column itself (`cell`)."""
    return f'<tr class="heads">{"".join(f"<th>{word}</th>" for word in words)}</tr>'


def cell(markup: str, of: str = "", classes: str = "") -> str:
    """Return a cell of a table. `of` is the column's head, for screens on which cells stand below one another."""
    given = [f' class="{classes}"'] if classes else []
    given += [f' data-of="{escaped(of)}"'] if of and markup else []
    return f"<td{''.join(given)}>{markup}</td>"


def row(*cells: str, more: str = "") -> str:
    """Return a row of a table; `more` is markup that stands below it, as wide as the table."""
    if not more:
        return f"<tr>{''.join(cells)}</tr>"
    return f'<tr class="begun">{"".join(cells)}</tr>\n<tr class="more"><td colspan="{len(cells)}">{more}</td></tr>'


def alarm(title: str, lines: Iterable[object]) -> Iterator[str]:
    """Yield the part of a page with what is wrong, a line each; nothing without lines."""
    told = "\n".join(map(str, lines))
    if told:
        yield f'<h2 class="bad">{title}</h2>\n<pre>{escaped(told)}</pre>'


def page(title: str, body: Iterable[str], style: str = "") -> str:
    """Return a whole HTML document. `body` is markup, `title` text; `style` is put behind the style of all pages."""
    sheet = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escaped(title)}</title>\n<style>\n{sheet}{style}</style>\n</head>\n<body>",
            *body,
            "</body>\n</html>\n",
        ]
    )
