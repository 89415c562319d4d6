"""The centre's secret that every node's report key is derived from: a file, never in the database.

``ingest.key`` is made at the first start; while ``ingest.key.old`` is beside it, both count.
"""

from pathlib import Path
from typing import Final

from roost_central.errors import ConfigError
from roost_central.ports import Entropy
from roost_central.private_file import write_whole

KEY_BYTES: Final = 32
NAMES: Final = ("ingest.key", "ingest.key.old")


def ingest_keys(data_dir: Path, entropy: Entropy) -> tuple[bytes, ...]:
    """Return the keys, the present one first.

    Raises:
        ConfigError: ``ingest-key``: a file is no key.
        OSError: a file cannot be read or written.
    """
    present = data_dir / NAMES[0]
    if not present.exists():
        write_whole(present, entropy.token(KEY_BYTES))
    found = []
    for name in NAMES:
        file = data_dir / name
        if file.exists():
            key = file.read_bytes()
            if len(key) != KEY_BYTES:
                bound = f"{KEY_BYTES} bytes"
                raise ConfigError("ingest-key", field=str(file), got=len(key), bound=bound)
            found.append(key)
    return tuple(found)
