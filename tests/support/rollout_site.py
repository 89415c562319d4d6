"""A job, what is seen of its site, and what it is judged by."""

from rollout_fleet import NEW, OLD

from roost_central.rollout.head import AlarmSeen, Standing
from roost_central.rollout.job import Job
from roost_central.rollout.judgement import Terms
from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.rules import settled
from roost_protocol.severity import Severity

HEAD = 'name = "x"\ncomponent = "app/pump"\nversion = "1.1.0"\n'
ALARM = AlarmSeen("100.1|x", "100.1", Severity.MAJOR)


def terms(text="", head="", deadline_ms=10_000_000):
    plan = read_plan((HEAD + head + "[[wave]]\nrest = true\n" + text).encode())
    return Terms(plan, settled(plan, 0), NEW[1], deadline_ms)


def job(state, **how):
    return Job(site="s", wave=0, nodes=("s.n1",), state=state, former=OLD, **how)


def standing(runs_=NEW, **how):
    return Standing(is_dark=how.pop("is_dark", False), runs=(runs_,), beat_ms=1_000, **how)
