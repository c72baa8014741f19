"""A model of the proxies between a client and the API."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from attrs import frozen
from hypothesis import strategies as st


@frozen
class Proxy:
    """A model of the proxies between the client and the API, as lenient as any of them.

    Attributes:
        decodings: The number of times that percent-escapes are decoded.
        overlong: Whether overlong UTF-8 is decoded, as old servers did.
        backslashes: Whether a backslash becomes a slash, as in IIS.
        control_characters: Whether control characters are dropped, as in the URL Standard.
        parameters: Whether path parameters are dropped, as in Tomcat.
        merge: Whether empty segments are dropped, as by nginx's merge_slashes.
    """

    decodings: int
    overlong: bool
    backslashes: bool
    control_characters: bool
    parameters: bool
    merge: bool

    def forward(self, path: bytes) -> list[bytes]:
        """Return the decoded segments of the path that the API receives."""
        for _ in range(self.decodings):
            path = unquote_to_bytes(path)
        if self.overlong:
            path = re.sub(rb"\xc0[\xae\xaf]|\xe0\x80[\xae\xaf]|\xc1\x9c", _plain, path)
        if self.backslashes:
            path = path.replace(b"\\", b"/")
        if self.control_characters:
            path = re.sub(rb"[\x00-\x1f\x7f]", b"", path)
        if self.parameters:
            path = re.sub(rb";[^/]*", b"", path)
        segments: list[bytes] = []
        for segment in path.split(b"/"):
            if segment == b".." and segments:
                segments.pop()
            elif segment not in (b".", b"..") and not (self.merge and not segment):
                segments.append(segment)
        return segments


def _plain(overlong: re.Match[bytes]) -> bytes:
    return {0xAE: b".", 0xAF: b"/", 0x9C: b"\\"}[overlong[0][-1]]


PROXIES = st.builds(Proxy, st.integers(0, 12), *[st.booleans()] * 5)
