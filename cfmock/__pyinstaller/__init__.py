"""Makes the package work in programs built by PyInstaller, which finds the hooks beside this file by an entry point."""

from __future__ import annotations

from pathlib import Path


def hook_folders() -> list[str]:
    """The folders with hooks, for PyInstaller's entry point `hook-dirs`."""
    return [str(Path(__file__).with_name("hooks"))]
