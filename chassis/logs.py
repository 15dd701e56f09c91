"""Structured logs: one JSON object a line on standard output.

Nothing personal is ever passed to a logger: no phone number, no code, no request body, no raw path
(a rating's path holds what only the citizen should hold; the route's template is logged instead).
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Sequence
from typing import Any, ClassVar, TextIO

import structlog
from pydantic_core import PydanticSerializationError, to_json

REPEAT_SECONDS = 10.0
IDS_A_LINE = 100
FRAMES = 8
FREE_TEXTS = ("event", "exception", "error", "detail", "reason")
LEVELS = {name.lower(): level for name, level in logging.getLevelNamesMapping().items()}
LEVELS["exception"] = logging.ERROR
_NUMBER = re.compile(r"(?<![\w.-])(?:\+|00)?(?:84|0)?[ .-]?[35789](?:[ .-]?[0-9]){8}(?![\w-])")
"""A mobile number as people write it. Not within an id."""


def configure(service: str, *, level: str = "INFO") -> None:
    """Send this process's logs, structlog's and the standard library's, to stdout as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.format_exc_info,
        _without_numbers,
    ]
    handler = logging.StreamHandler(sys.stdout)
    _Straight.handler = handler
    ours: list[structlog.typing.Processor] = [
        _enabled,
        *(each for each in shared if not isinstance(each, structlog.stdlib.ExtraAdder)),
        structlog.stdlib.PositionalArgumentsFormatter(),
        _rendered,
    ]
    structlog.configure(
        processors=ours,
        logger_factory=_Straight,
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _rendered,
            ],
        )
    )
    handler.addFilter(_SeldomRepeated())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    structlog.contextvars.bind_contextvars(service=service)
    # Chatty at INFO, and httpx prints whole URLs.
    for name in ("httpx", "httpcore", "aiokafka", "uvicorn.access", "faust", "mode"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


class _Straight:
    """Where our own lines go: to the stream of the handler, without a record of the standard library for
    each, which costs more than the rest of a line. Levels are the standard library's."""

    handler: "ClassVar[logging.StreamHandler[TextIO]]"
    """Of the last `configure`, also for loggers that were used before it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.enabled = logging.getLogger(name).isEnabledFor

    def _write(self, line: str) -> None:
        self.handler.acquire()
        try:
            self.handler.stream.write(line + self.handler.terminator)
            self.handler.stream.flush()
        except (OSError, ValueError):  # it is closed; what is logged must not break what logs it
            sys.stderr.write(line + self.handler.terminator)
        finally:
            self.handler.release()

    debug = info = warning = error = critical = exception = _write


def _enabled(log: _Straight, method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if not log.enabled(LEVELS[method]):
        raise structlog.DropEvent
    return line


def _rendered(_: Any, __: str, line: structlog.typing.EventDict) -> str:
    try:
        return to_json(line, fallback=repr, inf_nan_mode="constants").decode()
    except (PydanticSerializationError, ValueError):  # half a surrogate, which no UTF-8 has
        return json.dumps(line, default=repr)


class _SeldomRepeated(logging.Filter):
    """While a broker is away aiokafka says so some thirty times a second: once in a while is enough."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("aiokafka"):
            return True
        place = (record.pathname, record.lineno)
        if record.created - self._said.get(place, 0.0) < REPEAT_SECONDS:
            return False
        self._said[place] = record.created
        return True


def _without_numbers(_: Any, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """The last line of defence: what a library says of an error may quote what it was given."""
    for name in FREE_TEXTS:
        if isinstance(line.get(name), str):
            line[name] = _NUMBER.sub("[number]", line[name])
    return line


def log_correlated(
    log: structlog.stdlib.BoundLogger, event: str, correlation_ids: Sequence[object], **values: object
) -> None:
    """One event of many: a line for every IDS_A_LINE of them, so that each can be followed at little cost."""
    for start in range(0, len(correlation_ids), IDS_A_LINE):
        ids = [str(each) for each in correlation_ids[start : start + IDS_A_LINE]]
        log.info(event, correlation_ids=ids, **values)


def where_it_failed(error: BaseException) -> list[str]:
    """The places in the code that it came through. For errors whose message may quote what somebody typed."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def logger(name: str) -> structlog.stdlib.BoundLogger:
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound
