"""Calls that may never come back: each in a thread of its own, all looked at with one deadline.

One that hangs is not begun again before it has ended, so what hangs holds one thread and no more.
For a sampler in its thread.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final, Generic, TypeVar

WAIT_S: Final = 3.0  # for all of them; less than a look may take

T = TypeVar("T")


class Waits(Generic[T]):
    """The calls of one sampler.

    Args:
        calls_max: how many there may be.
    """

    def __init__(self, calls_max: int) -> None:
        self._threads = ThreadPoolExecutor(calls_max, thread_name_prefix="waits")
        self._begun: dict[str, tuple[int, Future[T]]] = {}

    def all(
        self, calls: Mapping[str, Callable[[], T]], now_ms: int, wait_s: float
    ) -> dict[str, T | int]:
        """Make calls that do not raise; return by name what each gave.

        Args:
            calls: at most as many as were said, by a name that stays.
            now_ms: the boot clock.
            wait_s: for all of them.

        Returns:
            an answer; of one that did not end, since when it hangs, in ms.
        """
        for name, call in calls.items():
            if name not in self._begun:
                self._begun[name] = (now_ms, self._threads.submit(call))
        wait([future for _, future in self._begun.values()], wait_s)
        found: dict[str, T | int] = {}
        for name in calls:
            since_ms, future = self._begun[name]
            found[name] = future.result() if future.done() else since_ms
        self._begun = {name: each for name, each in self._begun.items() if not each[1].done()}
        return found
