"""A program with the command line in it: the module of each command, which is imported by its name."""

from PyInstaller.utils.hooks import collect_submodules

hiddenimports = collect_submodules("cfmock.cli")
