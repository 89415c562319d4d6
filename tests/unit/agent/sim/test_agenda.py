from roost_agent.sim.agenda import Agenda
from roost_agent.sim.fault import parse_fault


def test_a_fault_begins_and_ends_once_in_its_time():
    fault = parse_fault("cut at=10s for=5s")
    agenda = Agenda([fault], 0, now_ms=1_000)
    assert list(agenda.turns(10_999)) == []
    assert [turn.begins for turn in agenda.turns(11_000)] == [True]
    assert list(agenda.turns(15_999)) == []
    assert [turn.begins for turn in agenda.turns(60_000)] == [False]
    assert list(agenda.turns(90_000)) == []


def test_faults_at_one_time_come_in_the_order_they_were_written():
    first, second = parse_fault("cut for=0s"), parse_fault("drop for=0s")
    turns = list(Agenda([first, second], 0, now_ms=0).turns(0))
    assert [(turn.fault, turn.begins) for turn in turns] == [
        (first, True),
        (first, False),
        (second, True),
        (second, False),
    ]


def test_churn_keeps_its_rate_over_uneven_looks():
    agenda = Agenda([], 120, now_ms=0)
    assert agenda.churns(499) == 0
    assert agenda.churns(500) == 1
    assert agenda.churns(500) == 0
    assert sum(agenda.churns(now) for now in range(501, 60_001, 77)) in (118, 119)


def test_alarms_have_a_rate_of_their_own():
    agenda = Agenda([], 0, now_ms=0, alarms_per_minute=60)
    assert (agenda.alarms(999), agenda.alarms(3_000), agenda.churns(3_000)) == (0, 3, 0)


def test_no_churn_is_none():
    assert Agenda([], 0, now_ms=0).churns(10**9) == 0
