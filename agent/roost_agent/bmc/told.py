"""The board controllers that the centre told this node: ``boards.json`` of the state directory.

It has what the centre sealed for this box as it came, and beside it what of that is no secret, for
the resident agent; it is the agent's own with mode 0600. Where both name a node the file of the
machine's own operator says how to reach its controller, and the centre how its sensors count.

Invariants: no password is in it that its box's sealing key does not open (ready.py); no text of a
fault quotes one.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import asdict, replace

from roost_agent.bmc.board import Board, load, read_private
from roost_agent.durable import replace_file
from roost_agent.errors import ConfigError
from roost_protocol.boards import BoardsDocument, BoardTold, access_faults, settings_faults
from roost_protocol.codec import VERSION

FILE: Final = "boards.json"  # in the state directory
NOTHING: Final = BoardsDocument(v=VERSION)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The file.

    Attributes:
        node: this node's id, that the seal is about.
        told: what the centre told, without passwords.
        sealed: all of it.
    """

    node: str
    told: BoardsDocument
    sealed: bytes


def read_kept(folder: Path) -> Kept | None:
    """Return the file; None: there is none.

    Raises:
        ConfigError: it is not ours alone, or makes no sense.
    """
    file = folder / FILE
    if not file.exists():
        return None
    try:
        return msgspec.json.decode(read_private(str(file)), type=Kept)
    except msgspec.DecodeError as err:
        raise ConfigError([f"{file}: {err}"]) from None


def read(folder: Path) -> BoardsDocument:
    """Return what the centre told, without passwords; nothing where it told nothing.

    Raises:
        ConfigError: as above.
    """
    kept = read_kept(folder)
    return NOTHING if kept is None else kept.told


def write(folder: Path, node: str, told: BoardsDocument, sealed: bytes) -> None:
    """Keep what a seal had, without its passwords, and the seal; OSError: the disk refuses."""
    bare = [
        each if each.access is None else replace(each, access=replace(each.access, password=""))
        for each in told.boards
    ]
    kept = Kept(node=node, told=replace(told, boards=bare), sealed=sealed)
    replace_file(folder / FILE, msgspec.json.encode(kept))


def all_boards(file: str, folder: Path) -> tuple[Board, ...]:
    """Return the controllers of a file and of what the centre told, the latter without passwords.

    Raises:
        ConfigError: neither is there, or one cannot be used.
    """
    told = read(folder)
    if told.boards and not Path(file).exists():
        return merged((), told)
    return merged(load(file), told)


def read_here(file: str, folder: Path, own: str, *, has_lease: bool) -> tuple[Board, ...]:
    """Return the controllers that this node reads in its turn, without their passwords.

    Args:
        file: bmc.toml; one that is not there names none.
        folder: the state directory.
        own: this node's name.
        has_lease: local HA says whose turn it is; else the centre's choice reads what it told.

    Raises:
        ConfigError: as above.
    """
    told, local = read(folder), load(file) if Path(file).exists() else ()
    if not has_lease and told.reader not in {"", own}:
        mine = {board.node for board in local}
        told = replace(told, boards=[each for each in told.boards if each.node in mine])
    return tuple(bare(board) for board in merged(local, told))


def merged(local: Iterable[Board], told: BoardsDocument) -> tuple[Board, ...]:
    """Return the controllers of this node's own file, and those that the centre told."""
    boards = {board.node: board for board in local}
    for each in told.boards:
        board = boards.get(each.node)
        if board is None and each.access is not None:
            board = Board(node=each.node, **asdict(each.access))
        if board is not None:
            boards[each.node] = board if each.sensors is None else _counted(board, each)
    return tuple(boards.values())


def bare(board: Board) -> Board:
    """Return a controller as the resident agent has it: with no password in any form."""
    return replace(board, password="", sealed="")


def faults(told: BoardsDocument) -> Iterator[str]:
    """Give what is wrong with what is told beyond the bounds of its fields."""
    seen: set[str] = set()
    for each in told.boards:
        if each.node in seen:
            yield f"{each.node}: named twice"
        seen.add(each.node)
        wrong = [] if each.access is None else [*access_faults(each.access)]
        wrong += [] if each.sensors is None else [*settings_faults(each.sensors)]
        yield from (f"{each.node}.{field}: {text}" for field, text in wrong)


def _counted(board: Board, told: BoardTold) -> Board:
    assert told.sensors is not None  # noqa: S101 - the caller looked
    said = told.sensors
    return replace(
        board,
        interval_s=said.interval_s or board.interval_s,
        groups=board.groups | said.groups,
        suppress=list(dict.fromkeys((*board.suppress, *said.suppress))),
    )
