import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_agent.helper.core import (
    FACTS,
    HOUR_MS,
    INSTALL_VERBS,
    REBOOTS_KEPT,
    REBOOTS_MAX,
    Asked,
    Catalogue,
    Now,
    Rebooted,
    Refuse,
    Run,
    Save,
    Unread,
    Verbs,
)

CATALOGUE = Catalogue({"pump": "pump@1.service"})
T0 = 1_800_000_000_000


def now(boot_ms=0, wall_ms=None):
    return Now(boot_ms, T0 + boot_ms if wall_ms is None else wall_ms)


def asked(verb, name="pump", catalogue=CATALOGUE):
    return Asked(verb, {"name": name}, catalogue)


def reboot(nonce, reason="kernel"):
    return Asked("reboot", {"reason": reason, "nonce": f"{nonce:032x}"})


def only(actions):
    (action,) = actions
    return action


@pytest.mark.parametrize(("verb", "word"), [("unit_start", "start"), ("unit_stop", "stop")])
def test_a_name_of_the_catalogue_becomes_its_unit(verb, word):
    assert Verbs().handle(asked(verb), now()) == [Run((word, "--", "pump@1.service"))]


def test_a_name_that_is_not_in_the_catalogue_is_refused_and_the_unit_itself_is_no_name():
    for name in ("valve", "pump@1.service"):
        refused = only(Verbs().handle(asked("unit_start", name), now()))
        assert (refused.error, name in refused.detail) == ("unknown", True)


def test_without_a_catalogue_no_unit_is_touched():
    event = asked("unit_stop", catalogue=Catalogue({}, "units.toml: others may write to it"))
    assert Verbs().handle(event, now()) == [
        Refuse("catalogue", "units.toml: others may write to it")
    ]


def test_facts_are_those_that_come_with_roost():
    verbs = Verbs()
    for name in FACTS:
        action = only(verbs.handle(asked("facts", name), now()))
        assert (action.words[0], action.words[-2:]) == (
            "start",
            ("--", f"roost-facts@{name}.service"),
        )
    assert only(verbs.handle(asked("facts", "shadow"), now())).error == "unknown"


def test_nobody_waits_for_the_half_minute_that_neighbours_are_listened_for():
    assert "--no-block" in only(Verbs().handle(asked("facts", "lldp"), now())).words
    assert "--no-block" not in only(Verbs().handle(asked("facts", "dmi"), now())).words


def test_settings_are_applied_by_a_one_shot_that_is_named_by_their_digest():
    unit, verbs = f"roost-config@{'0a' * 32}.service", Verbs()
    applied = only(verbs.handle(Asked("config_apply", {"digest": "0a" * 32}), now()))
    assert applied.words == ("start", "--no-block", "--", unit)
    confirmed = only(verbs.handle(Asked("config_confirm", {"digest": "0a" * 32}), now()))
    assert confirmed.words == ("kill", "--signal=SIGURG", "--kill-whom=main", "--", unit)


@pytest.mark.parametrize("verb", INSTALL_VERBS)
def test_a_release_is_installed_by_a_one_shot_that_is_named_by_verb_and_digest(verb):
    run = only(Verbs().handle(Asked(verb, {"digest": "0a" * 32}), now()))
    assert run.words == ("start", "--no-block", "--", f"roost-install@{verb}-{'0a' * 32}.service")


def test_a_reboot_is_saved_before_it_is_done():
    save, run = Verbs().handle(reboot(1, "new kernel"), now())
    assert save == Save((Rebooted(T0, f"{1:032x}", "new kernel"),))
    assert isinstance(run, Run)
    assert run.words[-1] == "reboot"


def test_one_order_reboots_once():
    verbs = Verbs()
    verbs.handle(reboot(1), now())
    assert only(verbs.handle(reboot(1), now(1_000))).error == "replayed"
    known, _ = Verbs().handle(reboot(1), now())
    after = Verbs(known.reboots)  # a helper started anew
    assert only(after.handle(reboot(1), now(1_000))).error == "replayed"


def test_a_third_reboot_within_a_day_waits():
    verbs = Verbs()
    verbs.handle(reboot(1), now(0))
    verbs.handle(reboot(2), now(HOUR_MS))
    refused = only(verbs.handle(reboot(3), now(2 * HOUR_MS)))
    assert refused == Refuse("budget", "2 ordered reboots within 24 h already: the next in 22 h")
    assert isinstance(verbs.handle(reboot(3), now(24 * HOUR_MS))[1], Run)


def test_a_clock_that_was_set_back_frees_no_reboot():
    verbs = Verbs()
    verbs.handle(reboot(1), now(0))
    verbs.handle(reboot(2), now(1))
    early = T0 - 100_000 * HOUR_MS  # eleven years: it was never right
    saved, refused = verbs.handle(reboot(3), now(2, early))
    assert (refused.error, {each.at_ms for each in saved.reboots}) == ("budget", {early})
    after = Verbs(saved.reboots)  # a helper started anew
    assert only(after.handle(reboot(3), now(3, early + 23 * HOUR_MS))).error == "budget"
    assert isinstance(after.handle(reboot(3), now(4, early + 24 * HOUR_MS))[1], Run)


def test_a_past_that_cannot_be_read_is_a_budget_that_is_spent():
    refused = only(Verbs((), "reboots.json: damaged").handle(reboot(1), now()))
    assert refused == Refuse("budget", "reboots are not counted: reboots.json: damaged")


def test_the_record_of_reboots_is_bounded():
    verbs, saved = Verbs(), ()
    for each in range(REBOOTS_KEPT + 4):
        save, _ = verbs.handle(reboot(each), now(each * 13 * HOUR_MS))
        saved = save.reboots
    assert len(saved) == REBOOTS_KEPT


def test_unit_verbs_are_20_a_second():
    verbs = Verbs()
    given = [only(verbs.handle(asked("unit_start"), now(ms))) for ms in range(0, 21 * 10, 10)]
    assert [type(each) for each in given] == [Run] * 20 + [Refuse]
    assert given[-1].error == "rate"
    assert isinstance(only(verbs.handle(asked("unit_stop"), now(1_000))), Run)
    assert only(verbs.handle(asked("unit_stop"), now(1_001))).error == "rate"


def test_all_others_are_30_a_minute_together_and_nonsense_counts():
    verbs = Verbs()
    events = [Unread("name: missing"), asked("facts", "dmi"), Asked("stage", {"digest": "0a" * 32})]
    for each in range(30):
        action = only(verbs.handle(events[each % 3], now(each)))
        assert isinstance(action, Run) or action.error != "rate"
    for event in (*events, reboot(1)):
        assert only(verbs.handle(event, now(59_000))).error == "rate"
    assert isinstance(only(verbs.handle(asked("unit_start"), now(59_000))), Run)
    assert only(verbs.handle(Unread("x"), now(60_000))) == Refuse("bad", "x")


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12 * HOUR_MS)), max_size=40))
def test_never_more_than_two_reboots_in_any_24_hours(steps):
    """Whatever is asked when, and however often the helper is started anew."""
    verbs, kept, at_ms, done = Verbs(), (), 0, []
    for nonce, wait_ms in steps:
        at_ms += wait_ms
        for action in verbs.handle(reboot(nonce), now(at_ms)):
            if isinstance(action, Save):
                kept = action.reboots
            if isinstance(action, Run):
                done.append(at_ms)
        if nonce % 3 == 0:
            verbs = Verbs(kept)
    for at_ms in done:
        assert sum(at_ms <= each < at_ms + 24 * HOUR_MS for each in done) <= REBOOTS_MAX
