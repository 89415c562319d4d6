"""Rollouts over HTTP: a plan is shown before it is made, and refused by its field."""

from types import SimpleNamespace

import msgspec
import pytest
from inventories import keep
from releases import custom

from roost_central.releases.shelf import AVAILABLE, RETRACTED, UNAVAILABLE, UPLOADING
from roost_central.storage import rollouts
from roost_protocol.update import Running

PLAN = (
    'name = "pump 1.1.0"\ncomponent = "app/pump"\nversion = "1.1.0"\napprovers = 0\n'
    f'uncovered_ok = true\ndigest = "{"1" * 64}"\n[[wave]]\nrest = true\n'
)
ROLLOUTS = "/api/v1/rollouts"


@pytest.fixture
def post(central):
    async def ask(path, body):
        async with central.client.post(path, json=body, headers=central.bearer) as answer:
            return answer.status, await answer.json()

    return ask


@pytest.fixture(autouse=True)
def software(view):
    for row in view.nodes.values():
        row.software = {"app/pump": Running("1.0.0", "0" * 64)}


async def test_a_plan_is_shown_made_started_and_moved(post, get, view):
    status, dry = await post(f"{ROLLOUTS}:plan", {"plan": PLAN})
    assert (status, dry["sites"], dry["refusals"]) == (200, len(view.sites), [])
    status, made = await post(ROLLOUTS, {"plan": PLAN, "expect": dry["sites"], "reason": "why"})
    assert (status, made["state"], made["plan_digest"]) == (201, "scheduled", dry["plan_digest"])
    one = f"{ROLLOUTS}/{made['id']}"
    assert (await post(f"{one}/start", {}))[1]["state"] == "running"
    assert (await post(f"{one}/pause", {"reason": "lunch"}))[1]["why"] == "lunch"
    status, problem = await post(f"{one}/resume", {"failed_wave": "skip"})
    assert (status, problem["status"]) == (409, 409)
    assert "has not failed" in problem["detail"]
    assert (await get(f"{one}/jobs"))[1]["items"][0]["former"] == "1.0.0"
    assert (await get(f"{one}/failures"))[1]["items"] == []
    [row] = (await get(ROLLOUTS))[1]["items"]
    assert (row["id"], row["counts"]["waiting"]) == (made["id"], row["sites"])
    status, problem = await get(f"{one}/jobs?wave=9")
    assert (status, problem["errors"][0]["bound"]) == (422, 1)
    assert "has 1 wave: say 1 to 1" in problem["detail"]
    status, dry = await post(f"{ROLLOUTS}:plan", {"plan": PLAN})
    assert "let it end, or abort it first (deny it" in dry["refusals"][0]
    assert (await post(ROLLOUTS, {"plan": PLAN}))[0] == 409
    assert (await post(f"{one}/abort", {"reason": "no"}))[1]["state"] == "aborted"
    assert (await get(one))[1]["state"] == "aborted"  # from storage now
    [row] = (await get(ROLLOUTS))[1]["items"]
    assert row["counts"]["apart"] == row["sites"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('selector = "colour:blue("\n', "selector"),
        ('selector = "site:nobody"\n', "no site"),
        ("seed = -1\n", "seed"),
    ],
)
async def test_a_plan_that_cannot_be_is_refused_by_its_field(post, text, named):
    status, problem = await post(f"{ROLLOUTS}:plan", {"plan": text + PLAN})
    assert status == 422
    assert named in str(problem)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('selector = "label.nope:edge"', "selector: no site has a label nope"),
        (
            'selector = "site:nobody"',
            "selector: it holds for no site: try it by roost site list -q site:nobody",
        ),
        ('selektor = "site:alpha"', "did you mean selector"),
    ],
)
async def test_a_plan_for_nobody_is_refused_in_one_plain_sentence(post, line, told):
    status, problem = await post(f"{ROLLOUTS}:plan", {"plan": f"{line}\n{PLAN}"})
    assert status == 422
    assert told in problem["detail"]
    assert "the plan: plan" not in problem["detail"]


async def test_another_number_of_sites_than_was_seen_is_refused(post):
    status, problem = await post(ROLLOUTS, {"plan": PLAN, "expect": 99_999})
    assert status == 409
    assert problem["errors"][0]["field"] == "expect"


async def test_a_release_that_nobody_knows_is_refused(post):
    without = PLAN.replace("digest", "# digest")
    status, problem = await post(f"{ROLLOUTS}:plan", {"plan": without})
    assert status == 422
    assert "roost release list" in str(problem)


