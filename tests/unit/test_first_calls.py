"""The first calls of a process may come from many threads at once."""

from __future__ import annotations

import subprocess
import sys

# msgspec crashes the process if two threads let it examine one class at once.
PROGRAM = """
import sys, threading
from cld_provisioning_api import models, types

sys.setswitchinterval(1e-6)
barrier = threading.Barrier(8)

def decode():
    barrier.wait()
    body = b'{"user_groups": [{"id": "g", "name": "n", "users": [{"id": "u"}]}]}'
    assert types.decode(body, models.UserGroupsResponse).user_groups[0].users[0].id == "u"

def convert():
    barrier.wait()
    user = models.User.from_dict({"id": "u", "groups": [{"id": "g", "name": "n"}]})
    assert user.groups[0].id == "g"

def encode():
    barrier.wait()
    body = models.UserGroupRequest(name="n")
    assert types.encode_body(body, models.UserGroupRequest) == b'{"name":"n"}'

def work():
    decode()
    convert()
    encode()

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_a_class_is_examined_by_one_thread_at_a_time() -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", PROGRAM], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    ended = [process.communicate()[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], ended
