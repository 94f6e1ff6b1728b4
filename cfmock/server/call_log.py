"""The log of calls as they come: a line of a file (`--journal`), as a line of the log (`-v`)."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from cfmock.base.errors import SettingsError
from cfmock.base.time_text import duration_text
from cfmock.observe.call_record import CallRecord, explain, line
from cfmock.observe.journal import Journal
from cfmock.settings import Settings

log = logging.getLogger("cfmock")


class Recording:
    """Tells of the calls of a journal what the settings ask for; of the file until it is closed."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        """Raises SettingsError for a file that cannot be written."""
        self._name = settings.journal or ""
        self._listeners = journal.listeners
        try:
            self._file = open(self._name, "a", encoding="ascii") if self._name else None  # noqa: PTH123, SIM115
            if self._file is not None and _cut(Path(self._name)):
                self._file.write("\n")
        except OSError as error:
            raise SettingsError(f"--journal: cannot write {self._name}: {error.strerror}") from None
        if self._file is not None:
            self._listeners.append(self._write)
        if settings.verbose:
            self._listeners.append(tell)

    def close(self) -> None:
        if self._file is not None:
            self._listeners.remove(self._write)
            with contextlib.suppress(OSError):  # what could not be written was told of
                self._file.close()
            self._file = None

    def _write(self, record: CallRecord) -> None:
        assert self._file is not None
        try:
            self._file.write(line(record))
            self._file.flush()
        except OSError as error:
            # The clients are not to suffer for it.
            log.error("--journal: %s; no more calls are written to %s", error.strerror, self._name)
            self.close()


def _cut(file: Path) -> bool:
    """Return whether the last line of a file has no end: its process was killed, or the disk full."""
    if not file.is_file() or not file.stat().st_size or not os.access(file, os.R_OK):
        return False  # what is no file, as a pipe, is not to be read
    with file.open("rb") as content:
        content.seek(-1, os.SEEK_END)
        return content.read() != b"\n"


def tell(record: CallRecord) -> None:
    """A line of the log for a call, and one for the hint to its client."""
    about = f" {record.flow:.128}" if record.flow else ""
    answer = f"{record.status} {record.code or record.transport or ''}".rstrip() if record.status else record.transport
    log.info("%s%s -> %s (%s)", record.operation or "?", about, answer, duration_text(record.duration, digits=3))
    explain((record,))
    if record.hint is not None:
        log.info("    %s", record.hint)
