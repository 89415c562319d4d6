"""Another plan for a rollout that has not begun: signatures are void, and nobody is overtaken."""

import msgspec
import pytest

from roost_central.access.core import Grant
from roost_central.storage import rollouts
from roost_central.storage.rollouts import ApprovalRecord
from roost_protocol.update import Running

PLAN = (
    'name = "pump 1.1.0"\ncomponent = "app/pump"\nversion = "1.1.0"\napprovers = 1\n'
    f'uncovered_ok = true\ndigest = "{"1" * 64}"\n[[wave]]\nrest = true\n'
)
OTHER = PLAN.replace("[[wave]]\n", '[[wave]]\nname = "all"\n')
ROLLOUTS = "/api/v1/rollouts"


@pytest.fixture
def put(central):
    async def put(path, body, bearer=None):
        headers = bearer or central.bearer
        async with central.client.put(path, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    return put


@pytest.fixture
async def made(post, view, central):
    for row in view.nodes.values():
        row.software = {"app/pump": Running("1.0.0", "0" * 64)}
    status, made = await post(ROLLOUTS, {"plan": PLAN})
    assert (status, made["state"]) == (201, "awaiting_approval")
    return made


async def test_an_edit_makes_what_was_signed_void_and_is_approved_anew(made, put, get, central):
    one = f"{ROLLOUTS}/{made['id']}"
    record = ApprovalRecord(made["id"], "olga", "1" * 64, 1, "ann", b"a", b"s")
    async with central.database.write() as connection:
        await rollouts.add_approval(connection, record)
    assert len((await get(one))[1]["approvals"]) == 1
    status, after = await put(one, {"plan": OTHER, "rev": made["rev"], "reason": "a name"})
    assert (status, after["state"], after["approvals"]) == (200, "awaiting_approval", [])
    assert (after["rev"], after["stages"][0]["name"]) == (made["rev"] + 1, "all")
    assert (await get(one))[1]["approvals"] == []
    assert after["plan_digest"] != made["plan_digest"]
    assert after["made"] == made["made"]
    async with central.database.read() as connection:
        head, plan = await rollouts.find(connection, made["id"])
        jobs = await rollouts.jobs_of(connection, made["id"])
    assert (head.rev, plan.decode(), len(jobs)) == (after["rev"], OTHER, made["sites"])
    central.api.rollouts.open.clear()
    await central.api.rollouts.load()
    assert (await get(one))[1]["plan"] == OTHER


async def test_who_read_an_earlier_state_overtakes_nobody(made, put):
    one = f"{ROLLOUTS}/{made['id']}"
    assert (await put(one, {"plan": OTHER, "rev": made["rev"]}))[0] == 200
    status, problem = await put(one, {"plan": PLAN, "rev": made["rev"]})
    assert (status, "read it again" in problem["detail"]) == (409, True)


async def test_what_has_begun_has_no_other_plan(made, put, central):
    known = central.api.rollouts.open[made["id"]].rollout
    known.head = msgspec.structs.replace(known.head, state="running")
    status, _ = await put(f"{ROLLOUTS}/{made['id']}", {"plan": OTHER, "rev": made["rev"]})
    assert status == 409


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"plan": OTHER.replace("app/pump", "app/tap")}, 409),
        ({"expect": 99_999}, 409),
        ({"plan": "name = 1"}, 422),
        ({"rev": -1}, 422),
    ],
)
async def test_a_plan_that_is_not_taken_changes_nothing(made, put, get, more, status):
    one = f"{ROLLOUTS}/{made['id']}"
    assert (await put(one, {"plan": OTHER, "rev": made["rev"], **more}))[0] == status
    assert (await get(one))[1]["plan"] == PLAN


async def test_a_plan_that_was_scheduled_may_be_edited_until_it_begins(post, put, view):
    for row in view.nodes.values():
        row.software = {"app/pump": Running("1.0.0", "0" * 64)}
    _, made = await post(ROLLOUTS, {"plan": PLAN.replace("approvers = 1", "approvers = 0")})
    assert made["state"] == "scheduled"
    body = {"plan": OTHER, "rev": made["rev"]}
    assert (await put(f"{ROLLOUTS}/{made['id']}", body))[1]["state"] == "awaiting_approval"


async def test_who_sees_a_part_of_its_sites_gives_it_no_other_plan(made, ask, person):
    who = await person("ann", Grant("admin", "site=alpha"))
    body = {"plan": OTHER, "rev": made["rev"]}
    status, _ = await ask(who, "PUT", f"{ROLLOUTS}/{made['id']}", body)
    assert status == 403
