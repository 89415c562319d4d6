"""What a plan would do is told before anything is done."""

import pytest

from roost_central.rollout.dry import dry_run, duration_ms
from roost_central.rollout.head import AlarmSeen
from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.rules import settled
from roost_central.rollout.waves import Candidate, cut
from roost_protocol.severity import Severity

HEAD = 'name = "x"\ncomponent = "app/pump"\nversion = "1.1.0"\n'

TEXT = (
    "[wave_defaults]\nsoak_s = 600\nsite_soak_s = 60\n[[wave]]\ncount = 2\nsoak_s = 600\n"
    "[[wave]]\nrest = true\n"
)


def site(number, **how):
    name = f"s{number:04}"
    kinds = frozenset({("a", "plain", "lte", "1.0")})
    return Candidate(name, kinds, "a", "lte", (f"{name}.n1",), **how)


def test_a_dry_run_says_who_when_how_much_and_what_is_in_the_way():
    plan = read_plan((HEAD + TEXT).encode())
    found = [site(number) for number in range(18)]
    found += [site(18, why_not="silent", held="silent"), site(19, is_current=True, is_exposed=True)]
    dry = dry_run(plan, cut(plan, found, {}), found, lambda each: 10)
    assert [len(wave.sites) for wave in dry.waves] == [2, 18]
    assert (dry.sites, dry.nodes) == (20, 20)
    first, second = dry.waves
    assert first.begins_ms == (0, 0)
    assert second.begins_ms == first.ends_ms
    assert second.bytes_wan == 170  # one has it
    assert second.current == 1
    assert second.blockers == {"silent": ("s0018",)}
    assert second.exposed == ()  # it does not go down: it has it
    assert second.ends_ms[0] < second.ends_ms[1]


def test_a_wave_takes_as_long_as_its_caps_let_it_and_no_longer_than_its_deadline():
    slow = settled(
        read_plan((HEAD + "[[wave]]\nrest = true\nsoak_s = 0\nsite_soak_s = 0\n"
                   "max_in_flight = {wave = 10}\nrate = {base = 1000}\n").encode()), 0,
    )  # fmt: skip
    assert duration_ms(slow, 100, 600_000) == 100 * 60_000 + 600_000 - 9 * 60_000
    assert duration_ms(slow, 100_000, 3_600_000) == slow.deadline_ms
    assert duration_ms(slow, 0, 600_000) == 0


@pytest.mark.parametrize(
    ("gates", "blocked"),
    [
        ('alarms = "permissive"', []),
        ('alarms = "relaxed"', ["alarm 100.1"]),
        ('alarms = "strict"', ["alarm 100.1", "alarm 100.2"]),
    ],
)
def test_what_holds_a_site_back_is_what_its_waves_gates_say(gates, blocked):
    alarms = [
        AlarmSeen("100.1|x", "100.1", Severity.MINOR),
        AlarmSeen("100.2|x", "100.2", Severity.CRITICAL, stops=False),
    ]
    found = [
        site(n, alarms=(alarm,), why_not=f"alarm {alarm.type}") for n, alarm in enumerate(alarms)
    ]
    plan = read_plan(f"{HEAD}[[wave]]\nrest = true\ngates = {{ {gates} }}\n".encode())
    dry = dry_run(plan, cut(plan, found, {}), found, lambda _: 1)
    assert sorted(dry.waves[0].blockers) == blocked
