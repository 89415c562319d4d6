"""The agent goes by its own part of a document and by nothing else of it."""

from roost_agent.config_apply.for_agent import ForAgent, PathSettings, for_agent


def test_the_agent_has_its_own_sections_without_what_they_say_of_themselves():
    own = for_agent(
        {
            "thresholds": {"node.cpu.high": {"major": 80}, "drift": "report"},
            "log": {"level": "debug"},
            "processes": {"watch": {"pump": {"restarts": 1}}},
            "kernel": {"sysctl": {"vm.swappiness": 1}},
        }
    )
    assert own == ForAgent(
        thresholds={"node.cpu.high": {"major": 80}},
        level="debug",
        processes={"pump": {"restarts": 1}},
    )


def test_a_document_without_them_says_nothing_of_the_agent():
    assert for_agent({}) == ForAgent()


def test_paths_are_ordered_by_cost_and_priority_and_beat_as_is_said():
    said = for_agent(
        {
            "paths": {
                "beat_interval_s": 60,
                "metered_interval_s": 300,
                "wan": {
                    "w1": {"metered": True, "priority": 1},
                    "w2": {"interface": "eth1"},
                    "w3": {"priority": 10},
                },
            }
        }
    ).paths
    assert sorted(["w1", "w2", "w3", "w4"], key=said.rank) == ["w3", "w2", "w4", "w1"]
    assert [said.interval_ms(name, 30_000) for name in ("w1", "w2", "w4")] == [
        300_000,
        60_000,
        60_000,
    ]
    assert said.sources == {"w2": "eth1"}
    assert PathSettings().interval_ms("w1", 30_000) == 30_000
