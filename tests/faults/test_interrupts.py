"""Ctrl-C can come between any two instructions: once the request went out, it tells so."""

from __future__ import annotations

import sys
from inspect import currentframe
from itertools import count
from types import FrameType
from typing import Any

from tests.support.fault_calls import ACCOUNT, CREATE, SECURITY
from tests.support.fault_server import FaultServer, response

from cld_user_groups import CldProvisioning, maybe_applied
from cld_user_groups._engine.io import drive


class Interrupt:
    """Presses Ctrl-C before the instruction of `drive` with this number, if a call gets there."""

    def __init__(self, number: int) -> None:
        self._left = number

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code is not drive.__code__:
            return None
        frame.f_trace_opcodes = True
        return self._count

    def _count(self, frame: FrameType, event: str, argument: object) -> Any:
        frame.f_trace_opcodes = True  # again, for Python 3.13: now the frame is traced
        is_over = frame.f_locals["flow"].gi_frame is None
        if event == "opcode" and not is_over:
            self._left -= 1
            if not self._left:
                raise KeyboardInterrupt
        return self._count


def ask_for_opcodes() -> None:
    """Ask before tracing begins, as Python 3.12 needs it."""
    here = currentframe()
    assert here is not None
    here.f_trace_opcodes = True


def test_an_interrupt_at_any_instruction_tells_whether_it_was_sent() -> None:
    told = set()
    ask_for_opcodes()
    with (
        FaultServer(respond=lambda request: response(200, CREATE.body)) as server,
        CldProvisioning(SECURITY, ACCOUNT, server_url=server.url) as client,
    ):
        for number in count(1):
            before = len(server.requests)
            tracer = sys.gettrace()
            sys.settrace(Interrupt(number))
            try:
                client.user_groups.create(name="Designers")
            except KeyboardInterrupt as error:
                told.add((len(server.requests) > before, maybe_applied(error)))
            else:  # there are fewer instructions
                break
            finally:
                sys.settrace(tracer)
    assert told == {(False, False), (True, True)}
