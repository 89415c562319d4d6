"""Answers on their way out: encoding, compression, streams of lines, the headers on everything.

Invariant: whatever is sent, also an error, carries the security headers; a reader that does not
read is cut off.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from types import MappingProxyType
from typing import Final

import msgspec
from aiohttp import web

from roost_central.api.call import HTML, Reply
from roost_central.api.problem import ApiError
from roost_central.api.snapshot import gzip
from roost_central.dashboard.serve import POLICY

SECURITY_HEADERS: Final = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
    }
)
WRITE_S_MAX: Final = 20.0  # a reader that takes nothing for so long is gone
GZIP_BYTES_MIN: Final = 1_024  # below it the saving is less than a packet
GZIP_INLINE_BYTES_MAX: Final = 128 * 1_024  # about 1 ms at level 1; above it a thread does it
GZIP_LEVEL: Final = 1  # a fifth larger than level 6 at a quarter of the time
CHUNK_LINES: Final = 256  # lines between two looks at the socket: about 3 ms of building

_encode: Final = msgspec.json.Encoder().encode


async def respond(result: msgspec.Struct | Reply, request: web.Request) -> web.Response:
    """Return the response of a handler's result, compressed where that is wanted and worth it."""
    reply = result if isinstance(result, Reply) else Reply(result)
    headers = dict(reply.headers)
    body = _body(reply)
    if reply.is_gzipped:
        headers["Content-Encoding"] = "gzip"
    elif len(body) >= GZIP_BYTES_MIN and not reply.is_encoded:
        headers.setdefault("Vary", "Accept-Encoding")
        if takes_gzip(request):
            headers["Content-Encoding"] = "gzip"
            body = await _gzip(body)
    if body:
        headers.setdefault("Content-Type", _with_charset(reply.media))
    return web.Response(body=body or None, status=reply.status, headers=headers)


def _body(reply: Reply) -> bytes:
    if reply.body is None:
        return b""
    return reply.body if isinstance(reply.body, bytes) else _encode(reply.body)


def _with_charset(media: str) -> str:
    return f"{media}; charset=utf-8" if media == HTML else media


async def _gzip(body: bytes) -> bytes:
    if len(body) <= GZIP_INLINE_BYTES_MAX:
        return gzip(body, GZIP_LEVEL)
    return await asyncio.to_thread(gzip, body, GZIP_LEVEL)


async def stream_lines(
    request: web.Request, media: str, lines: Iterable[bytes]
) -> web.StreamResponse:
    """Send lines as fast as they are made and the reader takes them."""
    response = await _begun(request, media)
    await _send(response, lines)
    return response


async def stream_parts(
    request: web.Request, media: str, parts: AsyncIterator[Iterable[bytes]]
) -> web.StreamResponse:
    """Send lines that are read part by part; what fails at the first is still told as a problem."""
    first = await anext(parts, ())
    response = await _begun(request, media)
    await _send(response, first)
    async for part in parts:
        await _send(response, part)
    return response


async def _begun(request: web.Request, media: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": f"{media}; charset=utf-8"})
    response.headers["Vary"] = "Accept, Accept-Encoding"
    if takes_gzip(request):
        response.enable_compression(web.ContentCoding.gzip)
    await response.prepare(request)
    return response


async def _send(response: web.StreamResponse, lines: Iterable[bytes]) -> None:
    chunk: list[bytes] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == CHUNK_LINES:
            await write(response, b"".join(chunk))
            chunk.clear()
    await write(response, b"".join(chunk))


async def write(response: web.StreamResponse, data: bytes) -> None:
    """Send a piece of a stream.

    Raises:
        ConnectionError: the reader is gone, or took nothing for WRITE_S_MAX.
    """
    if not data:
        return
    try:
        async with asyncio.timeout(WRITE_S_MAX):
            await response.write(data)
    except TimeoutError:
        raise ConnectionResetError("the reader takes nothing") from None
    await asyncio.sleep(0)  # a fast reader must not keep the others waiting


def takes_gzip(request: web.Request) -> bool:
    """Say whether the Accept-Encoding header allows gzip."""
    for coding, quality in _weighted(request.headers.get("Accept-Encoding", "")):
        if coding in {"gzip", "*"}:
            return quality > 0
    return False


def choose_media(request: web.Request, offered: tuple[str, ...]) -> str:
    """Return which of the media types the caller wants most, the first where it does not care.

    Raises:
        ApiError: ``not-acceptable``.
    """
    accept = request.headers.get("Accept", "*/*")
    for wanted, quality in _weighted(accept):
        if quality <= 0:
            continue
        for media in offered:
            if wanted in {media, "*/*", f"{media.partition('/')[0]}/*"}:
                return media
    raise ApiError("not-acceptable", f"Accept: this is offered as {', '.join(offered)}")


def _weighted(header: str) -> list[tuple[str, float]]:
    """Return the values of a header with their q, the most wanted first."""
    found = []
    for part in header.split(","):
        value, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, number = parameter.partition("=")
            if name.strip() == "q":
                quality = _quality(number.strip())
        found.append((value, quality))
    return sorted(found, key=lambda pair: -pair[1])


def _quality(text: str) -> float:
    """Return a q value; RFC 9110 12.4.2 allows three digits, so anything else counts as 0."""
    is_number = len(text) <= len("0.000") and text.replace(".", "", 1).isdecimal()
    return float(text) if is_number and text.isascii() else 0.0
