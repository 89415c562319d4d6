"""query.js in the browser that operators use, against the shared vectors."""

import asyncio
import html
import json
import re
import shutil
from pathlib import Path

import pytest
from aiohttp import web

ROOT = Path(__file__).parents[2]
APP = ROOT / "central/roost_central/dashboard/static/app"
VECTORS = ROOT / "tests/protocol/vectors/query.json"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--virtual-time-budget=10000",
    "--dump-dom",
]
PAGE = """<!doctype html><meta charset="utf-8"><pre></pre><script type="module">
import { check } from "./query.vectors.js";
const vectors = await (await fetch("./query.json")).json();
document.querySelector("pre").textContent = JSON.stringify(check(vectors));
</script>"""

pytestmark = pytest.mark.browser


@pytest.fixture
async def page_url():
    """A page on loopback that writes what check() returns into its only <pre>."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def file(request: web.Request) -> web.FileResponse:
        name = request.match_info["name"]
        return web.FileResponse(VECTORS if name == "query.json" else Path(__file__).with_name(name))

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_static("/app", APP)
    app.router.add_get("/{name:query[.][a-z.]+}", file)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def test_every_vector_holds_in_chromium(page_url, tmp_path):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium")
    process = await asyncio.create_subprocess_exec(
        chromium,
        *FLAGS,
        f"--user-data-dir={tmp_path}",
        page_url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    dom, _ = await process.communicate()
    written = re.search(r"<pre>(.*)</pre>", dom.decode(), re.DOTALL)
    assert written is not None, dom.decode()[:500]
    answer = json.loads(html.unescape(written.group(1)))
    assert answer["wrong"] == []
    assert answer["count"] >= 250
