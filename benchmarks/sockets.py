"""CPU time of calls over a socket, by client: all of them in one interleaved run.

Each round measures a batch of every client, in random order, and divides by that of bare httpx in
the same round. The clients run in environments of their own (noxfile.py): what one installs would
change another. The server answers each request with the same bytes at once, in a process of its
own, whose time does not count. In the environment `plain` there is httpx alone, without sniffio.
"""

import json
import math
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from environments import python
from server import answering, certificate

from command import options, report

_PEERS = Path(__file__).with_name("peers.py")
ENVIRONMENTS = ("sdk", "plain", "engines", "vendor", "classic")
BARE, WITHOUT_SNIFFIO = "bare httpx", "bare httpx without sniffio"
CALLS = 40
# What is called, over TLS or not, and how many at once.
SCENARIOS = tuple(
    (kind, operation, is_tls, at_once)
    for is_tls in (False, True)
    for kind in ("sync", "async")
    for operation, at_once in (("list", 1), ("update", 1), ("list", 20))
    if not (is_tls and operation == "update")
)


def title(kind: str, operation: str, is_tls: bool, at_once: int) -> str:
    """Return the name of a scenario."""
    how = f"{at_once} at once" if at_once > 1 else "one by one"
    return f"`{operation}()`, {kind}, {how}, {'TLS' if is_tls else 'plain http'}"


class Worker:
    """A process of peers.py in an environment."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.names: dict[str, list[str]] = json.loads(self._read())

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} has ended")
        return line

    def cost(self, *arguments: object) -> float:
        """Return the CPU time of a call, in seconds."""
        assert self._process.stdin is not None
        print(json.dumps(arguments), file=self._process.stdin, flush=True)
        return float(self._read())


@contextmanager
def workers(url: str, trusted: str) -> Generator[dict[str, Worker]]:
    """Start a process in each environment that can be built."""
    with ExitStack() as stack:
        found: dict[str, Worker] = {}
        for name in ENVIRONMENTS:
            try:
                line = [python(name), str(_PEERS), url, trusted]
                pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
                process = stack.enter_context(subprocess.Popen(line, **pipes))  # type: ignore[call-overload]
                found[name] = Worker(process)
            except RuntimeError as error:
                print(f"  left out: {error}", file=sys.stderr)
        yield found


def clients(found: dict[str, Worker], kind: str) -> dict[str, tuple[Worker, str]]:
    """Return which worker has which client, under the name of the table."""
    chosen: dict[str, tuple[Worker, str]] = {}
    for environment, worker in found.items():
        for name in worker.names[kind]:
            if environment == "plain" and name == BARE:
                chosen[WITHOUT_SNIFFIO] = worker, name
            else:
                chosen.setdefault(name, (worker, name))
    if kind == "sync":  # which never looks for sniffio
        chosen.pop(WITHOUT_SNIFFIO, None)
    return chosen


def measure(found: dict[str, Worker], scenario: tuple[str, str, bool, int], rounds: int) -> None:
    """Measure a scenario, and print its rows; a client that fails has none."""
    kind, operation, _, at_once = scenario
    chosen = clients(found, kind)
    costs: dict[str, list[float]] = {name: [] for name in chosen}
    for number in range(rounds + 1):  # the first is not counted: it opens the connections
        for name in random.sample([*chosen], len(chosen)):
            worker, known_as = chosen[name]
            cost = worker.cost(kind, at_once, known_as, operation, CALLS)
            if number:
                costs[name].append(cost)
    costs = {name: own for name, own in costs.items() if not any(map(math.isnan, own))}
    for name, own in costs.items():
        row: dict[str, object] = {"figure": "socket", "client": name}
        row |= {"scenario": title(*scenario), "own": statistics.median(own)}
        for key, baseline in (("", BARE), ("plain ", WITHOUT_SNIFFIO)):
            if baseline in costs:
                pairs = zip(own, costs[baseline], strict=True)
                ratios = [mine / bare for mine, bare in pairs]
                low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
                row |= {f"{key}low": low, f"{key}ratio": middle, f"{key}high": high}
        report(row)


def main() -> None:
    """Measure all scenarios."""
    rounds = options(__doc__).pairs(20)
    with tempfile.TemporaryDirectory() as folder:
        for trusted in ("", certificate(Path(folder))):
            with answering(trusted) as url, workers(url, trusted) as found:
                for scenario in SCENARIOS:
                    if scenario[2] is bool(trusted):
                        measure(found, scenario, rounds)


if __name__ == "__main__":
    main()
