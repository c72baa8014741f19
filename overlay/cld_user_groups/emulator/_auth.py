"""HTTP Basic authentication, strict and in constant time."""

import binascii
import hmac


def credentials_match(authorization: bytes | None, expected: bytes) -> bool:
    """Return whether an ``Authorization`` header contains the expected ``key:secret``.

    Args:
        authorization: The header's value, or None if there is none.
        expected: The key and the secret, joined with a colon.
    """
    if authorization is None:
        return False
    scheme, _, token = authorization.strip().partition(b" ")
    if scheme.lower() != b"basic":
        return False
    try:
        given = binascii.a2b_base64(token.strip(), strict_mode=True)
    except ValueError:
        return False
    return hmac.compare_digest(given, expected)
