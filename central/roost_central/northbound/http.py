"""Requests to receivers that operators named: pinned addresses, no redirects, bounded answers.

A name is resolved at each connection and the connection goes to the very addresses that were
looked at: a name that turns into a private address later (DNS rebinding) is refused too.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

REQUEST_S_MAX: Final = 15.0
ANSWER_BYTES_MAX: Final = 4_096  # of an answer that is read, for its reason
CONNECTIONS_MAX: Final = 4


class PrivateAddressError(OSError):
    """A receiver is at an address that is not allowed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said; status 0 where it said nothing, and ``error`` why."""

    status: int
    error: str

    @property
    def is_ok(self) -> bool:
        """Whether it took the message."""
        return 200 <= self.status < 300  # noqa: PLR2004 - RFC 9110 section 15.3


def is_private(address: str) -> bool:
    """Whether an address is not one of the public internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return not found.is_global or found.is_multicast


class PinnedResolver(AbstractResolver):
    """Resolves by the system and refuses private addresses, unless they are allowed."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name.

        Raises:
            PrivateAddressError: one of them is private.
            OSError: there is none.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        results: list[ResolveResult] = []
        for kind, _, proto, _, address in found:
            text = str(address[0])
            self.check(text)
            results.append(
                ResolveResult(
                    hostname=host,
                    host=text,
                    port=port,
                    family=kind,
                    proto=proto,
                    flags=socket.AI_NUMERICHOST,
                )
            )
        return results

    def check(self, address: str) -> None:
        """Refuse a private address.

        Raises:
            PrivateAddressError: it is one, and they are not allowed.
        """
        if not self._allow_private and is_private(address):
            raise PrivateAddressError(f"{address} is a private address; see allow_private")

    async def close(self) -> None:
        """Hold nothing."""


class Poster:
    """Posts JSON to one address."""

    def __init__(self, url: str, *, allow_private: bool) -> None:
        self._url = url
        self._resolver = PinnedResolver(allow_private=allow_private)

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send one message and return the answer; no error of the network is raised."""
        connector = aiohttp.TCPConnector(
            resolver=self._resolver, use_dns_cache=False, limit=CONNECTIONS_MAX
        )
        timeout = aiohttp.ClientTimeout(total=REQUEST_S_MAX)
        try:
            self._check_literal()
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.post(
                    self._url,
                    data=body,
                    headers={"Content-Type": "application/json", **headers},
                    allow_redirects=False,
                ) as answer,
            ):
                text = (await answer.content.read(ANSWER_BYTES_MAX)).decode(errors="replace")
                return Answer(answer.status, f"HTTP {answer.status} {text[:200]}".strip())
        except (aiohttp.ClientError, OSError, TimeoutError) as err:
            return Answer(0, _why(err))
        finally:
            await connector.close()

    def _check_literal(self) -> None:
        """Look at an address that is written as such: aiohttp asks no resolver for it."""
        host = urlsplit(self._url).hostname or ""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return
        self._resolver.check(host)


def _why(err: Exception) -> str:
    """Return words for an error; aiohttp hides ours behind its own."""
    cause: BaseException | None = err
    while cause is not None:
        if isinstance(cause, PrivateAddressError):
            return str(cause)
        cause = cause.__cause__ or getattr(cause, "os_error", None)
    return str(err) or ("no answer in time" if isinstance(err, TimeoutError) else repr(err))
