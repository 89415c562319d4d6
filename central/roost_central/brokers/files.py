"""Files that Mosquitto reads: their owner's alone, and whole or not at all."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> bool:
    """Write a file of mode 0600 in one step; return whether it holds anything new.

    Raises:
        OSError: the folder cannot be written.
    """
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
    return True
