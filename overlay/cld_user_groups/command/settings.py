"""The global options, which are accepted before the command's name and after it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import click
from attrs import define

if TYPE_CHECKING:
    from cld_user_groups import CldProvisioning

F = TypeVar("F", bound=Callable[..., Any])

Region = Literal["api", "api-eu", "api-ap"]
#: The formats of every command, of one that prints a table, of one that shows a plan, and all.
FORMATS = ("text", "json")
TABLE_FORMATS = (*FORMATS, "csv", "markdown")
PLAN_FORMATS = (*FORMATS, "markdown", "html")
ALL_FORMATS = (*TABLE_FORMATS, "html")


@define
class Settings:
    """The values of the global options.

    Attributes:
        server_url: The server's URL, or None for that of the environment or the region.
        region: The region, or None.
        account_id: The account, or None for that of the environment.
        format: The format of what goes to standard output.
        quiet: Whether to leave out progress and messages, errors excepted.
        debug: Whether to show requests, and tracebacks of errors.
    """

    server_url: str | None = None
    region: Region | None = None
    account_id: str | None = None
    format: str = "text"
    quiet: bool = False
    debug: bool = False

    @property
    def is_json(self) -> bool:
        """Whether standard output gets one JSON document."""
        return self.format == "json"

    def open_client(self) -> CldProvisioning:
        """Return a client with these settings; nothing is sent.

        Raises:
            ValueError: A setting is not valid, or the credentials are missing.
        """
        from cld_user_groups import CldProvisioning

        if self.debug:
            logging.basicConfig(format="%(asctime)s %(message)s")
            logging.getLogger("cld_user_groups").setLevel(logging.DEBUG)
        return CldProvisioning(
            account_id=self.account_id, region=self.region, server_url=self.server_url
        )


def settings_of(context: click.Context) -> Settings:
    """Return the settings of this call of the command."""
    return context.ensure_object(Settings)


def global_options(formats: tuple[str, ...] = FORMATS) -> Callable[[F], F]:
    """Return a decorator that adds the global options to a command.

    Args:
        formats: The formats that the command knows.
    """

    def store(context: click.Context, parameter: click.Parameter, value: object) -> None:
        settings = settings_of(context)
        if parameter.name and value not in (None, False):
            setattr(settings, parameter.name, value)
        if parameter.name == "format" and settings.format not in formats:
            raise click.BadParameter(
                f"{settings.format!r} is not one of {', '.join(map(repr, formats))}.",
                context,
                parameter,
            )

    def option(*names: str, **settings: object) -> Callable[[F], F]:
        return click.option(*names, expose_value=False, callback=store, **cast("Any", settings))

    options = [
        option("--server-url", metavar="URL", help="The server, instead of a region's."),
        option(
            "--region", type=click.Choice(["api", "api-eu", "api-ap"]), help="The region's server."
        ),
        option("--account-id", metavar="ID", help="The account. [CLOUDINARY_ACCOUNT_ID]"),
        option("--format", type=click.Choice(formats), help="What standard output gets: text."),
        option("--quiet", is_flag=True, help="No progress and no messages but errors."),
        option("--debug", is_flag=True, help="Show requests, and the tracebacks of errors."),
    ]

    def decorate(command: F) -> F:
        for add in reversed(options):
            command = add(command)
        return command

    return decorate
