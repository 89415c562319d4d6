"""A login by an OpenID provider in a real browser: a real centre and a provider, both processes."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from central_process import CentralProcess
from openid_provider import CLIENT_ID, CLIENT_SECRET, running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

BUTTON = "document.querySelector('.provider button')"


@pytest.fixture
def centre(tmp_path):
    """A centre that knows the provider; give it with what tells the provider what to do."""
    central = CentralProcess(tmp_path)
    secret = tmp_path / "client.secret"
    secret.write_text(CLIENT_SECRET)
    secret.chmod(0o600)
    with running(f"{central.url}/login/oidc") as (issuer, tell):
        central.configure(
            f'public_url = "{central.url}"\n[oidc]\nissuer = "{issuer}"\n'
            f'client_id = "{CLIENT_ID}"\nclient_secret_file = "{secret}"\n'
        )
        central.start()
        try:
            central.ready()
            yield central, issuer, tell
        finally:
            central.kill()


async def test_the_button_leads_to_the_provider_and_back_to_the_page_one_wanted(centre, browser):
    central, issuer, _ = centre
    new = {"name": "ann", "issuer": issuer, "subject": "u-1", "grants": [{"role": "viewer"}]}
    central.post("/api/v1/users", new)
    async with browser.context() as context:
        tab = await context.tab()
        await tab.open(f"{central.url}/alarms")
        await tab.wait(BUTTON)
        await tab.js(f"{BUTTON}.click()")
        await tab.wait("location.pathname === '/alarms' && document.querySelector('.banner')")

        me = await tab.js("fetch('/api/v1/me').then((answer) => answer.json())")
        assert (me["name"], me["via"]) == ("ann", "oidc")


async def test_who_is_unknown_here_reads_the_command_and_the_address_forgets_the_code(
    centre, browser
):
    central, issuer, _ = centre
    async with browser.context() as context:
        tab = await context.tab()
        await tab.open(f"{central.url}/login")
        await tab.wait(BUTTON)
        await tab.js(f"{BUTTON}.click()")
        said = "document.querySelector('.provider .error')?.textContent"
        await tab.wait(f"{said}?.includes('roost user add')")

        assert f"--issuer {issuer} --subject u-1" in await tab.js(said)
        assert await tab.js("location.pathname + location.search") == "/login"


async def test_a_refusal_by_the_provider_is_told_in_its_word_alone(centre, browser):
    central, _, _ = centre
    async with browser.context() as context:
        tab = await context.tab()
        await tab.open(f"{central.url}/login/oidc?error=access_denied&error_description=Call+555")
        said = "document.querySelector('.provider .error')?.textContent"
        await tab.wait(f"{said}?.includes('access_denied')")

        assert "555" not in await tab.js("document.body.textContent")
