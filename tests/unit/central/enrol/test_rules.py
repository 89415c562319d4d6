"""Rules: which boxes they mean, and whose word counts."""

import pytest

from roost_central.enrol.rules import Rule, Said, first_fit, version_order
from roost_protocol.enrol import ClaimKind
from roost_protocol.hardware import Hardware

HARDWARE = Hardware(vendor="Acme Inc.", product="Edge 200", serial="AC-7001", firmware="1.10.2")
VOUCHED = Said(ClaimKind.FACTORY, HARDWARE, "AC-7001", "acme")
TOKEN = Said(ClaimKind.TOKEN, HARDWARE, "AC-7001")


def rule(**more):
    return Rule("r", "lab", **more)


@pytest.mark.parametrize(
    ("more", "fits"),
    [
        ({"serial": "*"}, True),
        ({"serial": "ac-7*"}, True),
        ({"serial": "AC-7???"}, True),
        ({"serial": "AC-8*"}, False),
        ({"serial": "C-7*"}, False),
        ({"vendor": "acme*", "product": "Edge 2*"}, True),
        ({"vendor": "acme*", "product": "Edge 3*"}, False),
        ({"serials": frozenset({"AC-7001"})}, True),
        ({"serials": frozenset({"AC-7002"})}, False),
        ({"firmware_min": "1.9"}, True),
        ({"firmware_min": "1.10.2"}, True),
        ({"firmware_min": "1.11"}, False),
        ({"serials": frozenset({"AC-7001"}), "firmware_min": "2"}, False),
    ],
)
def test_all_that_a_rule_says_must_be_so(more, fits):
    assert rule(maker="acme", **more).fits(VOUCHED) is fits
    assert rule(**more).fits(TOKEN) is fits


def test_a_firmware_that_is_not_known_is_not_new_enough():
    silent = Said(ClaimKind.TOKEN, Hardware(serial="AC-1"), "AC-1")
    assert not rule(firmware_min="1").fits(silent)


def test_a_rule_for_a_maker_takes_no_other_word():
    assert not rule(maker="acme", serial="*").fits(TOKEN)
    assert not rule(maker="zeta", serial="*").fits(VOUCHED)
    assert not rule(serial="*").fits(VOUCHED)
    assert not rule(serial="*").fits(Said(ClaimKind.BARE, HARDWARE, "AC-7001"))


def test_a_rule_for_a_tpm_takes_no_factory_certificate():
    said = Said(ClaimKind.TPM, HARDWARE, "5cad", "acme")
    assert rule(tpm="acme", serial="5CAD").fits(said)
    assert not rule(maker="acme", serial="5CAD").fits(said)
    assert not rule(tpm="acme", serial="*").fits(VOUCHED)
    assert not rule(tpm="acme", serial="*").fits(TOKEN)
    assert not rule(serial="*").fits(said)


def test_the_first_that_fits_counts():
    rules = [rule(serial="X*"), Rule("a", "one", serial="AC*"), Rule("b", "two", serial="AC-7*")]
    found = first_fit(rules, TOKEN)
    assert found is not None
    assert found.name == "a"
    assert first_fit(rules[:1], TOKEN) is None


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.9", "1.10"),
        ("1.10", "1.10a"),
        ("F.8", "F.12"),
        ("1.2", "1.2.1"),
        ("A9", "B1"),
        ("", "0"),
    ],
)
def test_versions_of_firmware_have_an_order(older, newer):
    assert version_order(older) < version_order(newer)
