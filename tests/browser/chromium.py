"""Headless Chromium over the DevTools protocol: as much of it as the console's tests need.

One browser for a test run, one context (cookies, storage, workers) for each test. Every wait has
a bound; what a page logs, throws or violates is kept for the test to ask.
"""

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import aiohttp

START_S_MAX = 60.0
STOP_S_MAX = 5.0
CALL_S_MAX = 60.0
MESSAGE_BYTES_MAX = 64 << 20  # screenshots of long pages
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


class PageError(AssertionError):
    """The page threw, or did not come to what was waited for."""


class Browser:
    """A connection to one running Chromium."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future] = {}
        self.listeners: dict[str, Callable[[str, dict], None]] = {}

    async def pump(self) -> None:
        """Read messages until the browser is gone."""
        async for message in self._socket:
            data = json.loads(message.data)
            if "id" in data:
                future = self._waiting.pop(data["id"], None)
                if future is not None and not future.done():
                    future.set_result(data)
            elif (listener := self.listeners.get(data.get("sessionId", ""))) is not None:
                listener(data["method"], data["params"])

    async def call(self, method: str, params: dict | None = None, session: str = "") -> dict:
        """Call a method of the protocol and return its result."""
        number = next(self._ids)
        future = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        request = {"id": number, "method": method, "params": params or {}}
        await self._socket.send_json(request | ({"sessionId": session} if session else {}))
        async with asyncio.timeout(CALL_S_MAX):
            answer = await future
        if "error" in answer:
            raise PageError(f"{method}: {answer['error']}")
        return answer["result"]

    @asynccontextmanager
    async def context(self) -> AsyncIterator["Context"]:
        """Give a fresh profile: no cookie, no storage, no worker of another test."""
        made = await self.call("Target.createBrowserContext")
        context = Context(self, made["browserContextId"])
        try:
            yield context
        finally:
            await self.call("Target.disposeBrowserContext", {"browserContextId": context.id})


class Context:
    """One profile, in which tabs share cookies and workers."""

    def __init__(self, browser: Browser, context_id: str) -> None:
        self._browser = browser
        self.id = context_id

    async def tab(self, *, width: int = 1440, height: int = 900) -> "Tab":
        """Open an empty tab of the given size in CSS pixels."""
        call = self._browser.call
        target = await call(
            "Target.createTarget",
            {"url": "about:blank", "browserContextId": self.id},
        )
        attached = await call(
            "Target.attachToTarget", {"targetId": target["targetId"], "flatten": True}
        )
        tab = Tab(self._browser, attached["sessionId"], target["targetId"])
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            await tab.call(f"{domain}.enable")
        await tab.resize(width, height)
        return tab


class Tab:
    """One page."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser = browser
        self._session = session
        self._target = target
        self.complaints: list[str] = []
        self.requests: list[str] = []
        browser.listeners[session] = self._heard

    async def call(self, method: str, params: dict | None = None) -> dict:
        """Call a method of the protocol on this page."""
        return await self._browser.call(method, params, self._session)

    async def close(self) -> None:
        """Close the tab."""
        await self._browser.call("Target.closeTarget", {"targetId": self._target})

    async def resize(self, width: int, height: int) -> None:
        """Set the size of the page in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", size)

    async def open(self, url: str) -> None:
        """Go to an address and wait until its scripts have been started."""
        await self.call("Page.navigate", {"url": url})
        await self.wait("document.readyState === 'complete'")

    async def js(self, expression: str):
        """Return the value of an expression; a promise is awaited.

        Raises:
            PageError: it threw.
        """
        answer = await self.call(
            "Runtime.evaluate",
            {"expression": expression, "returnByValue": True, "awaitPromise": True},
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise PageError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    async def wait(self, expression: str, *, for_s: float = 60.0):
        """Wait until an expression holds, and return its value; an element counts as true.

        Raises:
            PageError: it did not within ``for_s``; the message has the page's text.
        """
        asked = f"((held) => held instanceof Node || held)({expression})"
        with suppress(TimeoutError):
            async with asyncio.timeout(for_s):
                while True:
                    if value := await self._try(asked):
                        return value
                    await asyncio.sleep(0.03)
        text = await self._try("document.body.innerText.slice(0, 800)")
        raise PageError(f"never held: {expression}\n{text}\n{self.complaints}")

    async def press(self, key: str, *, times: int = 1, with_shift: bool = False) -> None:
        """Press and release a key, by its DOM name (``ArrowDown``) or character."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        codes = {"Enter": 13, "Escape": 27, "Tab": 9}
        codes |= {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        code = codes.get(key, 0)
        both = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 * with_shift}
        if key == "Tab":
            both["code"] = "Tab"
        for _ in range(times):
            await self.call("Input.dispatchKeyEvent", both | {"type": "keyDown", "text": text})
            await self.call("Input.dispatchKeyEvent", both | {"type": "keyUp"})

    async def type(self, text: str) -> None:
        """Type characters into what has the focus."""
        for character in text:
            await self.press(character)

    async def point(self, x: float, y: float) -> None:
        """Move the pointer."""
        await self.call("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})

    async def click(self, x: float, y: float) -> None:
        """Click at a point."""
        for kind in ("mousePressed", "mouseReleased"):
            await self.call(
                "Input.dispatchMouseEvent",
                {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1},
            )

    async def prefer(self, **features: str) -> None:
        """Emulate media features, as ``color_scheme="dark"``."""
        given = [
            {"name": f"prefers-{k.replace('_', '-')}", "value": v} for k, v in features.items()
        ]
        await self.call("Emulation.setEmulatedMedia", {"features": given})

    async def screenshot(self) -> bytes:
        """Return what is in view as PNG."""
        shot = await self.call("Page.captureScreenshot", {"format": "png"})
        return base64.b64decode(shot["data"])

    async def _try(self, expression: str):
        try:
            return await self.js(expression)
        except PageError:
            return None  # between two pages there may be nothing to ask

    def _heard(self, method: str, params: dict) -> None:
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", str(details)))
        elif method == "Log.entryAdded" and params["entry"]["level"] in {"error", "warning"}:
            entry = params["entry"]
            self.complaints.append(f"{entry['source']}: {entry['text']} {entry.get('url', '')}")
        elif method == "Audits.issueAdded":
            code = params["issue"]["code"]
            if code == "ContentSecurityPolicyIssue":
                self.complaints.append(json.dumps(params["issue"]["details"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in {"error", "assert"}:
            self.complaints.append(str([arg.get("value") for arg in params["args"]]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])


def executable() -> str | None:
    """Return where Chromium is, None when this machine has none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def running() -> Iterator[str]:
    """Run a headless Chromium with a profile of its own, and give its DevTools address."""
    program = executable()
    assert program is not None
    with tempfile.TemporaryDirectory(
        prefix="roost-chromium-", ignore_cleanup_errors=True
    ) as profile:
        process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield _devtools_address(Path(profile) / "DevToolsActivePort")
        finally:
            process.terminate()
            try:
                process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Browser]:
    """Connect to a running Chromium."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(address, max_msg_size=MESSAGE_BYTES_MAX) as socket,
        asyncio.TaskGroup() as tasks,
    ):
        browser = Browser(socket)
        pump = tasks.create_task(browser.pump())
        try:
            yield browser
        finally:
            pump.cancel()


def _devtools_address(port_file: Path) -> str:
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline:
        if port_file.exists() and len(lines := port_file.read_text().split()) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise PageError(f"Chromium did not open its port within {START_S_MAX} s")
