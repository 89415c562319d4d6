from roost_central.enrol.gate import REQUESTS_A_SECOND_MAX, Gate


def test_five_a_minute_of_a_network_prove_nothing_and_the_next_waits():
    gate = Gate()
    assert [gate.unproven_wait_ms(f"192.0.2.{n}", 1_000) for n in range(5)] == [0] * 5
    assert gate.unproven_wait_ms("192.0.2.9", 2_000) == 59_000
    assert gate.unproven_wait_ms("192.0.3.9", 2_000) == 0
    assert gate.unproven_wait_ms("192.0.2.9", 61_001) == 0


def test_a_second_has_room_for_so_many_of_everybody():
    gate = Gate()
    assert not any(gate.wait_ms(5_000) for _ in range(REQUESTS_A_SECOND_MAX))
    assert gate.wait_ms(5_999) == 1_000
    assert gate.wait_ms(6_000) == 0
