"""A fence of local HA by its command driver, a real child, against a Redfish service over TLS."""

import shutil
import sys

import pytest
from board_controllers import PASSWORD, SYSTEM, UUID, Service, bmc_toml, machine
from redfish_bmc import certificate, pin

from roost_agent.ha.config_fence import Fence
from roost_agent.ha.fence.driver import Reply, drive
from roost_agent.ha.fence.event import Power, Verb

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


@pytest.fixture
def fenced(tmp_path):
    pem = certificate(tmp_path)
    with Service(pem, machine()) as service:

        def made(**said):
            known = {"type": "redfish", "certificate_sha256": pin(pem)} | said
            file = bmc_toml(tmp_path, port=service.port, **known)
            command = [sys.executable, "-P", "-m", "roost_agent", "bmc", "--file", str(file),
                       "--state-dir", str(tmp_path), "fence", "n1"]  # fmt: skip
            return Fence(node="n1", driver="command", uuid=UUID, command=command, timeout_s=20)

        yield service, made


async def test_local_ha_reads_and_switches_a_machine_through_it(fenced):
    service, made = fenced
    assert await drive(made(), Verb.STATUS) == Reply(Power.ON, UUID)
    assert await drive(made(), Verb.OFF) == Reply()
    assert await drive(made(), Verb.OFF) == Reply()
    assert [body["ResetType"] for _, _, body in service.orders] == ["ForceOff"]
    assert service.resources[SYSTEM]["PowerState"] == "Off"


async def test_one_whose_certificate_nobody_knows_or_that_is_another_is_no_fence(fenced):
    service, made = fenced
    unknown = await drive(made(certificate_sha256=""), Verb.STATUS)
    assert "its certificate is not known yet" in unknown.fault
    assert service.seen == []
    other = await drive(made(certificate_sha256="ab" * 32), Verb.STATUS)
    assert "tls" in other.fault
    wrong = await drive(made(uuid=UUID.replace("2", "3", 1)), Verb.OFF)
    assert "it controls machine" in wrong.fault
    assert service.orders == []
    assert PASSWORD not in f"{unknown}{other}{wrong}"
