import pytest

from roost_agent.ha.fence.machine import is_same_machine

DMI = "4c4c4544-0042-3510-8051-c4c04f4d4e32"


@pytest.mark.parametrize(
    "said", [DMI, DMI.upper(), DMI.replace("-", ""), "44454c4c-4200-1035-8051-c4c04f4d4e32"]
)
def test_one_machine_in_any_spelling(said):
    assert is_same_machine(DMI, said)


@pytest.mark.parametrize("said", ["", "none", "4c4c4544-0042-3510-8051-c4c04f4d4e33", DMI[:-1]])
def test_anything_else_is_another(said):
    assert not is_same_machine(DMI, said)
