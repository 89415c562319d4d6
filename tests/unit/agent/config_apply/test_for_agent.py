"""The agent goes by its own part of a document and by nothing else of it."""

from roost_agent.config_apply.for_agent import ForAgent, for_agent


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
