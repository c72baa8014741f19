"""The User-Agent."""

from __future__ import annotations

import platform
import re

from cld_user_groups._version import __version__

_USER_AGENT = f"cld-user-groups/{__version__} python/{platform.python_version()}"
# A product (RFC 9110, 10.1.5): a token, and a version that is one.
_PRODUCT = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?", re.ASCII)


def user_agent(app_info: str | None) -> str:
    """Return the User-Agent, with the calling application's own product last.

    Raises:
        TypeError: It is not a str.
        ValueError: It is not a name, or a name/version.
    """
    if app_info is None:
        return _USER_AGENT
    if not isinstance(app_info, str):
        raise TypeError(f"app_info must be a str, not {type(app_info).__name__}")
    if not _PRODUCT.fullmatch(app_info):
        raise ValueError(f"app_info must be a name, or a name/version, not {app_info!r}")
    return f"{_USER_AGENT} {app_info}"
