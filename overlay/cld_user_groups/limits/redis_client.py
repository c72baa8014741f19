"""Clients of Redis whose time limits are this package's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from redis import Redis


def connect(url: str, timeout: float, *, name: str = "the URL of Redis", **options: Any) -> Redis:
    """Return a client that tries each command once; nothing is opened yet.

    Args:
        url: The server, as redis-py reads it. Time limits among its options are not used.
        timeout: The most seconds that connecting, and each reply, may take.
        name: What the URL is called in the ValueError of one that is not valid.
        options: Further options of a connection.
    """
    from redis import ConnectionPool, Redis, RedisError
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    options |= {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    pool_class: Any = ConnectionPool  # its from_url is not fully typed
    try:
        parts = urlsplit(url)
        if "@" in parts.path + parts.query + parts.fragment:
            raise ValueError  # a password with a character that ends the host
        pool = pool_class.from_url(url, **options)
        pool.connection_kwargs.pop("timeout", None)  # of a pool that blocks
        # Again, for the options of a URL go before arguments.
        pool.connection_kwargs.update(options, retry=Retry(NoBackoff(), 0))
        pool.connection_class(**pool.connection_kwargs)  # only here are other options read
        if "host" in pool.connection_kwargs:
            pool.connection_kwargs["host"].encode("idna")
    except (ValueError, TypeError, RedisError):
        # Neither the URL nor what was wrong with it: either may hold a part of the password.
        raise ValueError(
            f"{name} is not valid: it must begin with redis://, rediss:// or unix://, have special "
            "characters of a password percent-encoded, and only options that redis-py knows"
        ) from None
    return Redis.from_pool(pool)
