"""Run a plan in a process that can be killed."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

from cld_user_groups import CldProvisioning
from cld_user_groups.membership.applying import apply
from cld_user_groups.membership.model import Plan
from cld_user_groups.membership.plan_file import load_plan, save_plan
from cld_user_groups.membership.state import state_directory

from .accounts import SECURITY


def client_at(url: str) -> CldProvisioning:
    """Return a client of an account at a URL."""
    return CldProvisioning(SECURITY, "acc", server_url=url)


def apply_saved(url: str, path: Path, state: Path) -> None:
    """Apply a saved plan."""
    with client_at(url) as client:
        apply(client, load_plan(path), state_dir=state, concurrency=8)


def run_and_kill(url: str, made: Plan, state: Path, kill_after: int) -> bool:
    """Run a plan in another process; kill it once the journal has grown by some lines."""
    context = multiprocessing.get_context("forkserver")  # which imports all this only once
    context.set_forkserver_preload([__name__])
    path = state / "plan.json"
    save_plan(made, path)
    before = _lines_of(state)
    process = context.Process(target=apply_saved, args=(url, path, state))
    process.start()
    while process.is_alive():
        if _lines_of(state) >= before + kill_after:
            process.kill()
            process.join()
            return True
        time.sleep(0.001)
    assert process.exitcode == 0
    return False


def _lines_of(state: Path) -> int:
    directory = state_directory("acc", state)
    return sum(path.read_bytes().count(b"\n") for path in directory.glob("*.jsonl"))
