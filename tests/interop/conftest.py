"""Report which of the servers and programs that the tests run are installed."""

from __future__ import annotations

import pytest
from tools.node_tools import find_node

from .proxies import PROXIES


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Return what is installed, and what is not."""
    node = find_node()
    found = {proxy.program: proxy.executable or "not installed, skipped" for proxy in PROXIES}
    found["node"] = f"{node.program} {node.version}" if node else "not installed, skipped"
    return [f"{name}: {where}" for name, where in found.items()]
