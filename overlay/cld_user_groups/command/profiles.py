"""Profiles: several accounts by name, in a TOML file that holds no secrets.

`docs/profiles.md` describes the file. Nothing of it is shown in an error but the names of its
profiles and of its keys: somebody may have put a secret where none belongs.

Credentials are fetched when the first request is about to be sent, and once: a command may ask for
a finger on a sensor. No error shows anything of what was fetched.
"""

from __future__ import annotations

import difflib
import importlib
import os
import re
import subprocess
import threading
import tomllib
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast, get_args

from attrs import frozen

from cld_user_groups._engine.config import parse_account_url
from cld_user_groups._version import install_command
from cld_user_groups.security import Security, problem_with

from .options import Region

PROFILES_FILE = "CLOUDINARY_PROFILES_FILE"

_REGIONS = get_args(Region)
_KEYS = ("account_id", "region", "server_url", "credentials", "file")
_LIKE_A_SECRET = re.compile(r"secret|passw|token|api.?key|auth|private", re.IGNORECASE)
# Capitals only: a secret that was put in the place of a variable's name is none.
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)
_WITH_CREDENTIALS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s]*@")
_WHERE_SECRETS_GO = (
    "No secret belongs in this file: say where it comes from with "
    "credentials.environment, credentials.keyring or credentials.command."
)
#: How long a command may take, in seconds: long enough to unlock a password manager.
TIME_LIMIT = 60.0


class ProfileError(ValueError):
    """A profile is missing, or its file is not valid."""


class CredentialsError(ValueError):
    """Credentials cannot be fetched."""


@frozen
class Source:
    """Where credentials come from, in words, and what fetches them or raises `CredentialsError`."""

    name: str
    fetch: Callable[[], Security]


def _from_environment(value: object, account_id: str, where: str) -> Source:
    """Return the source of two variables."""
    names = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    if names.keys() != {"key", "secret"}:
        known = "{ key = 'A_VARIABLE', secret = 'A_VARIABLE' }"
        raise ProfileError(f"{where} must name two variables: {known}")
    for key, name in names.items():
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
            raise ProfileError(
                f"{where}.{key} must be the name of a variable, in capitals; "
                f"its value does not belong in this file"
            )
    variables = [str(names[each]) for each in ("key", "secret")]

    def fetch() -> Security:
        missing = [name for name in variables if not os.environ.get(name)]
        if missing:
            raise CredentialsError(f"the credentials are missing: set {' and '.join(missing)}")
        return Security(*map(os.environ.__getitem__, variables))

    return Source(f"the variables {' and '.join(variables)}", fetch)


class _Keyring(Protocol):
    """What is used of the module `keyring`."""

    def get_password(self, service_name: str, username: str) -> str | None: ...


def _from_keyring(service: object, account_id: str, where: str) -> Source:
    """Return the keyring of the operating system, which has KEY:SECRET or an account URL."""
    if not isinstance(service, str) or not service.strip():
        raise ProfileError(f"{where} must be the name of a service in the keyring")
    source = f"the keyring, service {service!r}"
    hint = f"store KEY:SECRET with: keyring set {service} {account_id}"

    def fetch() -> Security:
        try:
            keyring = cast("_Keyring", importlib.import_module("keyring"))
        except ImportError:
            message = f"the package keyring is not installed: {install_command('keyring')}"
            raise CredentialsError(message) from None
        try:
            found = keyring.get_password(service, account_id)
        except Exception as error:  # noqa: BLE001 - each of its backends has errors of its own
            kind = type(error).__name__
            raise CredentialsError(f"{source} cannot be read ({kind}); {hint}") from None
        if found is None:
            raise CredentialsError(f"{source} has no entry {account_id!r}; {hint}")
        security = _parse_pair(found)
        del found
        if security is None:
            raise CredentialsError(f"{source} does not hold KEY:SECRET; {hint}")
        return security

    return Source(source, fetch)


