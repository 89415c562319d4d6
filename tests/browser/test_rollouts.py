"""Rollouts with their waves, what failed and why, and what a plan would do."""

import json

import pytest

pytestmark = pytest.mark.browser
ONE = f"/rollouts/{'e' * 32}"
BUTTONS = "[...document.querySelectorAll('.page-head .toolbar button')].map((b) => b.innerText)"


async def test_a_rollout_shows_its_waves_its_failures_and_the_way_of_each_site(console):
    tab = await console.tab("/rollouts")
    await tab.wait("document.querySelector('.rollouts tbody tr')")
    assert "paused (health gate)" in await tab.js("document.querySelector('.rollouts').innerText")
    await tab.js("document.querySelector('.rollouts a').click()")
    await tab.wait("document.querySelectorAll('.groups tbody tr').length === 2")
    label = "document.querySelector('.groups .delivery-bar').getAttribute('aria-label')"
    assert await tab.js(label) == "Wave 1: 1 have it, 1 failed"
    await tab.wait("document.querySelector('.failures tbody tr')")
    failures = await tab.js("document.querySelector('.failures').innerText")
    assert "edge-00-00" in failures
    assert "look at a site's alarms, then roll back" in failures
    turn = "document.querySelector('section .toolbar select').selectedOptions[0].innerText"
    assert await tab.js(turn) == "whose turn it is"
    assert await tab.js("document.querySelector('.rollout-sites summary').innerText") == "1 step"
    await tab.js("document.querySelector('.rollout-sites summary').click()")
    await tab.wait("document.querySelector('.way')?.innerText.includes('offered')")
    assert "bob: 1 of 1" in await tab.js("document.querySelector('.facts').innerText")
    assert not tab.complaints


async def test_the_list_follows_by_itself_as_long_as_something_moves(console):
    tab = await console.tab("/rollouts")
    shown = "document.querySelector('.rollouts tbody')?.innerText"
    await tab.wait(f"{shown}?.includes('paused')")
    console.central.rollouts.one |= {"state": "rolling_back", "pause": None}
    await tab.wait(f"{shown}.includes('rolling back')")


async def test_who_rolls_back_says_why(console):
    tab = await console.tab(ONE)
    await tab.wait(f"{BUTTONS}.length === 4")
    await tab.js("document.querySelectorAll('.page-head .toolbar button')[3].click()")
    await tab.wait("document.querySelector('dialog[open]')")
    assert await tab.js("document.querySelector('dialog [name=reason]').required")


async def test_a_failed_wave_is_retried_or_skipped_with_a_reason(console):
    tab = await console.tab(ONE)
    await tab.wait("document.querySelector('.page-head .toolbar button')")
    assert await tab.js(BUTTONS) == ["Retry the wave", "Skip the wave", "Abort", "Roll back"]
    await tab.js("document.querySelector('.page-head .toolbar button').click()")
    await tab.wait("document.querySelector('dialog[open]')")
    await tab.js("document.querySelector('dialog form').requestSubmit()")
    await tab.wait(f"{BUTTONS}.length === 4 && {BUTTONS}[0] === 'Pause'")
    moved = [each for each in console.central.rollouts.asked if each[0].endswith("/resume")]
    assert moved == [(f"/api/v1{ONE}/resume", {"reason": "", "failed_wave": "retry"})]


async def test_a_rollout_that_was_rolled_back_shows_who_is_back(console):
    console.central.rollouts.one |= {"state": "rolled_back", "pause": None}
    console.central.rollouts.job |= {"state": "succeeded", "is_back": True}
    tab = await console.tab(ONE)
    await tab.wait("document.querySelector('.rollout-sites tbody tr')")
    label = "document.querySelector('.groups .delivery-bar').getAttribute('aria-label')"
    assert await tab.js(label) == "Wave 1: 1 are back, 1 failed"
    site = await tab.js("document.querySelector('.rollout-sites tbody').innerText")
    assert "back on 1.0.0: succeeded" in site


