"""The examples of docs/many-workers.md run as they stand."""

from __future__ import annotations

import pytest
from tests.support.code_blocks import Block, blocks, run
from tests.support.redis_server import RedisServer

from cld_user_groups.emulator import Emulator

DOCUMENT = "docs/many-workers.md"


@pytest.mark.parametrize("block", blocks(DOCUMENT), ids=str)
def test_example_runs(
    block: Block, running_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = Emulator()
    with emulator.serve() as server:
        monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", "account://k:s@acc")
        monkeypatch.setenv("CLOUDINARY_PROVISIONING_SERVER_URL", server.url)
        monkeypatch.setenv("REDIS_URL", running_redis.url)
        run(block)
    assert [call.status for call in emulator.calls] == [200]
