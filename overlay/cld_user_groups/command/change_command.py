"""The commands that change the account: each a plan of what it asks for."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import update_wrapper
from typing import TYPE_CHECKING, Any

import click

from . import membership
from .options import (
    TABLE_FORMATS,
    Decorator,
    allow_removals_option,
    declared,
    dry_run_option,
    ignore_file_option,
    reason_option,
    roles_option,
    settings_of,
    summary_option,
    yes_option,
)
from .running import RunOptions, run_plan
from .source import one_user, read_groups, read_people

if TYPE_CHECKING:
    from cld_user_groups import CldProvisioning
    from cld_user_groups.membership import Finder
    from cld_user_groups.membership.drafts import Draft
    from cld_user_groups.membership.everyday import DesiredState
    from cld_user_groups.membership.roles import Reach

#: What the source of a plan begins with that a command makes, not a file.
EVERYDAY = "cld-user-groups "


def change_command(
    name: str, *parameters: Decorator, removes: bool = False
) -> Callable[[Callable[..., DesiredState]], click.Command]:
    """Return a decorator: a command that plans what a function wants, shows the plan, applies it.

    The function takes a `Finder` in the account as it was read, and its parameters by name; those
    that name users, as what is found: `people` for the argument USER..., and `like`. One that
    `removes` members knows --allow-removals.
    """
    options: list[Decorator]
    options = [reason_option, dry_run_option, yes_option, roles_option, summary_option]
    options += [ignore_file_option, *([allow_removals_option] if removes else [])]

    def decorate(function: Callable[..., DesiredState]) -> click.Command:
        def run(
            context: click.Context,
            /,
            yes: bool,
            dry_run: bool,
            reason: str | None,
            roles: Reach | None,
            ignore_file: bool,
            allow_removals: int | None = None,
            users: Sequence[str] = (),
            **values: Any,
        ) -> int:
            people = read_people(users)
            model = one_user(values["like"]) if "like" in values else None
            words = [name, *_words(context, values)]
            settings = settings_of(context)
            path = None if ignore_file else settings.groups_file
            file = None if path is None else read_groups(path)

            def wanted(finder: Finder) -> DesiredState:
                found: dict[str, Any] = {}
                if model is not None:
                    (found["like"],) = finder.users([model])
                if people:
                    found["people"] = finder.users(people)
                return function(finder, **values | found)

            def prepare(client: CldProvisioning) -> Draft:
                return membership.drafts.draft_of_wanted(
                    *(client, people, wanted),
                    source=EVERYDAY + shlex.join(words),
                    reason=reason,
                    file=file,
                    adds=bool(people) and not removes,
                    like=() if model is None else (model,),
                    allow_removals=allow_removals,
                )

            why = ["--reason", reason] if reason else []
            unheld = ["--ignore-file"] if ignore_file else []
            options = RunOptions(
                yes=yes,
                dry_run=dry_run,
                roles=roles,
                resume=settings.command_line(*words, *users, *why, *unheld),
                hint="" if path is None else f"The file of the profile is {path}.",
            )
            return run_plan(settings, prepare, options)

        callback = update_wrapper(click.pass_context(run), function)
        return declared(name, callback, (*parameters, *options), TABLE_FORMATS)

    return decorate


def _words(context: click.Context, values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a command line says beside users: what the plan and the journal name as source."""
    for parameter in context.command.params:
        if (value := values.get(parameter.name or "")) is not None:
            if isinstance(parameter, click.Option):
                yield parameter.opts[0]
            yield from [value] if isinstance(value, str) else value
