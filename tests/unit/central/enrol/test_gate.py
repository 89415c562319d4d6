from roost_central.enrol.gate import REQUESTS_A_SECOND_MAX, TOLD_MS, Gate


def test_five_a_minute_of_a_network_prove_nothing_and_the_next_waits():
    gate = Gate()
    assert [gate.unproven_wait_ms(f"192.0.2.{n}", 1_000) for n in range(5)] == [0] * 5
    assert gate.unproven_wait_ms("192.0.2.9", 2_000) == 59_000
    assert gate.unproven_wait_ms("192.0.3.9", 2_000) == 0
    assert gate.unproven_wait_ms("192.0.2.9", 61_001) == 0


def flooded(gate, *networks, now_ms=5_000):
    """Have each network ask by turns as often as everybody may; return what each got."""
    asked = [
        (network, gate.wait_ms(f"{network}.{n % 250}", now_ms))
        for n in range(REQUESTS_A_SECOND_MAX)
        for network in networks
    ]
    return {name: sum(not wait for each, wait in asked if each == name) for name in networks}


def test_who_floods_gets_half_a_second_and_who_comes_next_is_let_in():
    gate = Gate()
    half = REQUESTS_A_SECOND_MAX // 2
    assert flooded(gate, "192.0.2") == {"192.0.2": half}
    assert gate.wait_ms("192.0.2.1", 5_999) == 1_000
    assert not any(gate.wait_ms("198.51.100.7", 5_999) for _ in range(half // 2))
    assert gate.wait_ms("192.0.2.1", 6_000) == 0


def test_two_who_flood_get_a_third_each():
    gate = Gate()
    third = REQUESTS_A_SECOND_MAX // 3
    assert flooded(gate, "192.0.2", "192.0.3") == {"192.0.2": third, "192.0.3": third}
    assert gate.wait_ms("2001:db8::1", 5_000) == 0


def test_what_is_refused_is_told_as_one_count_a_minute():
    gate = Gate()
    assert gate.refused(5_000) == []
    flooded(gate, "192.0.2")
    refused = REQUESTS_A_SECOND_MAX - REQUESTS_A_SECOND_MAX // 2
    assert gate.refused(5_000) == [("192.0.2.0/24", refused)]
    flooded(gate, "192.0.3", now_ms=6_000)
    assert gate.refused(6_000) == []
    assert gate.refused(5_000 + TOLD_MS) == [("192.0.3.0/24", refused)]
