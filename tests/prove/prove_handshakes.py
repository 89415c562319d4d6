"""Proof: thousands of half-open and slow handshakes keep no good node out.

At the fleet's broker and at the listener of boxes alike: connections that say nothing, that say a
TLS ClientHello byte by byte, and at the latter some that finish TLS and then say an HTTP request
byte by byte. While all of them stand, nodes with certificates open sessions at the broker, and
boxes ask for a nonce, one after the other. Each must be through within 10 s.
"""

import asyncio
import resource
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from ca import DOMAIN, Pki
from fleet_stage import FleetStage
from proof import Proof
from quiet_peers import QuietPeers

from roost_protocol.certificate import Kind, node_holder

PEERS = 4_000  # at each of the two listeners
GOOD = 100  # of each
GOOD_S_MAX = 10.0
BROKER_NAME, BOXES_NAME = f"b1.svc.{DOMAIN}", f"enrol.svc.{DOMAIN}"
CONNECT = bytes.fromhex("101000044d5154540402003c0004") + b"good"  # MQTT 3.1.1, keep alive 60 s
CONNACK = bytes.fromhex("20020000")
HELLO = (
    b"GET /api/v1/enrol/hello?commit="
    + b"A" * 43
    + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
)


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Let them stand, and time the good ones."""
    peers, good = max(200, round(PEERS * share)), max(10, round(GOOD * share))
    _, files_max = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))
    with tempfile.TemporaryDirectory(prefix="roost-handshakes-") as text:
        stage = FleetStage(Path(text), connections_max=10_000)
        with stage.running():
            slowest, late = asyncio.run(_timed(say, stage, peers, good))
    yield Proof(
        "handshakes.held",
        runs=2 * good,
        failures=late,
        seed=seed,
        note=f"beside {peers:,} half-open or slow peers at the broker and as many at the listener "
        f"of boxes: a good one is through within {GOOD_S_MAX:.0f} s (the slowest {slowest:.1f} s)",
    )


async def _timed(
    say: Callable[[str], None], stage: FleetStage, peers: int, good: int
) -> tuple[float, int]:
    """Return how long the slowest good one took, and how many took too long."""
    node = _context(stage.pki, stage.pki.issue(node_holder(Kind.NODE, "edge", "n1")))
    box = _context(stage.pki)
    took = []
    async with _held(stage, box, peers) as (broker, boxes):
        say(f"{broker.standing:,} stand at the broker, {boxes.standing:,} where boxes come to")
        for number in range(good):
            took.append(await _good(stage.broker.port, node, BROKER_NAME, CONNECT, CONNACK))
            took.append(await _good(stage.enrol_port, box, BOXES_NAME, HELLO, b"HTTP/1.1 200 "))
            if number % 20 == 19:
                say(f"{number + 1} of each; the slowest took {max(took):.2f} s")
        say(f"{broker.standing:,} and {boxes.standing:,} at the end; {boxes.ended:,} came anew")
    return max(took), sum(each > GOOD_S_MAX for each in took)


@asynccontextmanager
async def _held(
    stage: FleetStage, tls: ssl.SSLContext, peers: int
) -> AsyncIterator[tuple[QuietPeers, QuietPeers]]:
    third = peers // 3
    broker = QuietPeers(stage.broker.port, silent=peers - third, slow=third)
    boxes = QuietPeers(
        stage.enrol_port, silent=third, slow=third, slow_requests=peers - 2 * third,
        tls=tls, name=BOXES_NAME,
    )  # fmt: skip
    async with broker.standing_for(), boxes.standing_for():
        yield broker, boxes


async def _good(port: int, tls: ssl.SSLContext, name: str, request: bytes, answer: bytes) -> float:
    """Return how long one takes from its first packet to its answer, trying again as nodes do."""
    began = time.monotonic()
    while time.monotonic() - began < 2 * GOOD_S_MAX:
        try:
            async with asyncio.timeout(GOOD_S_MAX):
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", port, ssl=tls, server_hostname=name
                )
                try:
                    writer.write(request)
                    if await reader.readexactly(len(answer)) == answer:
                        break
                finally:
                    writer.close()
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            await asyncio.sleep(0.2)
    return time.monotonic() - began


def _context(pki: Pki, files: object = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pki.root_file))
    if files is not None:
        context.load_cert_chain(files.chain_file, files.key_file)
    return context
