import json

import pytest

from roost_agent.guard.core import Arm, Disarm, Stopping
from roost_agent.guard.packet import PACKET_BYTES_MAX, AskedToBite, PacketError, State, decode

ARM = {
    "do": "arm",
    "lease": "main",
    "epoch": 5,
    "d1_ms": 1,
    "d2_ms": 2,
    "d3_ms": 3,
    "cgroups": ["/g/main"],
    "vips": [["10.0.0.9/24", "eth0"]],
    "hard": True,
}


def test_every_verb_is_read():
    assert decode(json.dumps(ARM).encode()) == Arm(
        "main", 5, 1, 2, 3, ("/g/main",), (("10.0.0.9/24", "eth0"),), is_hard=True
    )
    sticky = {"do": "arm", "lease": "main", "epoch": 5, "d3_ms": None}
    assert decode(json.dumps(sticky).encode()) == Arm("main", 5, None, None, None)
    assert decode(b'{"do":"disarm","lease":"m","epoch":1}') == Disarm("m", 1, is_empty=False)
    assert decode(b'{"do":"stopping","lease":"m","epoch":1}') == Stopping("m", 1)
    assert decode(b'{"do":"state"}') == State()
    assert decode(b'{"do":"bite"}') == AskedToBite()


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"x" * (PACKET_BYTES_MAX + 1), "bound 4096 bytes"),
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 4_000, "no JSON"),
        (b"[]", "must be an object"),
        (b"{}", "do: must be one of"),
        (b'{"do":["arm"]}', "do: must be one of"),
        (b'{"do":"state","x":1}', "x: unknown field of state"),
    ],
)
def test_what_is_no_request_is_refused(raw, told):
    with pytest.raises(PacketError, match=told):
        decode(raw)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lease", ""),
        ("lease", "x" * 33),
        ("lease", 5),
        ("epoch", 0),
        ("epoch", True),
        ("epoch", 1.5),
        ("epoch", 2**63),
        ("d1_ms", "1"),
        ("d2_ms", -1),
        ("cgroups", "/g"),
        ("cgroups", ["g"]),
        ("cgroups", ["/" + "x" * 255]),
        ("cgroups", ["/g"] * 9),
        ("vips", [["10.0.0.9/24"]]),
        ("vips", [["10.0.0.9", "eth0"]]),
        ("vips", [["10.0.0.9/24", 0]]),
        ("vips", ["10.0.0.9/24"]),
        ("hard", 1),
    ],
)
def test_a_field_out_of_its_bound_is_named(key, value):
    with pytest.raises(PacketError, match=f"^{key}: "):
        decode(json.dumps(ARM | {key: value}).encode())
