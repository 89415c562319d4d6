"""Two people race for one site, by two requests at the same moment: one of them is told."""

import asyncio

import pytest
from waiting import until

from roost_protocol.update import Running

HEAD = f'approvers = 0\nuncovered_ok = true\ndigest = "{"1" * 64}"\n'
PUMP = f'name = "pump 1.1.0"\ncomponent = "app/pump"\nversion = "1.1.0"\n{HEAD}'
ALL, ALPHA = f"{PUMP}[[wave]]\nrest = true\n", f'{PUMP}selector = "site:alpha"\n'
BETA = f'{PUMP}selector = "site:beta"\n'
TAP = ALL.replace("app/pump", "app/tap")
ROLLOUTS = "/api/v1/rollouts"


@pytest.fixture
def race(central):
    """Send requests, and let none of them be written before all were read and judged."""

    async def race(*wanted):
        async def ask(method, path, body):
            client = central.client
            async with client.request(method, path, json=body, headers=central.bearer) as answer:
                return answer.status, (await answer.json()).get("detail", "")

        moving = central.api.rollouts._open.moving
        await moving.acquire()
        try:
            asked = [asyncio.create_task(ask(*each)) for each in wanted]
            await until(
                lambda: (
                    len(moving._waiters or ()) + sum(each.done() for each in asked) == len(asked)
                ),
                "all requests were judged",
            )
            assert not any(each.done() for each in asked), [
                each.result() for each in asked if each.done()
            ]
        finally:
            moving.release()
        return sorted([await each for each in asked])

    return race


@pytest.fixture(autouse=True)
def fleet(view):
    for row in view.nodes.values():
        row.software = {"app/pump": Running("1.0.0", "0" * 64)}
        row.config.applied_digest, row.presence = "0" * 16, "online"


def of_profile(name, key):
    text = f'[profile]\nname = "{name}"\nfleet = true\n[kernel.sysctl]\n"{key}" = 10\n'
    plan = f'name = "x"\nprofiles = ["{name}.toml"]\napprovers = 0\nuncovered_ok = true\n'
    return {"plan": plan, "files": [{"file": f"{name}.toml", "source": text}]}


SWAP = of_profile("one", "vm.swappiness")
SAME = SWAP | {"plan": SWAP["plan"].replace('"x"', '"y"')}
NODES = of_profile("two", "vm.dirty_ratio")


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ({"plan": ALL}, {"plan": ALPHA}, "of these sites"),
        (SWAP, SAME, "has profile one as well"),
        (SWAP, NODES, "has 4 of these nodes"),
    ],
)
async def test_of_two_that_are_made_at_once_one_is_taken(race, central, first, second, told):
    taken, refused = await race(("POST", ROLLOUTS, first), ("POST", ROLLOUTS, second))
    assert (taken[0], refused[0]) == (201, 409)
    assert told in refused[1]
    assert "plan it anew" in refused[1]
    assert len(central.api.rollouts.open) == 1


@pytest.mark.parametrize("how", ["made", "edited"])
async def test_an_edit_takes_no_site_that_another_took_in_the_same_moment(race, post, central, how):
    made = []
    for plan in [ALPHA, BETA][: 2 if how == "edited" else 1]:
        status, found = await post(ROLLOUTS, {"plan": plan})
        assert status == 201
        made.append(found)
    two = ALPHA.replace("site:alpha", "site:alpha OR site:gamma")
    edits = [
        ("PUT", f"{ROLLOUTS}/{each['id']}", {"plan": plan, "rev": each["rev"]})
        for each, plan in zip(made, (two, BETA.replace("site:beta", "site:gamma")), strict=False)
    ]
    other = ("POST", ROLLOUTS, {"plan": PUMP + 'selector = "site:gamma"\n'})
    taken, refused = await race(*(edits if how == "edited" else [*edits, other]))
    assert (taken[0] in {200, 201}, refused[0]) == (True, 409)
    assert "plan it anew" in refused[1]
    sites = [site for each in central.api.rollouts.open.values() for site in each.rollout.jobs]
    assert len(sites) == len({*sites})


async def test_two_components_do_not_race(race):
    answers = await race(("POST", ROLLOUTS, {"plan": ALL}), ("POST", ROLLOUTS, {"plan": TAP}))
    assert [status for status, _ in answers] == [201, 201]
