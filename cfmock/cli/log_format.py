"""The two forms of the log on stderr (`--log-format`). A record is one line, or lines of which only the first is at the margin:
nothing that a client sends can look like a record of ours."""

from __future__ import annotations

import json
import logging

from cfmock.base.printable import printable


class TextFormatter(logging.Formatter):
    """`cfmock: MESSAGE`. Texts in it are on one line; more lines come of errors with several mistakes, and of tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        given = record.args if isinstance(record.args, tuple) else ()
        texts = tuple(printable(each) if isinstance(each, str) else each for each in given)
        message = str(record.msg) % texts if texts else record.getMessage()
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        lines = filter(None, (*message.split("\n"), *trace.split("\n")))
        return "cfmock: " + "\n  ".join(map(printable, lines))


class JsonFormatter(logging.Formatter):
    """A JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {"level": record.levelname.lower(), "message": record.getMessage(), "time": record.created}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields)
