"""One Chromium for the run; for each test its own profile, and a fake central on loopback."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # this folder's own modules, nobody else's

from chromium import Browser, Context, Tab, connected, executable, running
from fake_central import TOKEN, FakeCentral, serving

SITES = 500


class Console:
    """A fake central, and tabs of one profile that look at it."""

    def __init__(self, central: FakeCentral, url: str, context: Context) -> None:
        self.central = central
        self.fleet = central.fleet
        self.url = url
        self.context = context

    async def tab(self, path: str = "/", *, width: int = 1440, height: int = 900) -> Tab:
        """Open a page, logged in, and wait until it shows the counts."""
        tab = await self.context.tab(width=width, height=height)
        if not self.central.sessions:
            await self.log_in(tab)
        await tab.open(self.url + path)
        await tab.wait("document.querySelector('.banner .total')")
        return tab

    async def log_in(self, tab: Tab) -> None:
        """Log in as an operator does."""
        await tab.open(f"{self.url}/login")
        await tab.wait("document.activeElement.id === 'token'")
        await tab.type(TOKEN)
        await tab.press("Enter")
        await tab.wait("document.querySelector('.banner .total')")
        tab.complaints.clear()  # the 401 that led to the login is told by the browser as an error


@pytest.fixture(scope="session")
def devtools() -> Iterator[str]:
    if executable() is None:
        pytest.skip("chromium is not installed")
    with running() as address:
        yield address


@pytest.fixture
async def browser(devtools: str) -> AsyncIterator[Browser]:
    async with connected(devtools) as browser:
        yield browser


@pytest.fixture
async def console(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Console]:
    """A console over 500 sites; ``@pytest.mark.parametrize("console", [n], indirect=True)``."""
    sites = getattr(request, "param", SITES)
    async with serving(sites) as (central, url), browser.context() as context:
        yield Console(central, url, context)
