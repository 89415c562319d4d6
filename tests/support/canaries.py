"""Secrets by all the forms they could turn up in, and the places where one is looked for."""

import base64
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

LOOK_S = 0.01  # at the argument lists of all processes
PEM_LINES = slice(1, 3)


@dataclass
class Canaries:
    """Secrets with their forms, and where each may be.

    Attributes:
        homes: for each secret, the endings of the paths that hold it rightly.
    """

    forms: dict[str, list[bytes]] = field(default_factory=dict)
    homes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def plant(self, name: str, secret: str | bytes, *homes: str) -> None:
        """Look for a secret from here on: as it is, hexadecimal, in both base64, in Python."""
        raw = secret.encode() if isinstance(secret, str) else secret
        assert len(raw) >= 8, f"{name} is too short to be told from anything else"
        self.forms.setdefault(name, []).extend(_forms(raw))
        self.homes[name] = homes

    def plant_key(self, name: str, file: Path, *homes: str) -> None:
        """Look for a private key: its text, and its number."""
        pem = file.read_bytes()
        self.plant(name, pem.splitlines()[PEM_LINES][0], *homes)
        key = load_pem_private_key(pem, None)
        if isinstance(key, EllipticCurvePrivateKey):
            number = key.private_numbers().private_value.to_bytes(32, "big")
        else:
            number = key.private_bytes_raw()
        self.plant(name, number, *homes)

    def found(self, where: str, data: bytes) -> Iterator[str]:
        """Yield each secret that is in some bytes, with where that was."""
        for name, forms in self.forms.items():
            if any(form in data for form in forms):
                yield f"{name} in {where}"

    def found_below(self, folder: Path) -> Iterator[str]:
        """Yield each secret that is in a file where it is not at home."""
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            for hit in self.found(str(path), path.read_bytes()):
                if not str(path).endswith(self.homes[hit.partition(" in ")[0]] or ("\0",)):
                    yield hit


@contextmanager
def argument_lists() -> Iterator[set[bytes]]:
    """Collect the argument lists of all processes that live meanwhile."""
    seen: set[bytes] = set()
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(LOOK_S):
            seen.update(_read(Path("/proc").glob("[0-9]*/cmdline")))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        is_over.set()
        watcher.join()


def _read(paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        try:
            yield path.read_bytes().replace(b"\0", b" ")
        except OSError:
            continue  # it ended


def _forms(raw: bytes) -> list[bytes]:
    standard, web = base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"=")
    logged = repr(raw)[2:-1].encode()  # as "%s" writes bytes
    return [raw, raw.hex().encode(), raw.hex().upper().encode(), standard, web, logged]
