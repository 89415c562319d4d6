"""Asks the signer; one connection, and on it one question, of one request or of several, at a time.

A request that was sent is never sent again by itself: the signer may have signed it. What is
signed twice does no harm, but whether to ask again is for the caller to say.
"""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec
from msgspec import Struct

from roost_central.errors import SignerError, SignerUnavailableError
from roost_central.signer.message import (
    ANSWER_BYTES_MAX,
    LENGTH_BYTES,
    REQUESTS_AT_ONCE_MAX,
    REVOKED_A_REQUEST_MAX,
    ROWS_AN_ANSWER_MAX,
    Ca,
    Crl,
    Facts,
    Info,
    Issued,
    IssueLan,
    IssueNode,
    IssueServer,
    IssueService,
    Lists,
    Record,
    Refused,
    Request,
    Revoked,
    Rows,
    SignDirector,
    Signed,
    SignedDirector,
    SignedImage,
    SignImage,
    SignOrder,
    framed,
    length_of,
)
from roost_protocol.certificate import Holder, Kind
from roost_protocol.errors import ProtocolError
from roost_protocol.topics import split_node_id

ANSWER_S_MAX: Final = 10.0  # it signs within a millisecond; a disk may take its time

A = TypeVar("A", bound=Struct)


class Signer:
    """A signer behind its socket; it connects when it is first asked, and again when it must."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = asyncio.Lock()
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def info(self) -> Facts:
        """Return what the signer is.

        Raises:
            SignerError: as of every method: it refused, or SignerUnavailableError.
        """
        return await self._ask(Info(), Facts)

    async def issue_node(
        self, csr_pem: str, *, site: str, node: str, generation: int, days: int = 0
    ) -> Issued:
        """Return a node's certificate; 0 days: as the policy says."""
        request = IssueNode(csr_pem, site, node, generation, days)
        return await self._ask(request, Issued)

    async def issue_lan(
        self, holder: Holder, *, csr_pem: str = "", public_key_pem: str = ""
    ) -> Issued:
        """Return a certificate for a site's LAN, of the kind lan or broker, for one of the keys."""
        site, node = split_node_id(holder.name)
        use: Literal["client", "broker"] = "broker" if holder.kind is Kind.BROKER else "client"
        request = IssueLan(site, node, holder.box, use, csr_pem, public_key_pem)
        return await self._ask(request, Issued)

    async def issue_all(self, wanted: Sequence[IssueNode | IssueLan]) -> list[Issued | SignerError]:
        """Return certificates, each or why there is none, in the order they are wanted.

        The signer puts them on record by one write to disk, if it gets them at once.
        """
        answers: list[Issued | SignerError] = []
        for start in range(0, len(wanted), REQUESTS_AT_ONCE_MAX):
            chunk = wanted[start : start + REQUESTS_AT_ONCE_MAX]
            try:
                raws = await self._exchanged([framed(each) for each in chunk])
                answers += [self._read(raw, Issued) for raw in raws]
            except SignerUnavailableError as err:
                return answers + [err] * (len(wanted) - len(answers))
        return answers

    async def issue_server(self, csr_pem: str, *, name: str) -> Issued:
        """Return the certificate of a server of the centre."""
        return await self._ask(IssueServer(csr_pem, name), Issued)

    async def issue_service(self, csr_pem: str, *, name: str) -> Issued:
        """Return the certificate of a client of the centre."""
        return await self._ask(IssueService(csr_pem, name), Issued)

    async def crl(self, ca: Ca, revoked: Mapping[str, int] = {}) -> Lists:
        """Return the lists of revoked certificates that one kind of listener needs.

        Args:
            ca: ``node`` for the centre's brokers, ``lan`` for those of sites.
            revoked: serial to second; the signer knows what it was told before.
        """
        entries = [Revoked(serial, at_s) for serial, at_s in revoked.items()]
        while len(entries) > REVOKED_A_REQUEST_MAX:
            await self._ask(Crl(ca, entries[:REVOKED_A_REQUEST_MAX]), Lists)
            entries = entries[REVOKED_A_REQUEST_MAX:]
        return await self._ask(Crl(ca, entries), Lists)

    async def sign_order(self, payload: bytes, *, key_id: str = "") -> tuple[bytes, str]:
        """Return the signature of an order's bytes, and the id of the key that made it.

        Args:
            payload: an order (protocol order.py).
            key_id: of an older key that still counts; empty: the newest.
        """
        signed = await self._ask(SignOrder(b64encode(payload).decode(), key_id), Signed)
        return b64decode(signed.signature), signed.key_id

    async def sign_image(self, asked: SignImage) -> SignedImage:
        """Return snapshot and timestamp above targets of the image repository."""
        return await self._ask(asked, SignedImage)

    async def sign_directors(
        self, asked: Sequence[SignDirector]
    ) -> list[SignedDirector | SignerError]:
        """Return the metadata of sites, each or why there is none, in their order."""
        answers: list[SignedDirector | SignerError] = []
        for start in range(0, len(asked), REQUESTS_AT_ONCE_MAX):
            chunk = asked[start : start + REQUESTS_AT_ONCE_MAX]
            try:
                raws = await self._exchanged([framed(each) for each in chunk])
                answers += [self._read(raw, SignedDirector) for raw in raws]
            except SignerUnavailableError as err:
                return answers + [err] * (len(asked) - len(answers))
        return answers

    async def rows(self, after: int, limit: int = ROWS_AN_ANSWER_MAX, *, head: str = "") -> Record:
        """Return lines of the record of signatures past a row, oldest first.

        Args:
            after: its number.
            limit: at most so many.
            head: its hash; it may be of a record that was put aside. Empty: of the present one.

        Raises:
            SignerError: also PLACE: there is no such row.
        """
        return await self._ask(Rows(after, head, limit), Record)

    async def close(self) -> None:
        """Hang up."""
        async with self._lock:
            self._hang_up()

    async def _ask(self, request: Request, kind: type[A]) -> A:
        [raw] = await self._exchanged([framed(request)])
        answer = self._read(raw, kind)
        if isinstance(answer, SignerError):
            raise answer
        return answer

    def _read(self, raw: bytes, kind: type[A]) -> A | SignerError:
        try:
            if msgspec.json.decode(raw, type=_Ok).ok:
                return msgspec.json.decode(raw, type=kind)
            refused = msgspec.json.decode(raw, type=Refused)
        except msgspec.MsgspecError as err:
            raise SignerUnavailableError("answer", f"{self.path}: cannot be read: {err}") from err
        return SignerError(refused.code, refused.detail)

    async def _exchanged(self, requests: Sequence[bytes]) -> list[bytes]:
        """Send requests at once; return what is answered to each."""
        async with self._lock:
            return await self._sent(b"".join(requests), len(requests))

    async def _sent(self, requests: bytes, count: int) -> list[bytes]:
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                reader, writer = await self._connected()
                writer.write(requests)
                await writer.drain()
                return [await _answer(reader) for _ in range(count)]
        except TimeoutError as err:
            self._hang_up()
            detail = f"{self.path}: no answer within {ANSWER_S_MAX:.0f} s"
            raise SignerUnavailableError("timeout", detail) from err
        except (OSError, asyncio.IncompleteReadError, ProtocolError) as err:
            self._hang_up()
            detail = f"{self.path}: {err}: is roost-signer running, may we ask it?"
            raise SignerUnavailableError("unreachable", detail) from err
        except asyncio.CancelledError:
            self._hang_up()  # the answer would be taken for the next one's
            raise

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._stream is not None and self._stream[0].at_eof():
            self._hang_up()  # it was restarted meanwhile
        if self._stream is None:
            self._stream = await asyncio.open_unix_connection(self.path)
        return self._stream

    def _hang_up(self) -> None:
        if self._stream is not None:
            self._stream[1].transport.abort()
            self._stream = None


async def _answer(reader: asyncio.StreamReader) -> bytes:
    prefix = await reader.readexactly(LENGTH_BYTES)
    return await reader.readexactly(length_of(prefix, ANSWER_BYTES_MAX))


class _Ok(Struct):
    ok: bool
