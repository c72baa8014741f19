"""The account that an assistant looks at, through a client that only reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from cld_user_groups import membership

if TYPE_CHECKING:
    from cld_user_groups import CldProvisioning
    from cld_user_groups.hooks import OnlyReads


@frozen(kw_only=True)
class Account:
    """What the tools look at: through a client that has `reads` among its hooks.

    Attributes:
        source_timeout: How long to wait for the file, in seconds.
        command_line: Returns a command line of these words, for the same account.
    """

    client: CldProvisioning
    reads: OnlyReads
    file: str | None
    source_timeout: float
    command_line: Callable[..., str]

    @property
    def state(self) -> Path:
        """The directory of the account's journals."""
        return membership.state_directory(self.client.account_id)

    def desired(self) -> membership.Desired | None:
        """Return what the file says now, or None where there is no file."""
        if self.file is None:
            return None
        desired = membership.read_file(self.file, timeout=self.source_timeout)
        membership.planning.check_is_for(desired, self.client.account_id)
        return desired
