"""``enrol.sign_us``: a node's certificate from the signer, over its socket, by one client."""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from ca import Pki, SignerProcess, new_key, request_of, unlimited
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from figure import QUICK, Figure, percentile
from measure_ha_guard import ticks

from roost_central.signer.client import Signer

WARM = 100
ROUNDS = 300 if QUICK else 3_000
ROW_BYTES = 420  # of a node's certificate in the log


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Take the median; beside it what cannot be saved: two checks of ours, two of the disk's."""
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as text:
        pki = Pki(Path(text) / "pki", unlimited())
        process = SignerProcess(pki)
        process.start()
        try:
            say(f"{ROUNDS} certificates, one after the other")
            before = ticks(process.pid)
            spent = asyncio.run(_issued(pki))
            busy = (ticks(process.pid) - before) / (WARM + ROUNDS) * 1e6
        finally:
            process.kill()
        floor = _floor(Path(text))
    against = (
        f"p99 {percentile(spent, 99):.0f} us; the signer's processor {busy:.0f} us; P-256 check, "
        f"signature and a row on this disk alone {floor:.0f} us"
    )
    yield Figure("enrol.sign_us", round(statistics.median(spent)), "us", "<= 500", against)


async def _issued(pki: Pki) -> list[float]:
    signer, csr = Signer(pki.socket), request_of(new_key())
    spent = []
    for at in range(WARM + ROUNDS):
        began = time.perf_counter()
        await signer.issue_node(csr, site="edge", node="n1", generation=at + 1)
        spent.append((time.perf_counter() - began) * 1e6)
    await signer.close()
    return spent[WARM:]


def _floor(folder: Path) -> float:
    key = new_key()
    signature = key.sign(b"x", ECDSA(SHA256()))
    row, spent = b"x" * ROW_BYTES, []
    handle = os.open(folder / "row", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for _ in range(ROUNDS):
        began = time.perf_counter()
        key.public_key().verify(signature, b"x", ECDSA(SHA256()))
        key.sign(b"x", ECDSA(SHA256()))
        os.write(handle, row)
        os.fdatasync(handle)
        spent.append((time.perf_counter() - began) * 1e6)
    os.close(handle)
    return statistics.median(spent)
