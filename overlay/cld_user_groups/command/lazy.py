"""Modules that are imported when something of them is first used.

Parsing a command line and printing help need nothing of them, and `membership` costs more than all
of click.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cld_user_groups import membership as membership
    from cld_user_groups.membership import checks as checks
    from cld_user_groups.membership import documents as documents
    from cld_user_groups.membership import guards as guards
    from cld_user_groups.membership import identity as identity
    from cld_user_groups.membership import journal as journal
    from cld_user_groups.membership import rendering as rendering
    from cld_user_groups.membership import review as review
    from cld_user_groups.membership import state as state
    from cld_user_groups.membership.files import content as content

    from . import profiles as profiles
else:

    class _Lazy:
        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, attribute: str) -> object:
            return getattr(importlib.import_module(self._name), attribute)

    profiles = _Lazy("cld_user_groups.command.profiles")
    membership = _Lazy("cld_user_groups.membership")
    checks = _Lazy("cld_user_groups.membership.checks")
    guards = _Lazy("cld_user_groups.membership.guards")
    identity = _Lazy("cld_user_groups.membership.identity")
    journal = _Lazy("cld_user_groups.membership.journal")
    documents = _Lazy("cld_user_groups.membership.documents")
    content = _Lazy("cld_user_groups.membership.files.content")
    rendering = _Lazy("cld_user_groups.membership.rendering")
    review = _Lazy("cld_user_groups.membership.review")
    state = _Lazy("cld_user_groups.membership.state")
