"""How a long command ends when it is told to: at once, and with all that it started."""

import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import NoReturn, TypeVar

import psutil

EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

T = TypeVar("T")
R = TypeVar("R")


def run(main: Callable[[], int]) -> int:
    """Run a command and return its exit status; Ctrl-C is one, and no traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return main()
    except KeyboardInterrupt:
        print("interrupted; the rows that were written stay", file=sys.stderr)
        return EXIT_INTERRUPTED


def at_once(
    count: int,
    work: Callable[[T], R],
    items: Iterable[T],
    give_up: Callable[[], object] = lambda: None,
) -> Iterator[R]:
    """Yield what the work makes of each item, ``count`` of them at a time, as they are done.

    What has not begun when the caller gives up never does: a plain pool would finish it all first.
    What has begun is waited for; ``give_up`` may end it sooner.
    """
    with ThreadPoolExecutor(count) as pool:
        try:
            for future in as_completed([pool.submit(work, item) for item in items]):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            give_up()
            raise


def _terminate(_number: int, _frame: object) -> NoReturn:
    """Tell what we started too, as Ctrl-C in a terminal does; then unwind, which ends the rest.

    Once: told again in the middle of it, we would leave behind what the unwinding takes away.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for child in psutil.Process().children(recursive=True):
        try:
            child.terminate()
        except psutil.NoSuchProcess:
            continue
    sys.exit(EXIT_TERMINATED)
