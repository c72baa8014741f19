"""The commands that change the account: each a plan of what it asks for."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import TYPE_CHECKING, Any

import click

from . import membership, options
from .options import Decorator, declared, settings_of, words_of
from .running import PlanRun
from .source import one_user, read_groups, read_people

if TYPE_CHECKING:
    from cld_user_groups import CldProvisioning
    from cld_user_groups.membership.drafts import Draft
    from cld_user_groups.membership.everyday import DesiredState

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
    common = [options.reason, options.dry_run, options.yes, options.roles, options.summary]
    common += [options.ignore_file, *([options.allow_removals] if removes else [])]

    def decorate(function: Callable[..., DesiredState]) -> click.Command:
        def run(
            context: click.Context,
            /,
            reason: str | None,
            ignore_file: bool,
            allow_removals: int | None = None,
            users: Sequence[str] = (),
            **given: Any,
        ) -> int:
            how = {key: given.pop(key) for key in ("yes", "dry_run", "roles")}
            people = read_people(users)
            like = [one_user(given["like"])] if "like" in given else []
            words = [name, *words_of(context, given)]
            settings = settings_of(context)
            path = None if ignore_file else settings.groups_file
            file = None if path is None else read_groups(path)

            def wanted(finder: membership.Finder) -> DesiredState:
                found = {"like": finder.users(like)[0]} if like else {}
                named = {"people": finder.users(people)} if people else {}
                return function(finder, **given | found | named)

            def prepare(client: CldProvisioning) -> Draft:
                return membership.drafts.draft_of_wanted(
                    *(client, people, wanted),
                    source=EVERYDAY + shlex.join(words),
                    reason=reason,
                    file=file,
                    adds=bool(people) and not removes,
                    like=like,
                    allow_removals=allow_removals,
                )

            why = ["--reason", reason] if reason else []
            unheld = ["--ignore-file"] if ignore_file else []
            return PlanRun(
                settings=settings,
                prepare=prepare,
                resume=settings.command_line(*words, *users, *why, *unheld),
                hint="" if path is None else f"The file of the profile is {path}.",
                **how,
            ).execute()

        callback = update_wrapper(click.pass_context(run), function)
        return declared(name, callback, (*parameters, *common))

    return decorate
