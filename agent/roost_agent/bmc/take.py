"""The child that looks at what the centre sealed for this node, and keeps it, sealed as it came.

``python -m roost_agent.bmc.take STATE_DIR NODE < SEALED``: a child, because cryptography costs 8 to
16 MiB. It prints whose controllers they are; exit status 2 means that the file before it stands,
and why is on standard error. Neither says a password.
"""

import sys
from pathlib import Path

from roost_agent.bmc import told
from roost_agent.bmc.closed import sealing_key
from roost_agent.errors import ConfigError
from roost_protocol.boards import BoardsDocument, about, read_document
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import ORDER_BODY_BYTES_MAX
from roost_protocol.sealed import open_sealed


def take(folder: Path, node: str, sealed: bytes) -> BoardsDocument:
    """Open, check and keep what was sealed; return it.

    Raises:
        ConfigError: it is not for this node, or makes no sense; what was kept stands.
        OSError: it cannot be kept.
    """
    key = sealing_key(folder)
    try:
        found = read_document(open_sealed(key, sealed, about(node)))
    except ProtocolError as err:
        raise ConfigError([f"board controllers of the centre: {err}"]) from None
    if wrong := list(told.faults(found)):
        raise ConfigError(wrong)
    told.write(folder, node, found, sealed)
    return found


def main() -> int:
    """Take what comes on standard input; return the exit status."""
    folder, node = Path(sys.argv[1]), sys.argv[2]
    try:
        found = take(folder, node, sys.stdin.buffer.read(ORDER_BODY_BYTES_MAX + 1))
    except (ConfigError, OSError) as err:
        sys.stderr.write(f"{err}\n")
        return 2
    names = ", ".join(each.node for each in found.boards if each.access is not None)
    sys.stdout.write(f"{names or 'none'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