async def test_who_was_back_by_itself_is_no_failure_of_a_rollout_that_went_back(console):
    console.central.rollouts.one |= {"state": "rolled_back", "pause": None}
    wave = console.central.rollouts.detail["stages"][0]
    wave |= {"states": {"rolled_back": 2, "succeeded": 1}, "went_back": 1}
    console.central.rollouts.failure |= {"failure": "install", "went_back": True}
    tab = await console.tab(ONE)
    await tab.wait("document.querySelector('.failures tbody tr')")
    label = "document.querySelector('.groups .delivery-bar').getAttribute('aria-label')"
    assert await tab.js(label) == "Wave 1: 1 are back, 1 failed, 1 went back by themselves before"
    type_ = "document.querySelector('.failures [data-title=Type]').innerText"
    assert await tab.js(type_) == "install, went back"
    states = await tab.js("[...document.querySelectorAll('option')].map((each) => each.value)")
    assert "went_back" not in states, "no state of a site: none can be asked for by it"


async def test_what_awaits_approval_says_how_it_is_approved(console):
    console.central.rollouts.one |= {"state": "awaiting_approval", "pause": None}
    wave, rest = console.central.rollouts.detail["stages"]
    wave |= {"name": "wave 1", "state": "pending", "states": {"canceled": 2}}
    tab = await console.tab(ONE)
    await tab.wait("document.querySelector('.rollout-sites tbody tr')")
    head = await tab.js("document.querySelector('.page-head').innerText")
    assert f"roost rollout approve {'e' * 32} --plan FILE --operator NAME --key FILE" in head
    names = "[...document.querySelectorAll('.groups tbody th')].map((th) => th.innerText)"
    assert await tab.js(names) == ["wave 1", f"2 {rest['name']}"]
    label = "document.querySelector('.groups .delivery-bar').getAttribute('aria-label')"
    assert await tab.js(label) == "Wave 1: 2 left out"


async def test_a_plan_is_tried_before_it_is_made_and_a_refused_one_is_not_made(console):
    console.central.rollouts.refusals = ["another rollout has these sites"]
    tab = await console.tab("/rollouts")
    await tab.wait("document.querySelectorAll('.toolbar button').length === 2")
    await tab.js("document.querySelectorAll('.toolbar button')[1].click()")
    await tab.wait("document.querySelector('.blast .toolbar button')")
    await tab.js("document.querySelector('.blast .toolbar button').click()")
    await tab.wait("document.querySelector('.dry tbody tr')")
    text = await tab.js("document.querySelector('.blast').innerText")
    for said in ("12 sites", "5 MiB", "2: silent", "another rollout", "No canary for b, plain"):
        assert said in text
    assert await tab.js("document.querySelectorAll('.blast .toolbar button').length") == 1
    console.central.rollouts.refusals = []
    await tab.js("document.querySelector('.blast .toolbar button').click()")
    await tab.wait("document.querySelector('.blast button.primary')")
    await tab.js("document.querySelector('.blast button.primary').click()")
    await tab.wait(f"location.pathname === '{ONE}'")
    made = [body for path, body in console.central.rollouts.asked if path == "/api/v1/rollouts"]
    assert made[0]["expect"] == 12


CHOOSE = """(async (some) => {
  const input = document.querySelector('.files input[type=file]');
  const box = new DataTransfer();
  for (const [name, text] of some) box.items.add(new File([text], name));
  input.files = box.files;
  input.dispatchEvent(new Event('change', { bubbles: true }));
})(%s)"""
TEXT = "document.querySelector('.blast textarea').value"
NTP = '[profile]\nname = "ntp"\nfleet = true\n'
SETTINGS = {
    "kind": "profile", "changes_left": 0, "unable": 3,
    "sections": [{"section": "network", "settings": 1, "nodes": 24, "sites": 12, "mark": "reboot",
                  "affects_service": True}],
    "changes": [{"nodes": 24, "examples": ["edge-00-00.n1"], "mark": "reboot", "changes": [
        {"path": "network.mtu", "old": None, "new": 9000, "profile": "ntp", "mark": "reboot"}]}],
}  # fmt: skip


