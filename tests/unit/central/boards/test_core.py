import dataclasses
from itertools import pairwise

import pytest
from msgspec.structs import replace

from roost_central.boards.core import (
    PLACE,
    RETRY_MS,
    BoardRecord,
    Given,
    Member,
    document,
    is_due,
    keeps_password,
)
from roost_central.orders.core import State
from roost_protocol.boards import BoardAccess, GroupSettings, SensorSettings

MARK, OTHER, NOW = b"m", b"o", 10**12
ACCESS = BoardAccess(host="10.0.0.9", user="roost")


def record(node="lab.n1", access=ACCESS, sensors=None):
    return BoardRecord(node, access, b"closed", sensors, 1, "ada")


def given(mark=MARK, placed_ms=NOW, tries=0):
    return Given("lab.n1", mark, "o1", "d", b"", placed_ms, tries)


def test_nodes_are_told_all_controllers_of_the_site_and_who_reads_them_without_a_lease():
    settings = SensorSettings(groups={"fans": GroupSettings(minor="log")})
    said = document(
        [(record("lab.n2"), "pw2"), (record("lab.n1", None, settings), "")],
        [Member("lab.n3", b""), Member("lab.n2", b"")],
    )
    assert said.reader == "n2"
    assert [(each.node, each.access and each.access.password) for each in said.boards] == [
        ("n1", None), ("n2", "pw2"),
    ]  # fmt: skip
    assert said.boards[0].sensors == settings
    assert document([], []).boards == []


def test_what_a_node_has_is_not_told_again_and_what_differs_is():
    assert is_due(MARK, None, None, NOW)
    assert not is_due(MARK, given(), State.DONE, NOW + 10**9)
    assert is_due(MARK, given(OTHER), State.DONE, NOW)
    assert is_due(MARK, given(OTHER), State.READY, NOW), "what waits is of another document"


@pytest.mark.parametrize("state", [State.READY, State.TAKEN, State.PENDING])
def test_an_order_under_way_is_waited_for(state):
    assert not is_due(MARK, given(), state, NOW + 10**9)


@pytest.mark.parametrize("state", [State.FAILED, State.REFUSED, State.EXPIRED, None])
def test_what_failed_is_tried_again_later_each_time(state):
    pauses = []
    for tries in range(20):
        due = next(
            ms
            for ms in range(0, 2 * RETRY_MS[1], 1_000)
            if is_due(MARK, given(tries=tries), state, NOW + ms)
        )
        pauses.append(due)
    assert (pauses[0], pauses[-1]) == RETRY_MS
    assert all(a <= b for a, b in pairwise(pauses))


def test_a_password_stays_only_where_it_goes_to_the_same_place_by_the_same_trust():
    was = record()
    assert keeps_password(was, ACCESS, "site")
    assert keeps_password(was, replace(ACCESS, uuid="u", system="/redfish/v1/Systems/1"), "site")
    assert not keeps_password(record(access=None), ACCESS, "site")
    assert not keeps_password(was, ACCESS, "centre"), "one address in two networks is two places"
    changes = {
        "host": "10.9.9.9", "user": "eve", "type": "redfish", "port": 8443, "ipmi_port": 9623,
        "ca": "PEM", "certificate_sha256": "a" * 64,
    }  # fmt: skip
    assert set(changes) == set(PLACE)
    for field, value in changes.items():
        assert not keeps_password(was, replace(ACCESS, **{field: value}), "site"), field


def test_what_the_centre_polls_is_told_to_no_node():
    polled = dataclasses.replace(record("lab.n2"), reached_by="centre")
    said = document([(record(), "pw1"), (polled, "pw2")], [])
    assert [each.node for each in said.boards] == ["n1"]
