"""The options of the command line, their values, and the client that they make."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeAlias, cast, get_args

import click
from attrs import define, field, fields

from . import membership
from .examples import examples_of
from .output import HelpContext, json_log, print_message, show

if TYPE_CHECKING:
    from cld_user_groups import CldProvisioning

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]
P = ParamSpec("P")
Region = Literal["api", "api-eu", "api-ap"]
_REGIONS = get_args(Region)

#: The formats of every command, of one that prints a table, and of one that shows a plan, all.
FORMATS = ("text", "json")
TABLE_FORMATS = (*FORMATS, "csv", "markdown")
PLAN_FORMATS = (*TABLE_FORMATS, "html")

_CREDENTIALS = (
    "CLOUDINARY_ACCOUNT_URL",
    "CLOUDINARY_PROVISIONING_API_KEY",
    "CLOUDINARY_PROVISIONING_API_SECRET",
)
_MIB = 1024 * 1024
_DURATION = re.compile(r"(?=.)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", re.ASCII)


def duration(text: str) -> float:
    """Return the seconds of a duration: `90`, `90s`, `15m`, `1h30m`."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a duration such as 90s, 15m or 1h30m.")
    hours, minutes, seconds = map(int, found.groups("0"))
    return float(hours * 3600 + minutes * 60 + seconds)


def age(text: str) -> float:
    """Return the seconds of an age: 90d, or a duration such as 12h."""
    days = re.fullmatch(r"(\d+)d", text, re.ASCII)
    try:
        return int(days[1]) * 86_400.0 if days else duration(text)
    except click.BadParameter:
        raise click.BadParameter(f"{text!r} is not an age such as 90d or 12h.") from None


def positive_duration(text: str) -> float:
    """Return the seconds of a duration that is not 0."""
    seconds = duration(text)
    if not seconds:
        raise click.BadParameter(f"{text!r} is no time at all: 90s, 15m and 1h30m are.")
    return seconds


