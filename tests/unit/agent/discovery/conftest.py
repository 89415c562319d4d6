"""Small trees that stand for other machines: the same probes read them through ``root=``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

import pytest

from roost_agent.discovery.reader import Reader


class Tree:
    """Files below a folder of their own; ``reader`` opens it as a machine's root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._readers: list[Reader] = []

    def plant(self, files: dict[str, str | bytes | int]) -> "Tree":
        for path, content in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else f"{content}\n".encode())
        return self

    def reader(self) -> Reader:
        reader = Reader(str(self.root))
        self._readers.append(reader)
        return reader

    def close(self) -> None:
        for reader in self._readers:
            reader.close()


@pytest.fixture
def tree(tmp_path):
    made = Tree(tmp_path)
    yield made
    made.close()
