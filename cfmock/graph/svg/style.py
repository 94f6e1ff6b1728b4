"""The style of SVGs: colours for light and dark, and an icon for each type of state.

Types differ by shape and icon, kinds of line by dashes, statuses by dashes and weight; colour only helps. Class names
begin with `cf-`, since a picture may stand inside a page.
"""

from __future__ import annotations

from cfmock.engine.model import NodeKind

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', 'Noto Sans CJK SC', sans-serif"

ICONS = {
    NodeKind.PASS: "M1.5 7h10M8 3.5 11.5 7 8 10.5",
    NodeKind.TASK: "M10.6 7a3.6 3.6 0 1 1-7.2 0 3.6 3.6 0 1 1 7.2 0ZM8.2 7a1.2 1.2 0 1 1-2.4 0 1.2 1.2 0 1 1 2.4 0Z"
    "M7 3.4V1M7 13v-2.4M3.4 7H1M13 7h-2.4M4.45 4.45 2.8 2.8M11.2 11.2 9.55 9.55M4.45 9.55 2.8 11.2M11.2 2.8 9.55 4.45",
    NodeKind.CHOICE: "M7 1v3.5M7 4.5 2.5 9v4M7 4.5 11.5 9v4M.7 11.2 2.5 13l1.8-1.8M9.7 11.2 11.5 13l1.8-1.8",
    NodeKind.PARALLEL: "M3 2v10M7 2v10M11 2v10",
    NodeKind.MAP: "M5 3h7.5M5 7h7.5M5 11h7.5M1.5 3h.8M1.5 7h.8M1.5 11h.8",
    NodeKind.WAIT: "M12.5 7a5.5 5.5 0 1 1-11 0 5.5 5.5 0 1 1 11 0ZM7 3.8V7l2.3 1.6",
    NodeKind.SUCCEED: "M2 7.5 5.5 11 12 3.5",
    NodeKind.FAIL: "M3 3l8 8M11 3l-8 8",
}
RETRY_ICON = "M11.7 4.5A5.2 5.2 0 1 0 12.2 7M12 1.5v3.2H8.8"

_LIGHT = {
    "page": "#ffffff", "box": "#ffffff", "scope": "#f6f8fa", "frame": "#d0d7de", "ink": "#1f2328", "faint": "#57606a",
    "line": "#6e7781", "catch": "#bc4c00", "loop": "#8250df",
    "Pass": "#57606a", "Task": "#0969da", "Choice": "#9a6700", "Parallel": "#6639ba", "Map": "#6639ba",
    "Wait": "#1b7c83", "Succeed": "#1a7f37", "Fail": "#cf222e",
    "reached": "#1a7f37", "reached-box": "#dafbe1", "missed": "#8c959f", "untried": "#9a6700",
    "failed": "#cf222e", "failed-box": "#ffebe9", "caught-box": "#fff1e5", "running": "#0969da", "running-box": "#ddf4ff",
}  # fmt: skip
_DARK = {
    "page": "#0d1117", "box": "#161b22", "scope": "#10161e", "frame": "#30363d", "ink": "#e6edf3", "faint": "#9198a1",
    "line": "#8b949e", "catch": "#f0883e", "loop": "#b392f0",
    "Pass": "#9198a1", "Task": "#58a6ff", "Choice": "#d29922", "Parallel": "#b392f0", "Map": "#b392f0",
    "Wait": "#56d4dd", "Succeed": "#3fb950", "Fail": "#f85149",
    "reached": "#3fb950", "reached-box": "#12261e", "missed": "#6e7681", "untried": "#d29922",
    "failed": "#f85149", "failed-box": "#2d1316", "caught-box": "#2b1b0d", "running": "#58a6ff", "running-box": "#0f2133",
}  # fmt: skip

