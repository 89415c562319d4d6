"""Whom a box asks, by what stood in the places that it looked at."""

import pytest

from roost_agent.enrol.invitation import Invitation, Lacking, Look, Source, choose
from roost_protocol.join_token import JoinToken

PIN, OTHER = b"p" * 16, b"o" * 16
TOKEN = JoinToken("abcdefghijkl", b"s" * 32, PIN)
FOREIGN = JoinToken("abcdefghijkl", b"s" * 32, OTHER)
CONFIG = ("https://config:1",)
STICK = ("https://stick:1",)
DNS = ("https://dns-a:1", "https://dns-b:1")


def look(source, where="", **more):
    token = more.get("token")
    return Look(source, where or source.name, "", **{"pin": token and token.pin, **more})


def invited(*looks):
    outcome = choose(looks).outcome
    assert isinstance(outcome, Invitation)
    return outcome


def test_nothing_anywhere_says_what_to_bring():
    outcome = choose([look(Source.CONFIG), look(Source.FILE), look(Source.DNS)]).outcome
    assert isinstance(outcome, Lacking)
    assert "roost-claim.json" in outcome.hint


def test_the_configuration_is_heard_before_a_medium_and_that_before_dns():
    places = [
        look(Source.DNS, urls=DNS),
        look(Source.FILE, urls=STICK, token=TOKEN),
        look(Source.CONFIG, urls=CONFIG),
    ]
    assert invited(*places).urls == CONFIG
    assert invited(*places[:2]).urls == STICK
    assert invited(*places[:1]).urls == DNS


def test_dns_gives_a_place_and_no_trust():
    found = invited(look(Source.DNS, urls=DNS))
    assert not found.is_automatic
    assert (found.pin, found.trust) == (None, "")


def test_a_pin_of_the_configuration_makes_the_place_of_dns_good():
    found = invited(look(Source.CONFIG, pin=PIN), look(Source.DNS, urls=DNS))
    assert found.is_automatic
    assert (found.urls, found.place, found.trust, found.token) == (DNS, "DNS", "CONFIG", None)


def test_a_token_on_a_medium_is_used_where_the_pin_of_the_configuration_agrees():
    found = invited(look(Source.CONFIG, urls=CONFIG, pin=PIN), look(Source.FILE, token=TOKEN))
    assert (found.token, found.trust) == (TOKEN, "FILE")
    assert found.file is not None


def test_a_medium_of_another_fleet_neither_lets_in_nor_leads_astray():
    stick = look(Source.FILE, "/mnt", urls=STICK, token=FOREIGN, name="evil")
    choice = choose([look(Source.CONFIG, pin=PIN), stick, look(Source.DNS, urls=DNS)])
    assert isinstance(choice.outcome, Invitation)
    assert (choice.outcome.urls, choice.outcome.token, choice.outcome.name) == (DNS, None, "")
    assert choice.passed_over == ("/mnt: its pin is another than CONFIG says: not used",)


def test_of_two_media_the_one_that_brings_the_token_says_the_place():
    found = invited(
        look(Source.FILE, "/media/a", urls=("https://a:1",)),
        look(Source.FILE, "/media/b", urls=("https://b:1",), token=TOKEN),
    )
    assert (found.urls, found.trust, found.file.where) == (
        ("https://b:1",), "/media/b", "/media/b",
    )  # fmt: skip


def test_what_is_typed_goes_over_all():
    found = invited(
        look(Source.TYPED, token=TOKEN, name="n7"),
        look(Source.CONFIG, urls=CONFIG, pin=PIN, name="n1"),
        look(Source.FILE, urls=STICK, token=FOREIGN),
    )
    assert (found.token, found.name, found.urls, found.file) == (TOKEN, "n7", CONFIG, None)


@pytest.mark.parametrize("pin", [None, PIN])
def test_only_a_pin_makes_it_automatic(pin):
    assert invited(look(Source.CONFIG, urls=CONFIG, pin=pin)).is_automatic is (pin is not None)