async def test_files_of_profiles_are_sent_with_the_plan_from_the_page(console):
    console.central.rollouts.settings = SETTINGS
    tab = await console.tab("/profiles")
    await tab.wait("document.querySelector('.toolbar a')")
    await tab.js("document.querySelector('.toolbar a').click()")
    await tab.wait("document.querySelector('.files input')")
    label = "document.querySelector('.files input').labels[0].innerText"
    assert "Files of profiles" in await tab.js(label)
    hint = "document.querySelector('.files input').getAttribute('aria-describedby')"
    assert await tab.js(f"Boolean(document.getElementById({hint}))")
    await tab.js(CHOOSE % json.dumps([["ntp.toml", NTP], ["x.toml", "x"]]))
    await tab.wait("document.querySelectorAll('.files li').length === 2")
    assert 'profiles = ["ntp.toml", "x.toml"]' in await tab.js(TEXT)
    leave = "document.querySelectorAll('.files li button')[1]"
    assert await tab.js(f"{leave}.getAttribute('aria-label')") == "Leave out x.toml"
    await tab.js(f"{leave}.focus()")
    await tab.press("Enter")
    await tab.wait("document.querySelectorAll('.files li').length === 1")
    assert 'profiles = ["ntp.toml"]' in await tab.js(TEXT)
    await tab.js("document.querySelector('.blast .toolbar button').click()")
    await tab.wait("document.querySelector('.sections tbody tr')")
    shown = await tab.js("document.querySelector('.blast').innerText")
    for said in ("affects services", "24 nodes: 1 setting (", "3 nodes take no settings"):
        assert said in shown
    await tab.js("document.querySelector('.blast details').open = true")
    assert "not set" in await tab.js("document.querySelector('.blast details').innerText")
    await tab.js("document.querySelector('.blast button.primary').click()")
    await tab.wait(f"location.pathname === '{ONE}'")
    asked = {path: body for path, body in console.central.rollouts.asked if body}
    for path in ("/api/v1/rollouts:plan", "/api/v1/rollouts"):
        assert asked[path]["files"] == [{"file": "ntp.toml", "source": NTP}]
    assert asked["/api/v1/rollouts"]["expect"] == 12
    assert not tab.complaints


async def test_a_plan_that_somebody_typed_names_its_files_by_their_folder(console):
    plan = 'name = "x"\nprofiles = ["north/ntp.toml"]\n'
    tab = await console.tab("/rollouts?plan=profiles")
    await tab.wait("document.querySelector('.files input')")
    await tab.js(
        "(() => { const area = document.querySelector('.blast textarea');"
        f" area.value = {json.dumps(plan)};"
        " area.dispatchEvent(new Event('input', { bubbles: true })); })()"
    )
    await tab.js(CHOOSE % json.dumps([["ntp.toml", NTP]]))
    await tab.wait("document.querySelectorAll('.files li').length === 1")
    assert await tab.js(TEXT) == plan
    await tab.js("document.querySelector('.blast .toolbar button').click()")
    await tab.wait("document.querySelector('.dry tbody tr')")
    asked = dict(each for each in console.central.rollouts.asked if each[1])
    assert asked["/api/v1/rollouts:plan"]["files"] == [{"file": "north/ntp.toml", "source": NTP}]


async def test_a_file_that_is_no_text_is_told_and_not_sent(console):
    tab = await console.tab("/rollouts?plan=profiles")
    await tab.wait("document.querySelector('.files input')")
    await tab.js(CHOOSE % "[['a.toml', new Uint8Array([255, 254, 0])]]")
    await tab.wait("document.querySelector('.blast [role=alert]')")
    told = await tab.js("document.querySelector('.blast [role=alert]').innerText")
    assert told == "a.toml is no text in UTF-8: choose the profile's .toml file"
    assert await tab.js("document.querySelectorAll('.files li').length") == 0


@pytest.mark.parametrize("path", ["/rollouts", "/rollouts?plan=profiles", ONE])
async def test_the_pages_fit_a_telephone(console, path):
    tab = await console.tab(path)
    await tab.resize(390, 844)
    await tab.wait("document.querySelector('main table tbody tr')")
    assert await tab.js("document.documentElement.scrollWidth <= innerWidth")
