"""Text as XML and HTML may hold it, and the frame of our pages: one file each, in which nothing is loaded from elsewhere and
nothing runs, for light screens and dark ones."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, not even escaped."""

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --faint: #57606a; --page: #fff; --soft: #f6f8fa; --frame: #d0d7de;
  --good: #1a7f37; --bad: #cf222e; --odd: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --faint: #9198a1; --page: #0d1117; --soft: #161b22;
  --frame: #30363d; --good: #3fb950; --bad: #f85149; --odd: #d29922; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", "Noto Sans CJK SC", sans-serif; color: var(--ink);
  background: var(--page); max-width: 70rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th { text-align: left; color: var(--faint); font-weight: 600; }
th, td { padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--frame); vertical-align: top; }
th, .whole { white-space: nowrap; } .more > td { padding-left: 1.5rem; } .begun > td { border-bottom: 0; }
pre { background: var(--soft); border: 1px solid var(--frame); border-radius: 6px; padding: .7rem; margin: 0;
  white-space: pre-wrap; }
pre, code { font-family: ui-monospace, "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace; font-size: .9em; }
a { color: inherit; } .good { color: var(--good); } .bad { color: var(--bad); } .odd { color: var(--odd); }
.faint { color: var(--faint); }
@media (max-width: 45rem) {
  .heads { display: none; } table, tbody, tr, td { display: block; }
  tr { border-bottom: 1px solid var(--frame); padding: .5rem 0; }
  td, .more > td { border: 0; padding: .05rem 0; } .begun { border-bottom: 0; padding-bottom: 0; } td:empty { display: none; }
  .whole { white-space: normal; }
  td[data-of]::before { content: attr(data-of) ": "; color: var(--faint); }
}
"""


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


def page(title: str, body: Iterable[str], style: str = "") -> str:
    """Return a whole HTML document. `body` is markup, `title` text; `style` is put behind the style of all pages."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escaped(title)}</title>\n<style>{_STYLE}{style}</style>\n</head>\n<body>",
            *body,
            "</body>\n</html>\n",
        ]
    )
