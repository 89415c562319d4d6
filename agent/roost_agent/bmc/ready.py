"""Controllers with their passwords, for the moment in which they are asked: in a child only."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from roost_agent.bmc import told
from roost_agent.bmc.board import Board, load
from roost_agent.errors import ConfigError
from roost_protocol.boards import LOCAL, about, read_document
from roost_protocol.errors import ProtocolError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey


class Ready(NamedTuple):
    """Controllers with their passwords, and why others have none: by node."""

    boards: dict[str, Board]
    why_not: dict[str, str]


def ready_boards(file: str, folder: Path | None, nodes: Collection[str]) -> Ready:
    """Return the controllers of some nodes, their passwords opened; what does not open costs one.

    Args:
        file: bmc.toml.
        folder: the state directory; None: the file alone counts, and nothing in it is sealed.
        nodes: whose.

    Raises:
        ConfigError: no file is there, or one cannot be used.
    """
    found = load(file) if folder is None else told.all_boards(file, folder)
    ready = Ready({board.node: board for board in found if board.node in nodes}, {})
    for node in [node for node, each in ready.boards.items() if _is_closed(each)]:
        try:
            ready.boards[node] = _opened(ready.boards[node], folder)
        except ConfigError as err:
            del ready.boards[node]
            ready.why_not[node] = str(err)
    return ready


def _is_closed(board: Board) -> bool:
    return not board.password and board.host != LOCAL


def _opened(board: Board, folder: Path | None) -> Board:
    if folder is None:
        raise ConfigError([f"{board.node}: its password is sealed: name the state directory"])
    from roost_agent.bmc.closed import opened, sealing_key  # noqa: PLC0415 - cryptography

    key = sealing_key(folder)
    if board.sealed:
        return opened(board, key)
    return replace(board, password=_of_centre(folder, key)[board.node])


def _of_centre(folder: Path, key: "X25519PrivateKey") -> dict[str, str]:
    """Return the passwords that the centre told, by node.

    Raises:
        ConfigError: they do not open.
    """
    from roost_protocol.sealed import open_sealed  # noqa: PLC0415 - as above

    kept = told.read_kept(folder)
    assert kept is not None  # noqa: S101 - a board without a password is of no file but this
    try:
        document = read_document(open_sealed(key, kept.sealed, about(kept.node)))
    except ProtocolError:
        text = "was sealed for another box: the centre tells it anew when this one is heard"
        raise ConfigError([f"{told.FILE}: {text}"]) from None
    return {each.node: each.access.password for each in document.boards if each.access is not None}
