"""The data directory of a centre, and who may use it: each of its programs once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from roost_central.errors import ConfigError
from roost_central.file_lock import held

CENTRAL_LOCK: Final = "central.lock"
BROKER_LOCK: Final = "broker.lock"


@contextmanager
def locked(data_dir: Path, name: str) -> Iterator[None]:
    """Be the only process of a kind on a data directory while the context lasts.

    Raises:
        ConfigError: ``in-use``.
        OSError: the directory cannot be written.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(data_dir / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with held(handle, ConfigError("in-use", field="data_dir", got=str(data_dir))):
        yield
