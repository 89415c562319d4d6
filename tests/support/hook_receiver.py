"""A receiver of HTTP messages on loopback: what it was sent, and what it shall answer."""

import asyncio
import base64
import contextlib
import hashlib
import hmac

from aiohttp import web


class Receiver:
    """Answers as told; remembers every request."""

    def __init__(self) -> None:
        self.requests = []
        self.answers = []  # statuses to give, the first first; then 200
        self.port = 0
        self.hold = asyncio.Event()
        self.hold.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def serving(self, port=0):
        """Listen while the context lasts."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            self.hold.set()
            await runner.cleanup()

    async def _take(self, request):
        body = await request.read()
        await self.hold.wait()
        self.requests.append((request.path, dict(request.headers), body))
        status = self.answers.pop(0) if self.answers else 200
        if status == 302:
            return web.Response(status=302, headers={"Location": f"{self.url}/elsewhere"})
        return web.Response(status=status, text="as told")


def is_signed(headers, body, key: bytes) -> bool:
    """Verify a message as the Standard Webhooks text says, without our own code."""
    signed = b".".join(
        [headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body]
    )
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [each.split(",", 1) for each in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and text == wanted for version, text in given)
