"""Where a profile's credentials come from: variables, the keyring, or a command that prints them.

They are fetched when the first request is about to be sent, and once: a command may ask for a
finger on a sensor. No error shows anything of what was fetched.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import threading
from collections.abc import Callable
from typing import Protocol, TypeAlias, cast

from attrs import frozen

from cld_user_groups._engine.config import parse_account_url
from cld_user_groups._version import install_command
from cld_user_groups.security import Security, problem_with

#: How long a command may take, in seconds: long enough to unlock a password manager.
TIME_LIMIT = 60.0


class CredentialsError(ValueError):
    """Credentials cannot be fetched."""


@frozen(kw_only=True)
class FromEnvironment:
    """Two environment variables.

    Attributes:
        key: The name of the key's variable.
        secret: The name of the secret's.
    """

    key: str
    secret: str

    def __str__(self) -> str:
        return f"the variables {self.key} and {self.secret}"

    def fetch(self) -> Security:
        """Return the credentials.

        Raises:
            CredentialsError: A variable is not set.
        """
        missing = [name for name in (self.key, self.secret) if not os.environ.get(name)]
        if missing:
            raise CredentialsError(f"the credentials are missing: set {' and '.join(missing)}")
        return Security(
            provisioning_api_key=os.environ[self.key],
            provisioning_api_secret=os.environ[self.secret],
        )


class _Keyring(Protocol):
    """What is used of the module `keyring`."""

    def get_password(self, service_name: str, username: str) -> str | None: ...


@frozen(kw_only=True)
class FromKeyring:
    """The keyring of the operating system: KEY:SECRET, or an account URL, as a password.

    Attributes:
        service: The name of the service there.
        account_id: The account's ID, which is the user name there.
    """

    service: str
    account_id: str

    def __str__(self) -> str:
        return f"the keyring, service {self.service!r}"

    def fetch(self) -> Security:
        """Return the credentials.

        Raises:
            CredentialsError: They are not in the keyring, or it cannot be opened.
        """
        way_out = f"store KEY:SECRET with: keyring set {self.service} {self.account_id}"
        try:
            keyring = cast("_Keyring", importlib.import_module("keyring"))
        except ImportError:
            raise CredentialsError(
                f"the package keyring is not installed: {install_command('keyring')}"
            ) from None
        try:
            found = keyring.get_password(self.service, self.account_id)
        except Exception as error:  # noqa: BLE001 - each of its backends has errors of its own
            kind = type(error).__name__
            raise CredentialsError(f"{self} cannot be read ({kind}); {way_out}") from None
        if found is None:
            raise CredentialsError(f"{self} has no entry {self.account_id!r}; {way_out}")
        security = _parse(found)
        del found
        if security is None:
            raise CredentialsError(f"{self} does not hold KEY:SECRET; {way_out}")
        return security


@frozen(kw_only=True)
class FromCommand:
    """A command that prints KEY:SECRET, or an account URL.

    It is run without a shell, and its output is never shown.

    Attributes:
        arguments: The program and its arguments.
    """

    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return f"the command {self.arguments[0]!r}"

    def fetch(self) -> Security:
        """Return the credentials.

        Raises:
            CredentialsError: The command cannot be run, fails, takes too long, or prints something
                else.
        """
        way_out = "run it yourself to see why"
        try:
            # Standard input is that of `cld-user-groups`: a file of groups, or people.
            done = subprocess.run(  # noqa: S603 - it is the user's own command
                self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=TIME_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            problem = f"{self} took longer than {TIME_LIMIT:.0f} s; {way_out}"
        except OSError as error:
            problem = f"{self} cannot be run: {error.strerror or error}"
        else:
            if done.returncode:
                problem = f"{self} exited with {done.returncode}; {way_out}"
            elif (security := _parse(_decode(done.stdout))) is not None:
                return security
            else:
                problem = f"{self} does not print KEY:SECRET on one line"
            del done
        raise CredentialsError(problem) from None


Source: TypeAlias = FromEnvironment | FromKeyring | FromCommand


def fetched_once(source: Source) -> Callable[[], Security]:
    """Return a function that fetches the credentials when it is first called, and only then.

    Args:
        source: Where they come from.
    """
    lock = threading.Lock()
    found: list[Security] = []

    def provide() -> Security:
        with lock:
            if not found:
                found.append(source.fetch())
            return found[0]

    return provide


def _decode(output: bytes) -> str:
    try:
        return output.decode()
    except UnicodeDecodeError:
        return ""


def _parse(text: str) -> Security | None:
    """Return the credentials that a text is, or None; it must not raise, for it holds them."""
    url = parse_account_url(text)
    if url is not None:
        return url.security
    key, _, secret = text.strip().partition(":")
    security = Security(provisioning_api_key=key, provisioning_api_secret=secret)
    return security if problem_with(security) is None else None
