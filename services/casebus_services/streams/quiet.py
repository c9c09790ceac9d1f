"""Repeated log lines of a client library, cut down to one in ten seconds each.

While a broker is away aiokafka writes 40 errors a second and librdkafka some more; the first says it all.
"""

import logging


class QuietHandler(logging.Handler):
    """Passes the first line of a kind on to the root logger, then one in `every_s`.

    Lines of the same logger, level and message template are of one kind.
    """

    def __init__(self, every_s: float = 10.0) -> None:
        super().__init__()
        self._every_s = every_s
        self._kinds: dict[tuple[str, int, str], tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the record on, or only count it."""
        kind = (record.name, record.levelno, str(record.msg))
        last, held_back = self._kinds.get(kind, (0.0, 0))
        since_s = record.created - last
        if since_s < self._every_s:
            self._kinds[kind] = (last, held_back + 1)
            return
        self._kinds[kind] = (record.created, 0)
        if held_back:
            record.msg = (
                f"{record.getMessage()} ({held_back} more like this in {record.created - last:.0f} s)"
            )
            record.args = None
        logging.getLogger().handle(record)


def hush(*names: str, every_s: float = 10.0) -> None:
    """Route these loggers and those below them through a QuietHandler."""
    for name in names:
        logger = logging.getLogger(name)
        if not any(isinstance(handler, QuietHandler) for handler in logger.handlers):
            logger.addHandler(QuietHandler(every_s))
            logger.propagate = False
