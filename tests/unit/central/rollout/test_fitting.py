"""Nodes that a release is not for are found before it is offered to anybody."""

from releases import custom

from roost_central.rollout.fitting import Misfit, held_back, refusals, wanted
from roost_central.rollout.waves import Candidate
from roost_protocol.remedy import REMEDIES, Refusal

WHAT = custom(component="app/pump", hw=["R740", "R740xd"], arch="x86_64")
R750 = Misfit(Refusal.HARDWARE, "R750")


def site(name, *nodes, **how):
    kinds = frozenset({("a", "plain", "lte", "1.0")})
    return Candidate(name, kinds, "a", "lte", tuple(f"{name}.{node}" for node in nodes), **how)


def test_a_release_asks_for_what_it_names_alone():
    assert wanted(custom()) == {}
    assert wanted(WHAT) == {Refusal.HARDWARE: ["R740", "R740xd"], Refusal.ARCH: ["x86_64"]}


def test_a_site_with_a_node_that_would_refuse_is_held_back_and_is_no_canary():
    found = [site("s1", "n1", "n2"), site("s2", "n1"), site("s3", "n1", is_current=True)]
    first, second, third = held_back(WHAT, {"s1.n2": R750, "s3.n1": R750}, found)
    assert first.held == "hardware: app/pump 2.0 is for R740, R740xd, not R750"
    assert first.why_not == first.held
    assert (second, third) == (found[1], found[2])


def test_the_plan_is_told_which_nodes_of_which_model_and_what_to_do():
    found = [site(f"s{number}", "n1") for number in range(7)]
    misfits = {f"s{number}.n1": R750 for number in range(1, 7)}
    misfits["s0.n1"] = Misfit(Refusal.ARCH, "aarch64")
    many, one = refusals(WHAT, misfits, found)
    assert many == (
        "app/pump 2.0 is for R740, R740xd, and s1.n1, s2.n1, s3.n1, s4.n1, s5.n1 and 1 more are "
        f"R750: {REMEDIES[Refusal.HARDWARE]}; such a selector is "
        '!inv.system.product_name="R750"'
    )
    assert one.startswith("app/pump 2.0 is for x86_64, and s0.n1 is aarch64: leave these nodes out")
    assert refusals(WHAT, misfits, [site("s9", "n1"), site("s0", "n1", is_current=True)]) == []


def test_a_node_whose_firmware_names_no_model_would_refuse_and_is_told_so():
    misfits = {"s1.n1": Misfit(Refusal.HARDWARE, "")}
    [why] = refusals(WHAT, misfits, [site("s1", "n1")])
    assert "and s1.n1 is of a model that its firmware does not name: leave" in why
    assert why.endswith("such a selector is inv.system.product_name!=null")
    [held] = held_back(WHAT, misfits, [site("s1", "n1")])
    assert held.held.endswith("not of a model that its firmware does not name")
