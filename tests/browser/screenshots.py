"""Takes the README's pictures of a running demo: ``screenshots.py URL TOKEN_FILE FOLDER``.

The demo runs with ``--fault 'cut carrier=carB region=r0[1-5] at=150s for=5m'`` and has an incident;
a rollout of its release 2.1.0 is under way.
"""

import asyncio
import sys
from pathlib import Path

from chromium import Tab, connected, running

PAGES = {
    "fleet": ("/", "document.querySelector('.rows-body .row')"),
    "site": ("/sites/lab", "document.querySelector('.turns rect')"),
    "alarms": ("/alarms?q=incident%3Dnull", "document.querySelector('.alarm-rows')"),
    "incident": ("/incidents", "document.querySelector('main tbody a')"),
    "rollout": ("/rollouts", "document.querySelector('.rollouts tbody a')"),
}
OPENED = {  # of a list, its first row: what is there once it is open
    "incident": "document.querySelector('.cause-text')",
    "rollout": "document.querySelector('.rollout-sites tbody tr')",
}
FROM = {"site": "document.querySelector('.ha')"}  # what stands first in the picture
SETTLE_S = 1.5  # fonts, canvas and the first live frame


async def main(address: str, url: str, token: str, folder: Path) -> None:
    """Log in and take one picture of each page."""
    async with connected(address) as browser, browser.context() as context:
        tab = await context.tab(width=1440, height=900)
        await log_in(tab, url, token)
        for name, (path, shown) in PAGES.items():
            await tab.open(f"{url}{path}")
            await tab.wait(shown)
            if name in OPENED:
                await tab.js(f"{shown}.click()")
                await tab.wait(OPENED[name])
            await asyncio.sleep(SETTLE_S)
            if name in FROM:
                await tab.js(f"{FROM[name]}.scrollIntoView()")
            (folder / f"{name}.png").write_bytes(await tab.screenshot())
        print("\n".join(dict.fromkeys(tab.complaints)))


async def log_in(tab: Tab, url: str, token: str) -> None:
    """Give the token to the login page."""
    await tab.open(f"{url}/login")
    await tab.wait("document.querySelector('#token')")
    await tab.js(f"document.querySelector('#token').value = {token!r}")
    await tab.js("document.querySelector('form').requestSubmit()")
    await tab.wait("document.querySelector('.banner .count')")


if __name__ == "__main__":
    _, url, token_file, folder = sys.argv
    Path(folder).mkdir(parents=True, exist_ok=True)
    with running() as address:
        asyncio.run(main(address, url, Path(token_file).read_text().strip(), Path(folder)))
