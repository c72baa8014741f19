"""When two e-mails are the same, and when two names only look the same.

The one definition that the client and the command share. Two mailboxes taken for one would let one
person have another's access, so `email_key` makes equal only what is surely the same.
"""

from __future__ import annotations

import itertools
import json
import re
import unicodedata

__all__ = ["email_key", "escaped", "forbidden_character", "name_key", "printable", "seen_name"]

# Spaces, control characters, and what Unicode calls default ignorable: fonts draw none of them.
_UNSEEN = (
    r"[\s\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)

_LINE_BREAKS = "\n\r\x0b\x0c\x85\u2028\u2029"
# They turn the direction of a text around, and of what follows it.
_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def email_key(email: str) -> str:
    """Return an e-mail as it is compared: trimmed, composed, and without case.

    No character outside ASCII becomes one of ASCII: "ß" is not "ss", nor the Kelvin sign "k".

    Example:
        >>> email_key(" John@Example.com ")
        'john@example.com'
    """
    email = email.strip()
    if email.isascii():
        return email.lower()
    # Composed first, since a letter with its mark may have no case where the letter has one ("İ");
    # and again, since some are composed in lower case only ("ǰ").
    return _compose("".join(map(_lower, _compose(email))))


def forbidden_character(text: str) -> str:
    """Describe the first character that no name or ID may have, or return "".

    That is control characters, line breaks, bidi overrides and the like, and half a surrogate pair.

    Example:
        >>> forbidden_character("Designers\\n")
        'a line break (U+000A)'
    """
    for character in "" if text.isprintable() else text:
        what = ""
        if character in _LINE_BREAKS:
            what = "a line break"
        elif character in _BIDI:
            what = "a bidi control character"
        elif unicodedata.category(character) in ("Cc", "Cs"):
            what = "a control character" if character < "\ud800" else "half a surrogate pair"
        if what:
            return f"{what} (U+{ord(character):04X})"
    return ""


def name_key(name: str) -> str:
    """Return what two names share that differ only in case, space or what cannot be seen.

    To warn and to suggest. Which group is meant, the exact name decides.

    Example:
        >>> name_key("Legal\\u200b Team") == name_key("legal team")
        True
    """
    return unicodedata.normalize("NFC", seen_name(name).casefold())


def seen_name(name: str) -> str:
    """Return what can be seen of a name: its characters, composed, without spaces."""
    if name.isascii() and name.isprintable():
        return name.replace(" ", "")
    return unicodedata.normalize("NFC", re.sub(_UNSEEN, "", name))


def _compose(text: str) -> str:
    """Compose letters with their marks, but leave characters that NFC would replace by another."""
    return "".join(
        "".join(run) if is_replaced else unicodedata.normalize("NFC", "".join(run))
        for is_replaced, run in itertools.groupby(text, _is_replaced)
    )


def _is_replaced(character: str) -> bool:
    composed = unicodedata.normalize("NFC", character)
    return composed != character and len(composed) == 1


def _lower(character: str) -> str:
    """Lower-case a character whose two cases belong to each other alone."""
    lower = character.lower()
    return lower if lower.upper() == character else character


def escaped(text: str) -> str:
    """Escape, as JSON does, every character that is not seen, or that turns a text around."""
    return "".join(
        character
        if character == " " or (character.isprintable() and seen_name(character))
        else json.dumps(character)[1:-1]
        for character in text
    )


def printable(text: str) -> str:
    """Escape every character that a terminal could interpret, or that turns a text around."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
