import msgspec
import pytest

from roost_agent.ha.config_fence import Fence, fence_faults

UUID = "4c4c4544-0042-3510-8051-c4c04f4d4e32"
REDFISH = {
    "node": "c0", "driver": "redfish", "url": "https://10.0.9.1", "uuid": UUID,
    "credentials": "/etc/roost/c0.toml", "ca_file": "/etc/roost/bmc.pem",
}  # fmt: skip
COMMAND = {"node": "c1", "driver": "command", "command": ["/usr/bin/pdu", "3"]}


def faults(*tables):
    fences = [msgspec.convert(table, Fence) for table in tables]
    return list(fence_faults(fences, ["c0", "c1"]))


def test_a_site_has_fences_of_both_kinds():
    assert faults(REDFISH, COMMAND) == []


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"node": "x"}, "fence[x].node: 'x' is no node; there are c0, c1"),
        ({"url": None}, 'fence[c0].url: missing; driver = "redfish" needs it'),
        ({"credentials": None}, "fence[c0].credentials: missing"),
        ({"uuid": None}, "fence[c0].uuid: missing"),
        ({"uuid": "7"}, "fence[c0].uuid: '7': must be a UUID: dmidecode"),
        ({"ca_file": None}, "fence[c0]: must have one of ca_file, certificate_sha256"),
        ({"certificate_sha256": "a" * 64}, "fence[c0]: must have one of"),
        ({"command": ["/x"]}, "fence[c0].command: '/x': only driver = \"command\" has it"),
    ],
)
def test_what_a_redfish_fence_lacks_or_must_not_have(more, told):
    found = faults({**REDFISH, **more})
    assert [each for each in found if each.startswith(told)], found


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"command": None}, 'fence[c1].command: missing; driver = "command" needs it'),
        ({"command": ["pdu"]}, "fence[c1].command: 'pdu': a program is named by its absolute"),
        ({"url": "https://10.0.9.1"}, "fence[c1].url: 'https://10.0.9.1': only driver"),
    ],
)
def test_what_a_command_lacks_or_must_not_have(more, told):
    found = faults({**COMMAND, **more})
    assert [each for each in found if each.startswith(told)], found


def test_all_faults_are_told_at_once():
    found = faults(REDFISH, {**REDFISH, "url": None}, {**COMMAND, "uuid": UUID.upper()})
    assert found == [
        "fence: 'c0' has two; several devices of one node are one command",
        f"fence[c0].uuid: '{UUID}' is c0's too",
        'fence[c0].url: missing; driver = "redfish" needs it',
        f"fence[c1].uuid: '{UUID.upper()}' is c0's too",
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"url": "http://10.0.9.1"},
        {"url": "https://me:secret@10.0.9.1"},
        {"url": "https://10.0.9.1/redfish"},
        {"system": "https://evil/"},
        {"certificate_sha256": "ab"},
        {"credentials": "c0.toml"},
        {"timeout_s": 0.1},
    ],
)
def test_a_value_out_of_bounds_is_none(more):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**REDFISH, **more}, Fence)
