"""What a captured centre makes the signer sign is found, beside all that really happened."""

import asyncio
import json

import pytest
from ca import new_key, request_of
from fleet_stage import roost
from waiting import wait_until

from roost_central.signer.client import Signer

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

SIGNATURES = "/api/v1/audit/signatures"


def forge(stage):
    """Ask the signer as who holds the centre's user may, without a word in the audit log."""

    async def forge():
        signer = Signer(stage.pki.socket)
        await signer.issue_server(request_of(new_key()), name="enrol")
        await signer.close()

    asyncio.run(forge())


def alarms(stage):
    return [row["type"] for row in stage.central.get("/api/v1/alarms")["items"]]


def test_a_signature_that_nobody_asked_for_is_told_until_somebody_accepts_it(stage, box):
    stage.add_site("told", "n1")
    assert box.join(stage.url, token=stage.token("told")).returncode == 0
    assert stage.central.get(SIGNATURES)["unexplained"] == []
    whole = roost(stage, "audit", "verify")
    assert "signatures have their rows in it" in whole
    forge(stage)
    complaint = roost(stage, "audit", "verify", fails=True)
    assert "1 signatures have no row" in complaint
    assert "server enrol" in complaint
    wait_until(lambda: "210.807" in alarms(stage), "the alarm")
    roost(stage, "audit", "accept", "-m", "a test did it")
    roost(stage, "audit", "verify")
    wait_until(lambda: "210.807" not in alarms(stage), "the alarm ends")
    [act] = stage.central.get("/api/v1/audit?action=signatures.accept")["items"]
    assert (act["reason"], len(act["detail"]["signatures"])) == ("a test did it", 1)
    found = json.loads(roost(stage, "audit", "verify", "-o", "json"))
    assert found["signatures"] >= 5
