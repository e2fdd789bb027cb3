"""How log lines reach stderr: for people, or as one JSON object each.

Only fixed fields are written, of the `extra` of a record only where it was in the topology, so that what
a customer did cannot slip into a log by accident. Nothing is written to files.
"""

import logging
import sys
from datetime import UTC, datetime

import msgspec

from schemas.settings import LogSettings

_QUIET = ("aiohttp", "aiokafka", "asyncio", "faust", "kafka", "mode")
"""Loggers of libraries, which tell too much at info."""

_PLACE = ("group", "stage", "topic", "partition")
"""What a record's `extra` may say."""


class _StderrHandler(logging.Handler):
    """Writes to what `sys.stderr` is at that moment, so that it may be redirected later."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # a log line may not end the process; logging reports it its own way
            self.handleError(record)


class HumanFormatter(logging.Formatter):
    """Time (UTC), level, logger and message on a line; a traceback follows on its own lines."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_time(record)} {record.levelname.lower():7} {record.name}: {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object: at, level, logger, message, process and, where there are, place and exception.

    Parameters
    ----------
    group : str
        Stage group of this process, told as `group`; empty for a process that has none.
    """

    def __init__(self, group: str = "") -> None:
        super().__init__()
        self._group = {"group": group} if group else {}

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, str | int | None] = {
            "at": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            **self._group,
            **{name: value for name, value in vars(record).items() if name in _PLACE},
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(entry).decode()


def configure(settings: LogSettings, *, group: str = "") -> None:
    """Send everything at least as grave as `settings.level` to stderr, once however often it is called.

    `group` is the stage group that this process is of, if it is of one.
    """
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _StderrHandler)]:
        root.removeHandler(handler)
    handler = _StderrHandler()
    handler.setFormatter(JsonFormatter(group) if settings.json else HumanFormatter())
    root.addHandler(handler)
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
