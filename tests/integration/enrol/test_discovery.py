"""A box that was told nothing finds its centre: medium, configuration, DNS, and nobody there."""

import json
import os
import subprocess
import sys

import pytest
from dns_server import PROGRAM, DnsServer
from waiting import wait_until

from roost_protocol.claim_file import NAME

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
needs_dns = pytest.mark.skipif(PROGRAM is None, reason="dnsmasq is not installed")


class Place:
    """A box's configuration, and a folder that media come to."""

    def __init__(self, folder, state_dir):
        self.media = folder / "media"
        self.media.mkdir()
        self.state_dir = state_dir
        self.folder = folder / "etc"
        self.folder.mkdir()

    def configure(self, **join):
        said = {"claim_dirs": [f"{self.media}/*"], "dns": False, **join}
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items())
        text = f'state_dir = "{self.state_dir}"\n[join]\n{lines}'
        (self.folder / "agent.toml").write_text(text)

    def plug(self, name="usb", **said):
        (self.media / name).mkdir()
        file = self.media / name / NAME
        file.write_text(json.dumps(said))
        file.chmod(0o600)
        return file

    def words(self, *more):
        return [sys.executable, "-m", "roost_agent", "join", "--config", str(self.folder), *more]

    def join(self, *more):
        return subprocess.run(
            self.words("--wait-h", "0.001", *more),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip


@pytest.fixture
def place(tmp_path, box):
    place = Place(tmp_path, box.state_dir)
    place.configure()
    return place


@pytest.fixture
def dns(stage, tmp_path):
    """DNS that names two targets, the first of which nobody answers at."""
    port = stage.enrol_port
    server = DnsServer(
        tmp_path,
        "--srv-host=_roost-enrol._tcp.edge.example,gone.edge.example,1,10,0",
        f"--srv-host=_roost-enrol._tcp.edge.example,localhost,{port},20,0",
        "--address=/gone.edge.example/127.0.0.1",
    )
    server.start()
    yield server
    server.kill()


def test_a_medium_makes_a_box_a_node_and_is_not_used_again(stage, place, box):
    stage.add_site("usb", "n1", "n2")
    token = stage.token("usb", nodes_max=2)
    file = place.plug(url=stage.url, token=token)
    looked = place.join("--look")
    assert looked.returncode == 0
    assert f"goes to {stage.url} (by {file})" in looked.stderr
    assert file.exists()
    done = place.join()
    assert done.returncode == 0, done.stderr
    assert "as usb.n1, generation 1" in done.stdout
    assert not file.exists()
    file.with_name("roost-claim.used.json").rename(file)  # as a medium that cannot be written
    box.identity.rename(box.state_dir / "lost")
    again = place.join()
    assert again.returncode == 1
    assert "this box has used it before" in again.stderr
    assert "nothing says where the centre is" in again.stderr
    assert token.split(".")[2] not in looked.stderr + done.stderr + again.stderr


@needs_dns
def test_dns_says_where_and_the_configuration_whom_to_trust(stage, place, dns):
    stage.add_site("named", "n1")
    token_file = place.folder / "token"
    token_file.write_text(stage.token("named"))
    place.configure(
        dns=True, domain="edge.example", resolvers=[dns.address], token_file=str(token_file)
    )
    done = place.join()
    assert done.returncode == 0, done.stderr
    assert "as named.n1" in done.stdout
    assert f"https://gone.edge.example:1, https://localhost:{stage.enrol_port}" in done.stderr
    facts = json.loads((place.state_dir / "identity/identity.json").read_text())
    assert facts["centre"] == f"https://localhost:{stage.enrol_port}"  # the one that answered


@needs_dns
def test_dns_alone_lets_a_box_trust_nobody(stage, place, dns):
    place.configure(dns=True, domain="edge.example", resolvers=[dns.address])
    before = stage.central.log.read_text().count("POST /api/v1/enrol ")
    done = place.join()
    assert done.returncode == 1
    assert "nobody is here to compare six words" in done.stderr
    assert stage.central.log.read_text().count("POST /api/v1/enrol ") == before


@needs_dns
def test_a_place_of_dns_that_is_of_another_fleet_is_told_nothing(stage, place, dns):
    place.configure(dns=True, domain="edge.example", resolvers=[dns.address], pin="A" * 22)
    before = stage.central.log.read_text().count("POST /api/v1/enrol ")
    done = place.join()
    assert done.returncode == 1
    assert "another root than the fleet" in done.stderr
    assert stage.central.log.read_text().count("POST /api/v1/enrol ") == before


@needs_dns
@pytest.mark.parametrize(
    ("domain", "told"), [("none.example", "no such record"), ("other.example", "says that there")]
)
def test_dns_that_has_nothing_is_told(tmp_path, place, domain, told):
    server = DnsServer(tmp_path, "--srv-host=_roost-enrol._tcp.other.example,.,0")
    server.start()
    try:
        place.configure(dns=True, domain=domain, resolvers=[server.address])
        looked = place.join("--look")
    finally:
        server.kill()
    assert looked.returncode == 1
    assert f"_roost-enrol._tcp.{domain}" in looked.stderr


def test_nobody_is_there_and_the_box_joins_once_a_medium_comes(stage, place, box):
    stage.add_site("alone", "n1")
    log = place.folder / "join.log"
    with log.open("w") as stream:
        started = subprocess.Popen(
            place.words("--unattended"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stream, text=True,
        )  # fmt: skip
    with started as waiting:
        try:
            wait_until(lambda: "nothing says where" in log.read_text(), f"a look: {log}")
            file = place.plug(url=stage.url, token=stage.token("alone"))
            out, _ = waiting.communicate(timeout=60)
        finally:
            waiting.kill()
    assert (waiting.returncode, out) == (0, "joined edge.example as alone.n1, generation 1\n")
    assert not file.exists()
    again = subprocess.run(
        place.words("--unattended"), capture_output=True, text=True, timeout=60, check=False
    )
    assert (again.returncode, again.stdout) == (0, "is alone.n1, generation 1\n")


def test_a_pin_on_a_medium_has_the_box_wait_for_a_human_at_the_centre(stage, place):
    stage.add_site("pinned", "n1")
    pin = stage.token("pinned").rpartition(".")[2]
    place.plug(url=stage.url, pin=pin, name="n1")
    done = place.join()
    assert done.returncode == 1
    assert "waiting: no claim: somebody compares the six words. Words: " in done.stderr
    assert "nobody decided in time" in done.stderr


def test_the_claim_file_of_the_command_joins_a_box(stage, place, tmp_path):
    stage.add_site("file", "n1")
    file = place.media / "usb" / NAME
    file.parent.mkdir()
    create = [sys.executable, "-m", "roost_central.cli", "enrol", "token", "create"]
    env = os.environ | {"ROOST_URL": stage.central.url, "ROOST_TOKEN": stage.central.token}
    words = [*create, "--site", "file", "--auto-approve", "--claim-file", str(file)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "rst1" not in done.stdout + done.stderr
    assert place.join().returncode == 0
    file.write_text("mine")
    refused = subprocess.run(
        words, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode != 0
    assert file.read_text() == "mine"