def _from_command(value: object, account_id: str, where: str) -> Source:
    """Return a command that prints KEY:SECRET or an account URL: without a shell, never shown."""
    arguments = cast("list[object]", value) if isinstance(value, list) else []
    texts = [each for each in arguments if isinstance(each, str)]
    if not texts or len(texts) != len(arguments) or not texts[0]:
        raise ProfileError(f"{where} must be a list of texts: the program and its arguments")
    source, hint = f"the command {texts[0]!r}", "run it yourself to see why"

    def fetch() -> Security:
        security = None
        try:
            # Standard input is that of `cld-user-groups`: a file of groups, or people.
            done = subprocess.run(  # noqa: S603 - it is the user's own command
                texts,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=TIME_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            problem = f"{source} took longer than {TIME_LIMIT:.0f} s; {hint}"
        except OSError as error:
            problem = f"{source} cannot be run: {error.strerror or error}"
        else:
            code, problem = done.returncode, f"{source} does not print KEY:SECRET on one line"
            with suppress(UnicodeDecodeError):
                security = _parse_pair(done.stdout.decode())
            del done
            if code:
                security, problem = None, f"{source} exited with {code}; {hint}"
        if security is None:
            raise CredentialsError(problem) from None
        return security

    return Source(source, fetch)


_SOURCES: Mapping[str, Callable[[object, str, str], Source]] = {
    "environment": _from_environment,
    "keyring": _from_keyring,
    "command": _from_command,
}


def fetched_once(source: Source) -> Callable[[], Security]:
    """Return a function that fetches the credentials when it is first called, and only then."""
    lock, fetch = threading.Lock(), cache(source.fetch)

    def provide() -> Security:
        with lock:
            return fetch()

    return provide


def _parse_pair(text: str) -> Security | None:
    """Return the credentials that a text is, or None; it must not raise, for it holds them."""
    url = parse_account_url(text)
    if url is not None:
        return url.security
    key, _, secret = text.strip().partition(":")
    security = Security(provisioning_api_key=key, provisioning_api_secret=secret)
    return security if problem_with(security) is None else None


@frozen(kw_only=True)
class Profile:
    """An account by name; without a source, its credentials are the client's own variables'."""

    name: str
    account_id: str
    region: Region | None = None
    server_url: str | None = None
    source: Source | None = None
    file: Path | None = None  # the file of groups that the account follows


def profiles_file() -> Path:
    """Return the file of the profiles, which need not exist."""
    named = os.environ.get(PROFILES_FILE)
    if named:
        return Path(named)
    home = os.environ.get("XDG_CONFIG_HOME")
    try:
        base = Path(home) if home else Path.home() / ".config"
    except RuntimeError:
        message = f"this user has no home directory: name the file of profiles in {PROFILES_FILE}"
        raise ProfileError(message) from None
    return base / "cld-user-groups" / "profiles.toml"


def load_profile(name: str) -> Profile:
    """Return a profile; raise `ProfileError` where there is none, or the file is not valid."""
    path = profiles_file()
    profiles = read_profiles(path)
    if name not in profiles:
        close = difflib.get_close_matches(name, profiles, n=1)
        there = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(profiles)}"
        raise ProfileError(f"there is no profile {name!r} in {path}; {there}")
    return profiles[name]


def read_profiles(path: Path) -> Mapping[str, Profile]:
    """Return the profiles of a file by name. All are checked: a secret in any is an error."""
    try:
        tables = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        hint = f"create it (docs/profiles.md shows how), or name another in {PROFILES_FILE}"
        raise ProfileError(f"there is no file of profiles {path}: {hint}") from None
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror or error}") from None
    except ValueError as error:  # UnicodeDecodeError shows bytes of the file
        said = error if isinstance(error, tomllib.TOMLDecodeError) else "not UTF-8"
        raise ProfileError(f"{path} is not TOML: {said}") from None
    if not tables:
        raise ProfileError(f"{path} has no profiles: add one, as docs/profiles.md shows")
    return {name: _parse(name, table, path) for name, table in tables.items()}


def _parse(name: str, table: object, path: Path) -> Profile:
    where = f"{path}, profile {name!r}"
    if not isinstance(table, dict):
        hint = f". {_WHERE_SECRETS_GO}" if _LIKE_A_SECRET.search(name) else ""
        raise ProfileError(f"{where}: it must be a table, [{name}]{hint}")
    values = cast("dict[str, Any]", table)
    _check_keys(values, _KEYS, where)
    texts = {key: values.get(key) for key in _KEYS if key != "credentials"}
    for key, value in texts.items():
        if value is not None and not (isinstance(value, str) and value.strip()):
            raise ProfileError(f"{where}: {key} must be a text that is not empty")
        if value is not None and _WITH_CREDENTIALS.search(value):
            raise ProfileError(f"{where}: {key} holds credentials. {_WHERE_SECRETS_GO}")
    account_id = texts["account_id"]
    if account_id is None:
        raise ProfileError(f"{where}: account_id is missing")
    if texts["region"] not in (None, *_REGIONS):
        raise ProfileError(f"{where}: region must be one of {', '.join(_REGIONS)}")
    if texts["region"] and texts["server_url"]:
        raise ProfileError(f"{where}: give region or server_url, not both")
    file = texts["file"]
    return Profile(
        file=None if file is None else path.parent / Path(file).expanduser(),
        name=name,
        account_id=account_id,
        region=cast("Region | None", texts["region"]),
        server_url=texts["server_url"],
        source=_source(values.get("credentials"), account_id, where),
    )


def _check_keys(values: Mapping[str, object], known: Collection[str], where: str) -> None:
    for key in values:
        if key in known:
            continue
        if _LIKE_A_SECRET.search(key):
            raise ProfileError(f"{where}: {key!r} looks like a secret. {_WHERE_SECRETS_GO}")
        close = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(known)}"
        raise ProfileError(f"{where}: the key {key!r} is unknown; {hint}")


def _source(given: object, account_id: str, where: str) -> Source | None:
    if given is None:
        return None
    where += ", credentials"
    if not isinstance(given, dict):
        raise ProfileError(f"{where}: it must be a table. {_WHERE_SECRETS_GO}")
    values = cast("dict[str, Any]", given)
    _check_keys(values, _SOURCES, where)
    if len(values) != 1:
        raise ProfileError(f"{where}: give one of {', '.join(_SOURCES)}")
    ((kind, value),) = values.items()
    return _SOURCES[kind](value, account_id, f"{where}.{kind}")
