"""The connection to a dask cluster: its workers, tasks for one of them, and what these tell."""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from typing import Any, Self

from benchbox.errors import BenchboxError, CodecUnavailableError, UsageError, one_line

TOPIC = "benchbox"
"""What workers tell clients under. Dask keeps the last events of a topic, so that all runs have one."""

ASK_AGAIN = 1.0
"""Seconds between two looks at the cluster's workers."""


class Cluster:
    """The cluster whose dask scheduler is at `address`; ``"local"`` starts one of processes on this machine. A context
    manager: leaving it lets go of every task.

    Args:
        address: e.g. ``tcp://10.0.0.1:8786``.
        say: is called with lines for the user.
        timeout: seconds for the scheduler to answer.

    Attributes:
        run: names this connection among those of other runs.

    Raises:
        UsageError: no scheduler answers.
        CodecUnavailableError: dask is not installed.
    """

    def __init__(self, address: str, say: Callable[[str], None], timeout: float = 10) -> None:
        self.run = uuid.uuid4().hex
        self.say = say
        self._address = address
        self._timeout = timeout
        self._stack = contextlib.ExitStack()
        self._client: Any = None
        self._told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._threads: dict[str, int] = {}
        self._asked = -ASK_AGAIN

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._client = self._connected(stack)
            self._client.subscribe_topic(TOPIC, self._hear)
            stack.callback(self._client.unsubscribe_topic, TOPIC)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def workers(self) -> Mapping[str, int]:
        """address -> threads of each worker that is there now, as of the last second.

        Raises:
            BenchboxError: the scheduler is gone.
        """
        if time.monotonic() - self._asked >= ASK_AGAIN:
            try:
                self._threads = dict(self._client.nthreads())
            except (OSError, TimeoutError, CancelledError) as error:
                raise self.gone() from error
            self._asked = time.monotonic()
        if self._client.status != "running":
            raise self.gone()
        return self._threads

    def has_gpu(self) -> bool:
        """Whether a worker offers the resource ``GPU``; waits until there is a worker."""
        if not self.workers():
            self.say('dask: no worker yet, and the plan says device = "auto"; waiting for one (Ctrl-C stops)')
        while not self.workers():
            time.sleep(ASK_AGAIN)
        found = self._client.scheduler_info(n_workers=-1)["workers"].values()
        return any(worker.get("resources", {}).get("GPU", 0) >= 1 for worker in found)

    def submit(
        self, task: Callable[[str], None], asked: Mapping[str, Any], worker: str | None, gpu: bool = False
    ) -> Any:
        """Have `worker`, or any where that is None, run a task of `benchbox.execution.dask_worker`; `gpu` asks for a
        device. The future that comes back holds what the worker keeps for the task."""
        text = json.dumps({**asked, "run": self.run})
        future = self._client.submit(
            task, text, key=f"benchbox-{uuid.uuid4().hex}", pure=False, workers=None if worker is None else [worker],
            resources={"GPU": 1} if gpu else None,
        )  # fmt: skip
        future.add_done_callback(lambda done: self._told.put({"kind": "done", "future": done}))
        return future

    def withdraw(self, future: Any) -> None:
        """Let a task go that need not be run any more."""
        with contextlib.suppress(OSError, TimeoutError, CancelledError):
            future.cancel()

    def told(self, seconds: float) -> Iterator[dict[str, Any]]:
        """What tasks have told, waiting `seconds` for the first; ``{"kind": "done", "future"}`` for each that is
        over."""
        try:
            yield self._told.get(timeout=seconds)
            while True:
                yield self._told.get_nowait()
        except queue.Empty:
            return

    def _hear(self, event: tuple[float, Any]) -> None:
        run, messages = event[1]
        if run == self.run:
            for message in json.loads(messages):
                self._told.put(message)

    def gone(self) -> BenchboxError:
        """The error that says that the scheduler is gone."""
        return BenchboxError(f"the dask scheduler at {self._address} is gone; what was measured is kept. Start it and "
                             "run the same command again to continue")  # fmt: skip

    def _connected(self, stack: contextlib.ExitStack) -> Any:
        try:
            import distributed
        except ImportError:
            raise CodecUnavailableError('dask is not installed; pip install "benchbox[dask]"') from None
        stack.enter_context(_quiet())
        typeless: Any = distributed  # its constructors are not annotated
        address: Any = self._address
        if address == "local":
            address = stack.enter_context(typeless.LocalCluster(dashboard_address=None))
        else:
            _check_address(address)
        try:
            return stack.enter_context(typeless.Client(address, timeout=self._timeout, set_as_default=False))
        except (OSError, ValueError) as error:
            raise UsageError(f"no dask scheduler answers at {self._address}: {one_line(error)}; start one with "
                             "`dask scheduler`, or give the address that it prints") from error  # fmt: skip


def _check_address(address: str) -> None:
    """Raises UsageError for what is no address of a scheduler. A client made with it would hang when it is closed."""
    from distributed.comm.addressing import get_address_host_port

    if address.startswith("inproc://"):  # of a cluster in this process, which has no host
        return
    try:
        host, port = get_address_host_port(address)
        sound = bool(host) and 0 < port < 1 << 16
    except (ValueError, TypeError, ImportError):  # ImportError: a transport whose library is not installed
        sound = False
    if not sound:
        raise UsageError(f"--dask '{address}' is no address of a dask scheduler; write it as in tcp://10.0.0.1:8786, "
                         "or 'local' for a cluster on this machine")  # fmt: skip


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Inside it, dask does not print what benchbox says in a line of its own."""
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    before = {name: logging.getLogger(name).level for name in names}
    try:
        for name in names:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