_SHAPES = f"""
.cf-graph {{ font-family: {FONT}; }}
.cf-graph text {{ stroke: none; }}
.cf-name {{ font-size: 13px; font-weight: 600; }}
.cf-note {{ font-size: 11px; }}
.cf-title {{ font-size: 15px; font-weight: 600; }}
.cf-box {{ stroke-width: 1.4; }}
.cf-icon {{ fill: none; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; }}
.cf-line {{ fill: none; stroke-width: 1.5; }}
.cf-catch .cf-line {{ stroke-dasharray: 6 4; }}
.cf-loop .cf-line {{ stroke-dasharray: .1 4.4; stroke-linecap: round; stroke-width: 2.2; }}
.cf-scope {{ stroke-width: 1; }}
.cf-reached .cf-box, .cf-reached .cf-line {{ stroke-width: 2.4; }}
.cf-failed .cf-box {{ stroke-width: 3; }}
.cf-caught .cf-box {{ stroke-width: 3; stroke-dasharray: 8 3; }}
.cf-running .cf-box {{ stroke-width: 2.4; stroke-dasharray: 2 3; stroke-linecap: round; }}
.cf-missed .cf-box, .cf-missed > .cf-scope {{ stroke-dasharray: 3 3; }}
.cf-rule {{ stroke-width: 1.4; }}
.cf-missed > .cf-rule {{ stroke-dasharray: 3 2; }}
"""


def css() -> str:
    """Return the style sheet: light, and dark for readers whose system says so."""
    return f"{_SHAPES}{_colours(_LIGHT)}@media (prefers-color-scheme: dark) {{\n{_colours(_DARK)}}}\n"


def _colours(of: dict[str, str]) -> str:
    rules = [
        f".cf-page {{ fill: {of['page']}; }}",
        f".cf-graph text {{ fill: {of['ink']}; }}",
        f".cf-graph .cf-note {{ fill: {of['faint']}; }}",
        f".cf-box {{ fill: {of['box']}; }}",
        f".cf-scope {{ fill: {of['scope']}; stroke: {of['frame']}; }}",
        f".cf-mark {{ fill: {of['line']}; }}",
        f".cf-ring {{ fill: none; stroke: {of['line']}; stroke-width: 2; }}",
        *_line("cf-next", of["line"]),
        *_line("cf-catch", of["catch"]),
        *_line("cf-loop", of["loop"]),
        *(f".cf-{kind.value} .cf-box, .cf-{kind.value} .cf-icon {{ stroke: {of[kind.value]}; }}" for kind in NodeKind),
        *_line("cf-reached", of["reached"]),
        *_line("cf-missed", of["missed"]),
        f".cf-reached .cf-box {{ stroke: {of['reached']}; fill: {of['reached-box']}; }}",
        f".cf-missed .cf-box, .cf-missed .cf-icon {{ stroke: {of['missed']}; }}",
        f".cf-reached > .cf-scope, .cf-reached > .cf-rule {{ stroke: {of['reached']}; }}",
        f".cf-missed > .cf-rule {{ stroke: {of['untried']}; }}",
        f".cf-graph .cf-reached > .cf-retry {{ stroke: {of['reached']}; }}",
        f".cf-graph .cf-missed > .cf-retry {{ stroke: {of['untried']}; }}",
        f".cf-graph .cf-missed > .cf-rule ~ .cf-note {{ fill: {of['untried']}; }}",
        f".cf-failed .cf-box {{ stroke: {of['failed']}; fill: {of['failed-box']}; }}",
        f".cf-caught .cf-box {{ stroke: {of['catch']}; fill: {of['caught-box']}; }}",
        f".cf-running .cf-box {{ stroke: {of['running']}; fill: {of['running-box']}; }}",
    ]
    return "".join(f"{rule}\n" for rule in rules)


def _line(name: str, colour: str) -> tuple[str, str]:
    return (
        f".{name} .cf-line, .{name} .cf-pill {{ stroke: {colour}; }}",
        f".{name} .cf-tip {{ fill: {colour}; }}",
    )
