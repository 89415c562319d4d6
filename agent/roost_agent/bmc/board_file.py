"""Writes ``bmc.toml``: whole, 0600 from its first byte, in place of the one before."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from roost_agent.bmc.board import Board
from roost_agent.durable import replace_file


def save(file: Path, boards: Iterable[Board]) -> None:
    """Put controllers in place of those of a file, which keeps its owner.

    Raises:
        OSError: the disk refuses.
    """
    owner = file.stat() if file.exists() else file.parent.stat()
    replace_file(file, toml(boards).encode())
    if os.geteuid() == 0:
        os.chown(file, owner.st_uid, owner.st_gid)


def toml(boards: Iterable[Board]) -> str:
    """Return controllers as a file; what is as it would be anyway is left out."""
    return "\n".join(line for board in boards for line in _lines(board)) + "\n"


def _lines(board: Board) -> Iterator[str]:
    usual = msgspec.to_builtins(Board(node=board.node, host=board.host))
    said = msgspec.to_builtins(board)
    groups = said.pop("groups")
    yield "[[bmc]]"
    for key, value in said.items():
        if key in {"node", "host"} or value != usual[key]:
            yield f"{key} = {_text(value)}"
    for group, settings in groups.items():
        yield f"[bmc.groups.{group}]"
        yield from (f"{key} = {_text(value)}" for key, value in settings.items())
    yield ""


def _text(value: object) -> str:
    # JSON's texts, numbers and lists of texts are TOML's too, but for DEL, which JSON lets be.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