async def test_a_gate_whose_query_is_none_is_refused_by_its_field(post):
    text = PLAN + 'gates = {kpi = ["colour=blue <= 5 %"]}\n'
    status, problem = await post(f"{ROLLOUTS}:plan", {"plan": text})
    assert status == 422
    assert problem["errors"][0]["field"] == "wave[0].gates.kpi"
    text = PLAN + 'gates = {kpi = ["status>=degraded <= 5 %", "sync!=in-sync <= +0 sites"]}\n'
    assert (await post(f"{ROLLOUTS}:plan", {"plan": text}))[0] == 200


async def test_a_rollout_is_named_by_letters_that_no_other_begins_with(post, get, view):
    made = [(await post(ROLLOUTS, {"plan": PLAN}))[1]["id"]]
    assert (await post(f"{ROLLOUTS}/{made[0][:6]}/start", {}))[1]["id"] == made[0]
    assert (await get(f"{ROLLOUTS}/{made[0][:4].upper()}"))[1]["id"] == made[0]
    assert (await get(f"{ROLLOUTS}/{made[0][:4]}/jobs"))[0] == 200
    assert (await get(f"{ROLLOUTS}/{made[0][:4]}/failures"))[0] == 200
    status, done = await post(f"{ROLLOUTS}/{made[0][:8]}/abort", {"reason": "no"})
    assert (status, done["state"]) == (200, "aborted")
    assert (await get(f"{ROLLOUTS}/{made[0][:8]}"))[1]["state"] == "aborted"  # from storage
    for wrong in (made[0][:3], "%" * 4, "_" * 8, made[0][:7] + "zz"):
        assert (await get(f"{ROLLOUTS}/{wrong}"))[0] == 404
    other = "0" if made[0][4] != "0" else "1"
    assert (await get(f"{ROLLOUTS}/{made[0][:4]}{other}"))[0] == 404


async def test_letters_that_several_begin_with_name_none_of_them(post, get, central):
    made = (await post(ROLLOUTS, {"plan": PLAN}))[1]["id"]
    twin = made[:6] + ("0" if made[6] != "0" else "1") * 26
    async with central.database.write() as connection:
        head, plan = await rollouts.find(connection, made)
        await rollouts.add(connection, msgspec.structs.replace(head, id=twin), plan, [])
    status, problem = await get(f"{ROLLOUTS}/{made[:6]}")
    assert status == 409
    assert "could be" in problem["detail"]
    assert made in problem["detail"]
    assert twin in problem["detail"]
    assert (await get(f"{ROLLOUTS}/{made[:7]}"))[1]["id"] == made


class Desk:
    """Of the desk of releases what plans ask."""

    def __init__(self, *customs):
        self.known = [
            SimpleNamespace(
                component=each.component, version=each.version, custom=each, state=state,
                digest=str(each.counter) * 64,
            )
            for each, state in customs
        ]  # fmt: skip

    def releases(self):
        return list(self.known)

    def find(self, component, version):
        return next(
            (each for each in self.known if (each.component, each.version) == (component, version)),
            None,
        )

    def wan_bytes(self, release, running):
        return 1

    async def approvals_needed(self):
        return 0


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (("1.1.0", "9.9"), "version: got 'app/pump 9.9', it takes a release of this centre, which "
         "has 1.0.0, 1.1.0 (roost release list)"),
        (("app/pump", "app/pmp"), "component: got 'app/pmp', it takes a component that this centre"
         " has releases of (roost release list), or a digest beside it; did you mean app/pump?"),
    ],
)  # fmt: skip
async def test_a_release_that_is_not_known_is_told_by_what_of_it_is_not(post, central, named, told):
    known = [
        (custom(component="app/pump", version=each, counter=n + 1), state)
        for n, (each, state) in enumerate(
            [("1.0.0", AVAILABLE), ("1.0.5", RETRACTED), ("1.1.0", AVAILABLE)]
        )
    ]
    object.__setattr__(central.api, "releases", Desk(*known))
    text = PLAN.replace("digest", "# digest").replace(*named)
    status, problem = await post(f"{ROLLOUTS}:plan", {"plan": text})
    assert status == 422
    assert told in problem["detail"]


async def test_a_plan_over_a_barrier_is_refused_by_the_release_that_comes_first(post, central):
    said = {"component": "app/pump"}
    one, old = (
        custom(version="1.0.0", counter=1, **said),
        custom(version="1.0.1", counter=2, **said),
    )
    two = custom(version="1.0.9", counter=3, is_barrier=True, **said)
    three = custom(version="1.1.0", counter=4, **said)
    known = [(one, AVAILABLE), (old, RETRACTED), (two, AVAILABLE), (three, AVAILABLE)]
    object.__setattr__(central.api, "releases", Desk(*known))
    text = PLAN.replace("digest", "# digest")
    _, dry = await post(f"{ROLLOUTS}:plan", {"plan": text})
    [why] = dry["refusals"]
    assert 'version = "1.0.9" (the way is 1.0.9, then 1.1.0)' in why
    assert (await post(ROLLOUTS, {"plan": text}))[0] == 409
    _, dry = await post(f"{ROLLOUTS}:plan", {"plan": text.replace("1.1.0", "1.0.9")})
    assert dry["refusals"] == []


