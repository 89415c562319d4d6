"""One process at a time: a lock of flock(2), which ends with its holder, however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from roost_central.errors import ConfigError


@contextmanager
def held(handle: int, refusal: ConfigError) -> Iterator[None]:
    """Hold the lock of an open file or folder while the context lasts; then close it.

    Raises:
        ConfigError: ``refusal``: another process holds it.
    """
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise refusal from None
        yield
    finally:
        os.close(handle)
