"""The kernel's tables of TCP connections."""

import socket

from roost_agent.config_apply.network import peers

HEAD = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout\n"
)


def row(far, state="01", uid=7):
    return f"   0: 0100007F:1F90 {far} {state} 00000000:00000000 00:00000000 00000000  {uid}  0 1\n"


def test_established_connections_of_one_user_are_found(tmp_path):
    table = tmp_path / "tcp"
    table.write_text(
        HEAD
        + row("09710BCB:22B3")
        + row("0A000009:22B3", state="0A")
        + row("0A000009:22B3", uid=8)
        + "broken\n"
    )
    assert [str(each) for each in peers.rows(table, 7)] == ["203.11.113.9"]


def test_ipv6_is_read_a_word_at_a_time_and_mapped_addresses_as_what_they_are(tmp_path):
    table = tmp_path / "tcp6"
    table.write_text(
        HEAD
        + row("B80D0120000000000000000001000000:22B3")
        + row("0000000000000000FFFF0000090200C0:22B3")
    )
    assert [str(each) for each in peers.rows(table, 7)] == ["2001:db8::1", "192.0.2.9"]


def test_a_table_that_is_not_there_has_no_rows(tmp_path):
    assert list(peers.rows(tmp_path / "tcp6", 7)) == []
    assert peers.remotes(str(tmp_path)) == frozenset()


def test_loopback_is_nobody_far():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()),
    ):
        assert "127.0.0.1" not in peers.remotes()
