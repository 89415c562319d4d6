"""The board controllers that the centre told this node: ``boards.json`` of the state directory.

It holds passwords, as ``bmc.toml`` does, and is the agent's own with mode 0600. Where both name a
node the file of the machine's own operator says how to reach its controller, and the centre how its
sensors count.

Invariant: no text of a fault quotes a password.
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


def read(folder: Path) -> BoardsDocument:
    """Return what the centre told; nothing where it told nothing.

    Raises:
        ConfigError: the file is not ours alone, or makes no sense.
    """
    file = folder / FILE
    if not file.exists():
        return NOTHING
    try:
        return msgspec.json.decode(read_private(str(file)), type=BoardsDocument)
    except msgspec.DecodeError as err:
        raise ConfigError([f"{file}: {err}"]) from None


def write(folder: Path, told: BoardsDocument) -> None:
    """Keep it; OSError where the disk refuses."""
    replace_file(folder / FILE, msgspec.json.encode(told))


def all_boards(file: str, folder: Path) -> tuple[Board, ...]:
    """Return the controllers of a file and of what the centre told.

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
    return tuple(replace(board, password="") for board in merged(local, told))


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
