"""The admin and audit pages, and a login by name and password."""

import pytest

pytestmark = pytest.mark.browser
USERS = "[...document.querySelectorAll('.users tbody tr')]"
FORM = "document.querySelector('.new-user form')"
FILL = """((selector, value) => { const box = document.querySelector(selector);
  box.value = value; box.dispatchEvent(new Event('input', { bubbles: true })); })"""


async def opened(console, path="/admin", shown=".users tbody tr", **size):
    tab = await console.tab(path, **size)
    await tab.wait(f"document.querySelector('{shown}')")
    return tab


async def test_a_user_is_added_with_grants_on_some_sites(console):
    tab = await opened(console)
    await tab.js("document.querySelector('.new-user summary').click()")
    await tab.js(f"{FILL}('.new-user [name=name]', 'bob')")
    await tab.js(f"{FILL}('.new-user [name=password]', 'correct horse battery')")
    await tab.js(f"{FILL}('.new-user .grant input', 'region:r02')")
    await tab.js(f"{FORM}.requestSubmit()")
    await tab.wait(f"{USERS}.length === 3")
    access = console.central.access
    assert access.taken[-1] == (
        "POST",
        "/users",
        {
            "name": "bob",
            "grants": [{"role": "viewer", "on": "region:r02"}],
            "password": "correct horse battery",
        },
    )
    assert "viewer on region:r02" in await tab.js(f"{USERS}.at(-1).innerText")
    assert await tab.js(f"{FORM}.elements.password.value") == ""


async def test_grants_are_changed_and_a_user_is_disabled_but_not_oneself(console):
    tab = await opened(console)
    await tab.js("document.querySelector('[aria-label=\"Change the grants of ann\"]').click()")
    form = "document.querySelector('[aria-label=\"Grants of ann\"]')"
    await tab.wait(form)
    await tab.js(f"[...{form}.querySelectorAll('.grants > button')].at(-1).click()")
    await tab.wait(f"{form}.querySelectorAll('.grant').length === 2")
    await tab.js(f"{form}.requestSubmit()")
    await tab.wait(f"!{form}")
    grants = console.central.access.users["ann"]["grants"]
    assert grants[-1] == {"role": "viewer", "on": ""}
    await tab.js("document.querySelector('[aria-label=\"Disable ann\"]').click()")
    await tab.wait("document.querySelector('[aria-label=\"Enable ann\"]')")
    assert await tab.js("document.querySelector('[aria-label=\"Disable admin\"]').disabled")


async def test_a_token_is_shown_once(console):
    tab = await opened(console, shown=".tokens tbody tr")
    await tab.js("document.querySelector('.new-token summary').click()")
    await tab.js(f"{FILL}('.new-token [name=name]', 'ci')")
    await tab.js("document.querySelector('.new-token form').requestSubmit()")
    await tab.wait("document.querySelector('.made .secret')?.innerText.startsWith('rtk_')")
    assert console.central.access.taken[-1][2] == {"name": "ci", "for_s": 90 * 86_400}
    await tab.js("document.querySelector('.made button').click()")
    await tab.wait("!document.querySelector('.made')")
    assert "rtk_" not in await tab.js("document.body.innerHTML")


async def test_who_is_no_admin_is_told_why_users_are_not_there(console):
    console.central.access.me |= {
        "grants": [{"role": "viewer", "on": "region:r01"}],
        "permissions": ["read"],
        "everywhere": [],
    }
    tab = await opened(console, shown=".tokens tbody tr")
    await tab.wait("document.body.innerText.includes('viewer on region:r01')")
    assert not await tab.js("Boolean(document.querySelector('.users'))")
    assert await tab.js("document.querySelector('.all-tokens input').disabled")


async def test_ones_password_needs_the_present_one(console):
    tab = await opened(console)
    form = "document.querySelector('.admin section form')"
    for current, said in (("wrong", "is not the present"), ("correct horse battery", "Changed.")):
        await tab.js(f"{FILL}('[name=current]', '{current}')")
        for name in ("password", "again"):
            await tab.js(f"{FILL}('.admin section [name={name}]', 'another horse battery')")
        await tab.js(f"{form}.requestSubmit()")
        await tab.wait(
            f"document.querySelector('.admin section [role=status]').innerText.includes('{said}')"
        )


async def test_acts_are_read_filtered_and_do_nothing_themselves(console):
    tab = await opened(console, "/audit", ".audit tbody tr")
    rows = "[...document.querySelectorAll('.audit tbody tr')]"
    assert await tab.js(f"{rows}.length") == 2
    assert "refused" in await tab.js(f"{rows}[1].innerText")
    assert await tab.js("window.owned") is None
    await tab.js(f"{FILL}('[name=actor]', 'ann')")
    await tab.js("document.querySelector('.audit-filter').requestSubmit()")
    await tab.wait(f"{rows}.length === 1")
    assert await tab.js("location.search") == "?actor=ann"
    assert "ab" * 32 in await tab.js("document.querySelector('.chain').innerText")


async def test_a_name_and_a_password_log_in_and_the_way_is_remembered(console):
    tab = await console.context.tab(width=900, height=700)
    await tab.open(f"{console.url}/login")
    await tab.wait("document.activeElement.id === 'token'")
    await tab.js("document.querySelector('form button[type=button]').click()")
    await tab.wait("document.activeElement.id === 'user'")
    for password, shown in (
        ("wrong", "document.querySelector('.error').innerText.includes('wrong')"),
        (console.central.access.password, "document.querySelector('.banner .total')"),
    ):
        await tab.js(f"{FILL}('#user', 'ann')")
        await tab.js(f"{FILL}('#password', '{password}')")
        await tab.js("document.querySelector('form').requestSubmit()")
        await tab.wait(shown)
    assert await tab.js("JSON.parse(localStorage.getItem('roost.prefs')).loginBy") == "password"
    stored = await tab.js("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
    assert console.central.access.password not in stored
