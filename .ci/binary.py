"""Builds dist/cfmock: one file with Python, the package and its data in it. Run by `make binary`."""

from pathlib import Path

import PyInstaller.__main__

ROOT = Path(__file__).resolve().parent.parent

# Not reached by `serve` and the other commands, but found by following imports.
UNUSED = ["_pytest", "pytest", "pip", "setuptools", "tkinter", "cfmock.pytest_plugin"]

PyInstaller.__main__.run(
    [
        str(ROOT / "cfmock" / "__main__.py"),
        *("--name", "cfmock", "--onefile", "--noconfirm", "--log-level", "WARN"),
        *("--distpath", str(ROOT / "dist"), "--workpath", str(ROOT / "build"), "--specpath", str(ROOT / "build")),
        *("--paths", str(ROOT)),
        *("--strip", *(part for name in UNUSED for part in ("--exclude-module", name))),
    ]
)
