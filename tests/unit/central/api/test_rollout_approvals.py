"""Approvals over HTTP: checked when they are brought, by keys that the centre cannot make."""

from base64 import b64encode

import msgspec
import pytest
from release_desk import Operator

from roost_central.releases.operators import Operators
from roost_protocol.update import Running

NEW, OLD = "1" * 64, "0" * 64
PLAN = (
    'name = "pump 1.1.0"\ncomponent = "app/pump"\nversion = "1.1.0"\napprovers = 1\n'
    f'uncovered_ok = true\nlate_max_pct = 0\ndigest = "{NEW}"\n[[wave]]\nrest = true\n'
)
ROLLOUTS = "/api/v1/rollouts"


class Known:
    """Of the desk of releases what rollouts ask: who may approve."""

    def __init__(self, *operators):
        self._operators = Operators({each.name: each.public for each in operators})
        self.words = self

    def find(self, component, version):
        return None

    async def approvals_needed(self):
        return 1

    async def operators(self):
        return [*self._operators.keys]

    async def check_approval(self, signed):
        return self._operators.check(signed)


def given(central, desk):
    """Give a centre that is served already another desk of releases."""
    object.__setattr__(central.api, "releases", desk)


@pytest.fixture
def olga():
    return Operator("olga")


@pytest.fixture
async def rollout(central, view, post, olga):
    """A rollout of somebody else's that awaits one approval; its sites with what they had."""
    for row in view.nodes.values():
        row.software = {"app/pump": Running("1.0.0", OLD)}
    given(central, Known(olga))
    status, made = await post(ROLLOUTS, {"plan": PLAN})
    assert (status, made["state"]) == (201, "awaiting_approval")
    known = central.api.rollouts.open[made["id"]].rollout
    known.head = msgspec.structs.replace(known.head, by="ann")
    return known


@pytest.fixture
def bring(central, post, rollout):
    """Bring an approval of the rollout; what is said otherwise is signed otherwise."""

    async def bring(operator, **otherwise):
        head, sites = rollout.head, {name: job.former[1] for name, job in rollout.jobs.items()}
        said = {"sites": sites, "rollout": head.id, "now_ms": central.api.clock.wall_ms()}
        digest = otherwise.pop("digest", NEW)
        signed = operator.approves(digest, plan=head.plan_digest, **{**said, **otherwise})
        body = {
            "approval": b64encode(signed.approval).decode(),
            "signature": b64encode(signed.signature).decode(),
        }
        return await post(f"{ROLLOUTS}/{head.id}/approve", body)

    return bring


async def test_an_operator_lets_a_rollout_be_started(bring, olga):
    status, found = await bring(olga)
    assert (status, found["state"]) == (200, "scheduled"), found
    assert [each["operator"] for each in found["approvals"]] == ["olga"]


async def test_who_starts_too_early_is_told_whose_approval_is_missing_and_how_it_is_given(
    post, rollout, bring, olga
):
    start = f"{ROLLOUTS}/{rollout.head.id}/start"
    status, problem = await post(start, {})
    assert status == 409
    assert (
        "0 of 1 approvals: it waits for 1 more of olga: roost rollout approve"
        in (problem["detail"])
    )
    rollout.head = msgspec.structs.replace(rollout.head, approvers=2)
    await bring(olga)
    told = (await post(start, {}))[1]["detail"]
    assert "1 of 2 approvals (by olga): it waits for 1 more: roost rollout approve" in told


async def test_who_is_no_operator_or_has_another_key_is_refused_at_once(bring):
    for operator, why in ((Operator("eve"), "none of the operators"), (Operator(), "not signed")):
        status, problem = await bring(operator)
        assert status == 422
        assert why in problem["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("otherwise", "why"),
    [
        ({"sites": {"alpha": OLD}}, "for other sites"),
        ({"late_max": 1}, "lets 1 sites come later, the plan 0"),
        ({"digest": OLD}, "never sends"),
        ({"rollout": "c" * 32}, "another rollout"),
        ({"now_ms": 1_000}, "its time is not now"),
    ],
)
async def test_a_word_for_something_else_is_refused(bring, olga, otherwise, why):
    status, problem = await bring(olga, **otherwise)
    assert status == 409
    assert why in problem["detail"]


async def test_who_made_it_and_a_centre_without_operators_have_no_word(
    bring, olga, central, rollout
):
    rollout.head = msgspec.structs.replace(rollout.head, by="admin")
    status, problem = await bring(olga)
    assert (status, "cannot approve it" in problem["detail"]) == (409, True)
    rollout.head = msgspec.structs.replace(rollout.head, by="olga")  # whoever brings her word
    assert (await bring(olga))[0] == 409
    rollout.head = msgspec.structs.replace(rollout.head, by="ann")
    given(central, None)
    assert (await bring(olga))[0] == 409