def _complete_profile(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Return the names of profiles that begin as what is typed; none if the file is not valid."""
    from .profiles import ProfileError, profiles_file, read_profiles

    try:
        return [name for name in read_profiles(profiles_file()) if name.startswith(incomplete)]
    except ProfileError:
        return []


def setting(help: str, default: Any = None, *, repr: bool = True, **option: Any) -> Any:  # noqa: A002
    """Return an attribute of `Settings` that a global option sets."""
    return field(default=default, repr=repr, metadata={"option": {"help": help, **option}})


@define
class Settings:
    """The values of the global options; times are in seconds, `max_body` is in MiB."""

    server_url: str | None = setting("The URL of the server, instead of a region.", metavar="URL")
    region: str | None = setting("The region of the server.", type=click.Choice(_REGIONS))
    account_id: str | None = setting("The ID of the account. [CLOUDINARY_ACCOUNT_ID]", metavar="ID")
    profile: str | None = setting(
        "The profile to use. [CLOUDINARY_PROFILE]", metavar="NAME", shell_complete=_complete_profile
    )
    lease: str | None = setting(
        "The Redis that keeps other machines off the account. [CLOUDINARY_LEASE_URL]",
        repr=False,  # there may be a password in it
        metavar="URL",
    )
    format: str = setting("The format of standard output. Default: text.", "text")
    log_format: str = setting(
        "The format of standard error: text (default), or one JSON object per line.",
        "text",
        type=click.Choice(FORMATS),
    )
    no_pager: bool = setting("Print what is longer than the screen at once.", False, is_flag=True)
    quiet: bool = setting("Print no progress, and no messages except errors.", False, is_flag=True)
    timeout: float | None = setting(
        "How long to wait for a connection, and for a whole response. Default: 10s, 30s.",
        type=duration,
        metavar="DURATION",
    )
    source_timeout: float = setting(
        "How long to wait for a source that is a pipe to end: 90s, 15m. Default: 10m.",
        600.0,
        type=positive_duration,
        metavar="DURATION",
    )
    max_body: int | None = setting(
        "The maximum size of a response, and of a file, in MiB. Default: 64.",
        type=click.IntRange(min=1),
        metavar="MIB",
    )
    debug: bool = setting("Show requests and the tracebacks of errors.", False, is_flag=True)
    summary: bool = False

    @property
    def is_json(self) -> bool:
        """Whether standard output gets one JSON document."""
        return self.format == "json"

    @property
    def profile_name(self) -> str | None:
        """The name of the account's profile: the option, else that of the environment."""
        return self.profile or os.environ.get("CLOUDINARY_PROFILE") or None

    @property
    def groups_file(self) -> str | None:
        """The file of groups that the account's profile names, if it names one."""
        if self.profile_name is None:
            return None
        from .profiles import load_profile

        profile = load_profile(self.profile_name)
        is_its_account = self.account_id in (None, profile.account_id)
        return str(profile.file) if profile.file is not None and is_its_account else None

    @property
    def max_bytes(self) -> int | None:
        """The maximum size of a response's body, or None for the client's own."""
        return None if self.max_body is None else self.max_body * _MIB

    def command_line(self, *words: str) -> str:
        """Return a command line for the same account, as it can be pasted into a shell."""
        chosen = {
            "--profile": self.profile,
            "--account-id": self.account_id,
            "--region": self.region,
            "--server-url": self.server_url,
            "--max-body": self.max_body,
        }
        options = [word for name, value in chosen.items() if value for word in (name, str(value))]
        return shlex.join(["cld-user-groups", *options, *words])

    def say(self, text: str, *, is_text: bool = True) -> None:
        """Write a message, unless it is to be quiet."""
        if not self.quiet:
            print_message(text, is_text=is_text)

    def show(self, text: str) -> None:
        """Write a text for people to standard output, with a pager where it is long."""
        show(text, has_pager=not self.no_pager)

    def open_client(self, hooks: Sequence[object] = ()) -> CldProvisioning:
        """Return a client with these settings; nothing is sent."""
        from cld_user_groups import CldProvisioning

        log = json_log()
        every = hooks if log is None else (*hooks, log)
        return CldProvisioning(**self.client_options(), hooks=every)

    def client_options(self) -> dict[str, Any]:
        """Return the account, its server and its credentials: options, then those of the profile.

        What neither has is left to the client, which looks into the environment.
        """
        found: dict[str, Any] = {"account_id": self.account_id}
        found |= {"region": self.region, "server_url": self.server_url}
        if self.timeout is not None:
            found["timeout_ms"] = self.timeout * 1000
        if self.max_bytes is not None:
            found["max_response_bytes"] = self.max_bytes
        name, is_set = self.profile_name, any(map(os.environ.get, _CREDENTIALS))
        if name is None:
            if not is_set:
                raise ValueError(
                    "there are no credentials: set "
                    "CLOUDINARY_ACCOUNT_URL=account://KEY:SECRET@ACCOUNT_ID, "
                    "or CLOUDINARY_PROVISIONING_API_KEY, CLOUDINARY_PROVISIONING_API_SECRET and "
                    "CLOUDINARY_ACCOUNT_ID, or choose a profile with --profile"
                )
            return found
        from .profiles import fetched_once, load_profile

        profile = load_profile(name)
        found["account_id"] = self.account_id or profile.account_id
        if not (self.region or self.server_url):
            found["region"], found["server_url"] = profile.region, profile.server_url
        if profile.source is not None:
            found["security"] = fetched_once(profile.source)
        elif not is_set:
            raise ValueError(
                f"there are no credentials: profile {name!r} does not say where they come from "
                f"(credentials), and {_CREDENTIALS[1]} and {_CREDENTIALS[2]} are not set"
            )
        return found

    def open_lease(
        self, account_id: str, *, wait: float, run: str
    ) -> AbstractContextManager[membership.Lease | None]:
        """Return a lease on an account, to be entered; an empty context where none is asked for."""
        url = self.lease or os.environ.get("CLOUDINARY_LEASE_URL")
        return membership.RedisLease(url, account_id, wait=wait, run=run) if url else nullcontext()


def settings_of(context: click.Context) -> Settings:
    """Return the settings of this call of the command."""
    return context.ensure_object(Settings)


def words_of(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the words of this command line that give some of its parameters these values."""
    for parameter in click.get_current_context().command.params:
        value = values.get(parameter.name or "")
        for each in () if value is None else [value] if isinstance(value, str) else value:
            if isinstance(parameter, click.Option):
                yield parameter.opts[0]
            yield each


def _store(context: click.Context, parameter: click.Parameter, value: object) -> None:
    if parameter.name and value not in (None, False):
        setattr(settings_of(context), parameter.name, value)


def _store_format(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Store a format, which may stand before the name of a command that does not have it."""
    _store(context, parameter, value)
    given, formats = settings_of(context).format, cast("click.Choice[str]", parameter.type).choices
    if given not in formats:
        message = f"{given!r} is not one of {', '.join(map(repr, formats))}."
        raise click.BadParameter(message, context, parameter)


def option(names: str, help: str, metavar: str | None = None, **more: Any) -> Decorator:  # noqa: A002
    """Return an option of these names, with spaces between them."""
    return click.option(*names.split(), metavar=metavar, help=help, **more)


def flag(names: str, help: str, **more: Any) -> Decorator:  # noqa: A002
    """Return an option without a value."""
    return option(names, help, is_flag=True, **more)


def number(name: str, help: str, default: int | None = None, least: int = 0) -> Decorator:  # noqa: A002
    """Return an option whose value is a count, N."""
    kind = click.IntRange(min=least)
    return option(name, help, "N", type=kind, default=default, show_default=bool(default))


force = flag("--force", "Replace the file even if it was written or edited by hand.")
adds_only = flag("--adds-only", "Leave out removals and deletions.")
yes = flag("--yes -y", "Do not ask.")
dry_run = flag("--dry-run", "Only show the plan.")
allow_removals = number("--allow-removals", "Allow exactly N removals.")
allow_new = option(
    "--allow-new",
    "Create the group of this name, though it looks like an accident.",
    "NAME",
    multiple=True,
)
reason = option("--reason", "The reason, which the journal records.", "TEXT")
_REACHES = ("groups", "people")
_REACH = click.Choice(_REACHES)
roles = option(
    "--roles",
    "Show which roles begin and end; with =people, also read those that people hold themselves.",
    is_flag=False,
    flag_value=_REACHES[0],
    type=_REACH,
)
summary = flag(
    "--summary",
    "Show a table of the groups, the totals, guards and warnings, not each change.",
    expose_value=False,
    callback=_store,
)
ignore_file = flag("--ignore-file", "Do not look at the file of the profile.")


def with_options(*parameters: Decorator) -> Decorator:
    """Return a decorator that adds parameters, in the order of the help."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for add in reversed(parameters):
            function = add(function)
        return function

    return decorate


def command(
    name: str, *parameters: Decorator, formats: tuple[str, ...] = TABLE_FORMATS
) -> Callable[[Callable[Concatenate[Settings, P], Any]], click.Command]:
    """Return a decorator: a command that is called with the settings and its parameters."""

    def decorate(function: Callable[Concatenate[Settings, P], Any]) -> click.Command:
        callback: Callable[..., Any]
        callback = click.make_pass_decorator(Settings, ensure=True)(function)
        callback = with_options(*parameters, global_options(formats))(callback)
        examples = examples_of(function.__module__, name)
        return click.command(name, cls=_Command, epilog=examples)(callback)

    return decorate


class _Command(click.Command):
    context_class = HelpContext

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse arguments; what follows `--roles` is its value only if it can be one."""
        if any(isinstance(each, click.Option) and each.type is _REACH for each in self.params):
            end = args.index("--") if "--" in args else len(args)
            for at, (word, after) in enumerate(pairwise([*args[:end], ""])):
                if word == "--roles" and after not in _REACHES:
                    args[at] = f"--roles={_REACHES[0]}"
        return super().parse_args(ctx, args)


def global_options(formats: tuple[str, ...]) -> Decorator:
    """Return a decorator that adds the options of every command, before and after its name."""
    kept: dict[str, dict[str, Any]] = {
        each.name: {"expose_value": False, "callback": _store, **each.metadata["option"]}
        for each in fields(Settings)
        if "option" in each.metadata
    }
    kept["format"] |= {"type": click.Choice(formats), "callback": _store_format}
    named = {f"--{name.replace('_', '-')}": option for name, option in kept.items()}
    return with_options(*(click.option(name, **option) for name, option in named.items()))
