from roost_agent.ha.rung import ladder
from roost_agent.ha.services.climb import BACKOFF_MS_MAX, HEALTHY_MS, Climb

LADDER = ladder(("restart:3/600", "failover", "reboot"))


def test_restarts_are_spaced_ever_wider_then_the_steps_come_and_then_a_minute():
    climb = Climb(LADDER, can_act=True)
    told = [climb.failed(now_ms) for now_ms in range(0, 10_000, 1_000)]
    assert told == [
        ("restart", 0),
        ("restart", 2_000),
        ("restart", 4_000),
        ("failover", 0),
        ("restart", 0),
        ("restart", 2_000),
        ("restart", 4_000),
        ("reboot", 0),
        ("restart", 0),
        ("restart", 2_000),
    ]
    climb.failed(10_000)
    assert climb.failed(11_000) == ("retry", BACKOFF_MS_MAX)
    assert climb.failed(12_000) == ("retry", BACKOFF_MS_MAX)


def test_health_resets_it_and_a_moment_less_does_not():
    for healthy_ms, step in ((HEALTHY_MS - 1, "reboot"), (HEALTHY_MS, "failover")):
        climb = Climb(ladder(("failover", "reboot")), can_act=True)
        assert climb.failed(0)[0] == "failover"
        assert climb.failed(healthy_ms)[0] == step


def test_only_restarts_within_the_window_count():
    climb = Climb(ladder(("restart:1/10", "failover")), can_act=True)
    assert climb.failed(0)[0] == "restart"
    assert climb.failed(10_000)[0] == "restart"
    assert climb.restarts == 1
    assert climb.failed(19_999)[0] == "failover"


def test_what_may_not_act_only_restarts():
    climb = Climb(ladder(("restart:1/10", "failover")), can_act=False)
    assert climb.failed(0) == ("restart", 0)
    assert climb.failed(1) == ("retry", BACKOFF_MS_MAX)


def test_the_wait_is_capped():
    climb = Climb(ladder(("restart:10/600",)), can_act=False)
    waits = [climb.failed(now_ms)[1] for now_ms in range(10)]
    assert waits == [0, 2_000, 4_000, 8_000, 16_000, 32_000, *[BACKOFF_MS_MAX] * 4]
