"""Zip files without compression, of one spelling: equal content is equal bytes, and no others are read."""

from collections.abc import Mapping
from io import BytesIO
from struct import Struct
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import crc32

_WHEN = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16
_UNIX = 3

# Of a file before its bytes, and of the same file in the directory at the end (APPNOTE.TXT 4.3.7, 4.3.12).
_SAME = b"\x14\0" + bytes(2) + bytes(2) + bytes(2) + b"\x21\0"
"""Version 2.0, no flags, stored, midnight of 1 January 1980."""
_LOCAL = b"PK\3\4" + _SAME
_CENTRAL = b"PK\1\2" + bytes((20, _UNIX)) + _SAME
_SIZES = Struct("<LLLHH")
_DIRECTORY = Struct("<LLLHHHHHLL")
_END = Struct("<4s4H2LH")
_HEADER_LENGTH = len(_LOCAL) + _SIZES.size
_MOST_FILES = 0xFFFF
_MOST_BYTES = 0x7FFFFFFF
"""Beyond these a zip has further records: `zipfile` reads it then."""


def write_stored(files: Mapping[str, bytes]) -> bytes:
    """The zip of these files, by name: sorted, stored, of one fixed time."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_STORED) as file:
        for name in sorted(files):
            info = ZipInfo(name, _WHEN)
            info.external_attr = _MODE
            info.create_system = _UNIX
            file.writestr(info, files[name])
    return out.getvalue()


def read_stored(raw: bytes) -> dict[str, bytes]:
    """The files of what `write_stored` wrote. Raises ValueError for any other bytes."""
    files = _read_plain(raw)
    if files is None:
        files = _read_any(raw)
        if write_stored(files) != raw:
            raise ValueError("a zip of other bytes than the format gives to its content")
    return files


def _read_plain(raw: bytes) -> dict[str, bytes] | None:
    """The same at a tenth of the cost; None if the bytes are not those, or too many to be sure of."""
    if len(raw) > _MOST_BYTES:
        return None
    files: dict[str, bytes] = {}
    directory: list[bytes] = []
    at, last = 0, b""
    while raw.startswith(_LOCAL, at) and len(raw) >= at + _HEADER_LENGTH:
        crc, stored, size, length, extra = _SIZES.unpack_from(raw, at + len(_LOCAL))
        begin = at + _HEADER_LENGTH + length
        name, content = raw[begin - length : begin], raw[begin : begin + size]
        if stored != size or extra or not last < name or not name.isascii() or crc32(content) != crc:
            return None
        files[name.decode()] = content
        directory += (_CENTRAL, _DIRECTORY.pack(crc, size, size, length, 0, 0, 0, 0, _MODE, at), name)
        at, last = begin + size, name
    listed = b"".join(directory)
    count = len(files)
    if count > _MOST_FILES or raw[at:] != listed + _END.pack(
        b"PK\5\6", 0, 0, count, count, len(listed), at, 0
    ):
        return None
    return files


def _read_any(raw: bytes) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    try:
        with ZipFile(BytesIO(raw)) as file:
            for info in file.infolist():
                if info.compress_type != ZIP_STORED or info.filename in files:
                    raise ValueError(f"{info.filename[:80]!r} is compressed, or there twice")
                files[info.filename] = file.read(info)
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ValueError(f"not a zip file, or a damaged one: {error}") from error
    return files
