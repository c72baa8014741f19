"""Bytes to text, with the mistakes of encodings that editors and spreadsheets make."""

from __future__ import annotations

from cld_user_groups.membership.problems import FileError, Problem

_BOM = "\ufeff"


def decode_text(content: bytes, source: str) -> str:
    """Return the content as text, without a byte order mark.

    Raises:
        FileError: It is empty, or not UTF-8, or has NUL bytes.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileError([Problem(source, 1, "encoded as UTF-16", "save it as UTF-8")])
    nul = content.find(b"\0")
    if nul >= 0:
        hint = "save it as UTF-8" if nul < 4 else "is it a text file?"
        raise FileError([Problem(source, _line(content, nul), "a NUL byte", hint)])
    try:
        text = content.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError as error:
        message = f"not UTF-8: byte 0x{content[error.start]:02x}"
        line = _line(content, error.start)
        raise FileError([Problem(source, line, message, "save it as UTF-8")]) from None
    if not text.strip():
        raise FileError([Problem(source, None, "the file is empty")])
    # Lines that end in CR alone, as old spreadsheets write them.
    return text if "\n" in text else text.replace("\r", "\n")


def is_unicode(text: str) -> bool:
    """Return whether text can be written in any encoding: JSON's escapes allow half characters."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _line(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1
