"""Whether an error says that nothing more can be written here: the disk is full, or may not be written."""

import errno

_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_NAMES = ("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC")


def no_room(error: BaseException) -> str | None:
    """One line for a person, None if the error says something else."""
    number = getattr(error, "errno", None)
    name = str(getattr(error, "sqlite_errorname", None) or "")
    if number not in _NUMBERS and not name.startswith(_NAMES):
        return None
    file = getattr(error, "filename", None)
    where = f" at {file}" if file else ""
    return (
        f"磁盘已满或不可写 nothing can be written{where}: {error}; free disk space, then give the same "
        "command again: what was acknowledged before is kept"
    )
