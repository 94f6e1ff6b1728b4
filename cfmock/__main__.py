"""`python -m cfmock`, and the console script."""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Run the command line with `argv` (else the process's own); the exit code: 0, 1 or 2."""
    from cfmock.cli import main as cli  # click is for the command line alone

    return cli.main(argv)


if __name__ == "__main__":
    sys.exit(main())
