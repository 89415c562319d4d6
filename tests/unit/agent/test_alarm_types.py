"""The limits of a profile over those of the catalogue."""

from roost_agent.alarm_types import shipped, with_thresholds


def test_a_profile_sets_limits_and_delays_of_a_type_by_its_name_and_no_others():
    before = shipped()
    after = with_thresholds(before, {"node.cpu.high": {"major": 70, "raise_after_s": 10}})
    [cpu] = [each for each in after.values() if each.name == "node.cpu.high"]
    [was] = [each for each in before.values() if each.name == "node.cpu.high"]
    assert (cpu.limits["major"], cpu.delays.raise_after_s) == (70, 10)
    assert cpu.limits["critical"] == was.limits["critical"]
    others = {id_: each for id_, each in after.items() if each.name != "node.cpu.high"}
    assert others == {id_: before[id_] for id_ in others}
