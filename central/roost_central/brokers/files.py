"""Files that Mosquitto reads: their owner's alone, and whole or not at all."""

from pathlib import Path

from roost_central.private_file import write_whole


def write_private(path: Path, text: str) -> bool:
    """Write a file of mode 0600 in one step; return whether it holds anything new.

    Raises:
        OSError: the folder cannot be written.
    """
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    write_whole(path, text.encode())
    return True