OWN = (
    '[profile]\nname = "own"\nselect = "region:r02"\n'
    '[update-window]\ndays = ["wed"]\nstart = "01:00"\nminutes = 60\n'
)


async def test_a_plan_that_ends_before_windows_of_its_nodes_open_is_refused(post):
    said = {"files": [{"file": "own.toml", "source": OWN}], "at_once": True}
    assert (await post("/api/v1/profiles:apply", said))[0] == 200
    _, dry = await post(f"{ROLLOUTS}:plan", {"plan": PLAN})
    (why,) = dry["refusals"]
    assert why.startswith("wave 1 (no name) has 72 h (deadline_h), and nodes of 2 of its sites")
    assert "is shut for up to 167 h: say deadline_h = 168 or more" in why
    assert (await post(ROLLOUTS, {"plan": PLAN}))[0] == 409
    _, dry = await post(f"{ROLLOUTS}:plan", {"plan": PLAN + "deadline_h = 168\n"})
    assert dry["refusals"] == []
    apart = 'deadline_h = 200\nwindow = {days = ["thu"], start = "01:00", minutes = 60}\n'
    _, dry = await post(f"{ROLLOUTS}:plan", {"plan": PLAN + apart})
    assert "are never open together: change one" in dry["refusals"][0]


async def test_a_plan_whose_window_may_not_open_in_time_is_refused_and_its_wait_is_told(post):
    window = 'window = {days = ["wed"], start = "01:00", minutes = 60}\n'
    status, dry = await post(f"{ROLLOUTS}:plan", {"plan": PLAN + window})
    assert (status, dry["refusals"]) == (200, [])
    _, none = await post(f"{ROLLOUTS}:plan", {"plan": PLAN})
    assert dry["waves"][0]["ends_s"] > none["waves"][0]["ends_s"]
    late = {"plan": PLAN + window + "deadline_h = 1\n"}
    _, dry = await post(f"{ROLLOUTS}:plan", late)
    assert "has 1 h (deadline_h), and its window is shut for up to 167 h" in dry["refusals"][0]
    assert (await post(ROLLOUTS, late))[0] == 409


async def test_a_plan_for_other_hardware_is_refused_by_its_nodes_and_they_are_held_back(
    post, central, view
):
    what = custom(component="app/pump", version="1.1.0", hw=["R740"])
    object.__setattr__(central.api, "releases", Desk((what, AVAILABLE)))
    node = next(iter(view.nodes.values()))
    models = {
        each.node: {"system": {"box": {"product_name": "R750" if each is node else "R740"}}}
        for each in view.nodes.values()
    }
    await keep(central.database, models)
    text = PLAN.replace("digest", "# digest")
    status, dry = await post(f"{ROLLOUTS}:plan", {"plan": text})
    assert status == 200
    [why] = dry["refusals"]
    assert f"app/pump 1.1.0 is for R740, and {node.node} is R750: leave these nodes out" in why
    held = "hardware: app/pump 1.1.0 is for R740, not R750"
    assert dry["waves"][0]["blockers"][held] == 1
    assert dry["waves"][0]["blocked_first"][held] == [node.site]
    status, problem = await post(ROLLOUTS, {"plan": text})
    assert (status, problem["detail"]) == (409, why)
    without = "selector = '!inv.system.product_name=\"R750\"'\n" + text
    status, dry = await post(f"{ROLLOUTS}:plan", {"plan": without})
    assert (status, dry["refusals"], dry["sites"]) == (200, [], len(view.sites) - 1)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (UPLOADING, "have it signed and published first"),
        (UNAVAILABLE, "publish its bundle again"),
        (RETRACTED, "make a plan of another release"),
    ],
)
async def test_a_release_that_is_not_available_is_refused_with_what_to_do(
    post, central, state, told
):
    what = custom(component="app/pump", version="1.1.0")
    object.__setattr__(central.api, "releases", Desk((what, state)))
    _, dry = await post(f"{ROLLOUTS}:plan", {"plan": PLAN.replace("digest", "# digest")})
    [why] = dry["refusals"]
    assert why.startswith(f"release app/pump 1.1.0 is {state}: {told}")
