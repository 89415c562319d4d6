"""What a box gets: each rule by itself, then a machine that loses replies and turns clocks."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from roost_central.enrol.core import (
    AGAIN_MS_MAX,
    WAITING_MAX,
    Admit,
    Asked,
    Claim,
    Known,
    Prior,
    Queue,
    Refuse,
    Resume,
    handle,
)
from roost_central.enrol.rules import Rule
from roost_central.enrol.states import State
from roost_protocol.enrol import ClaimKind

NOW = 1_000_000
TOKEN = Claim("t", "lab", "", 1, 0, auto_approve=True, not_after_ms=NOW + 1)
SLOTS = ("n1", "n2")


RULE = Rule("r", "lab", broker=True, serial="*")


def asked(kind=ClaimKind.TOKEN, address="192.0.2.7", wish=""):
    return Asked(kind, address, wish)


def known(claim=TOKEN, **more):
    return Known(claim=claim, empty=SLOTS, **more)


def test_a_box_without_a_claim_waits_for_a_human():
    found = handle(asked(ClaimKind.BARE), Known(), NOW)
    assert isinstance(found, Queue)
    assert (found.site, found.spend) == ("", ())


def test_a_token_that_approves_fills_the_first_empty_slot():
    assert handle(asked(), known(), NOW) == Admit("lab", "n1", ("t",), "claim:t")


def test_a_box_may_wish_for_an_empty_slot_and_for_no_other():
    assert handle(asked(wish="n2"), known(), NOW) == Admit("lab", "n2", ("t",), "claim:t")
    assert handle(asked(wish="boss"), known(), NOW) == Admit("lab", "n1", ("t",), "claim:t")


def test_a_filled_slot_is_never_given_by_itself():
    bound = replace(TOKEN, node="n9")
    assert handle(asked(), known(bound), NOW) == Queue("lab", "the slot n9 is not empty", ("t",))
    empty = Known(claim=TOKEN)
    assert handle(asked(), empty, NOW) == Queue("lab", "the site has no empty slot", ("t",))


def test_a_claim_for_one_slot_gives_that_one():
    assert handle(asked(wish="n1"), known(replace(TOKEN, node="n2")), NOW).node == "n2"


def test_a_token_that_does_not_approve_is_spent_and_waits():
    found = handle(asked(), known(replace(TOKEN, auto_approve=False)), NOW)
    assert found == Queue("lab", "the claim asks for a human", ("t",))


def vouched(**more):
    facts = {"rule": RULE, "voucher": "acme vouches for AC-1", "empty": SLOTS}
    return handle(asked(ClaimKind.FACTORY), Known(**{**facts, **more}), NOW)


def test_a_box_that_its_maker_vouches_for_goes_where_a_rule_says():
    assert vouched() == Admit("lab", "n1", (), "rule:r", broker=True)
    bound = replace(RULE, node="n2")
    assert vouched(rule=bound) == Admit("lab", "n2", (), "rule:r", broker=True)


def test_a_box_that_its_maker_vouches_for_and_no_rule_waits_for_a_human():
    reason = "acme vouches for AC-1; no rule says where it belongs"
    assert vouched(rule=None) == Queue("", reason)


@pytest.mark.parametrize("rule", [RULE, None])
def test_a_factory_key_that_stands_for_a_box_already_lets_in_no_other(rule):
    found = vouched(holder="lab.n1", rule=rule)
    assert isinstance(found, Queue)
    assert found.reason == "acme vouches for AC-1; that box is lab.n1 already"


def test_a_rule_approves_a_token_that_does_not_for_its_own_site_and_an_open_slot():
    token = replace(TOKEN, auto_approve=False)
    assert handle(asked(), known(token, rule=RULE), NOW).by == "rule:r"
    elsewhere = replace(RULE, site="other")
    assert isinstance(handle(asked(), known(token, rule=elsewhere), NOW), Queue)
    bound = replace(token, node="n2")
    assert isinstance(handle(asked(), known(bound, rule=RULE), NOW), Queue)


def test_a_rule_gives_no_token_that_ended_another_life():
    spent = replace(TOKEN, auto_approve=False, used=1)
    assert handle(asked(), known(spent, rule=RULE), NOW).code == "claim-spent"


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        (None, "claim-unknown"),
        (replace(TOKEN, is_revoked=True), "claim-revoked"),
        (replace(TOKEN, not_after_ms=NOW), "claim-expired"),
        (replace(TOKEN, used=1), "claim-spent"),
        (replace(TOKEN, cidr="198.51.100.0/24"), "claim-address"),
        (replace(TOKEN, cidr="192.0.2.7/24"), "claim-address"),  # host bits: not a network
    ],
)
def test_a_claim_that_does_not_hold_is_refused_by_name(claim, code):
    assert handle(asked(), known(claim), NOW).code == code


def test_a_claim_for_the_network_of_the_box_holds():
    claim = replace(TOKEN, cidr="192.0.2.0/24")
    assert isinstance(handle(asked(), known(claim), NOW), Admit)
    assert handle(asked(address="nonsense"), known(claim), NOW).code == "claim-address"
    v6 = replace(TOKEN, cidr="fe80::/10")
    assert isinstance(handle(asked(address="fe80::1%eth0"), known(v6), NOW), Admit)


def test_a_listed_serial_number_approves_a_token_that_does_not():
    token = replace(TOKEN, auto_approve=False)
    listed = replace(TOKEN, id="s", node="n2")
    assert handle(asked(), known(token, listed=listed), NOW) == Admit(
        "lab", "n2", ("t", "s"), "claim:s"
    )
    spent = replace(listed, used=1)
    assert isinstance(handle(asked(), known(token, listed=spent), NOW), Queue)


def test_a_denied_key_stays_denied_whatever_it_brings():
    prior = Prior(State.DENIED, "", 0, "not ours")
    found = handle(asked(), known(prior=prior), NOW)
    assert found == Refuse(
        "denied", "this key was denied (not ours); join with --new-key to ask again"
    )


def test_a_box_that_waits_may_come_back_with_a_token():
    prior = Prior(State.PENDING, "", 0, "")
    assert isinstance(handle(asked(), known(prior=prior), NOW), Admit)
    assert handle(asked(ClaimKind.BARE), Known(prior=prior), NOW) == Resume()


def test_an_issued_key_gets_its_certificate_again_for_a_day_whatever_it_brings():
    prior = Prior(State.ISSUED, "t", NOW, "")
    assert handle(asked(), known(prior=prior), NOW + AGAIN_MS_MAX) == Resume()
    assert handle(asked(), known(None, prior=prior), NOW) == Resume()
    assert handle(asked(), known(prior=prior), NOW + AGAIN_MS_MAX + 1).code == "key-used"
    assert handle(asked(), known(prior=prior), NOW - 1) == Resume()  # our clock stepped back


@pytest.mark.parametrize("state", [State.REVOKED, State.REPLACED, State.QUARANTINED])
def test_a_key_whose_identity_ended_gets_nothing_more(state):
    prior = Prior(state, "t", NOW, "")
    assert handle(asked(), known(prior=prior), NOW).code == "key-used"


def test_an_approved_key_is_not_decided_again():
    prior = Prior(State.APPROVED, "t", 0, "")
    assert handle(asked(), known(replace(TOKEN, used=1), prior=prior), NOW) == Resume()


def test_a_full_queue_refuses_strangers_and_keeps_who_waits():
    full = Known(waiting=WAITING_MAX)
    assert handle(asked(ClaimKind.BARE), full, NOW).code == "queue-full"
    prior = Prior(State.PENDING, "t", 0, "")
    token = replace(TOKEN, id="u", auto_approve=False)
    assert isinstance(handle(asked(), replace(full, prior=prior, claim=token), NOW), Queue)


@dataclass
class Row:
    state: State
    claim: str
    issued_ms: int
    slot: str = ""
    certificates: int = 0


@dataclass
class Centre:
    """Applies actions as the desk does, on dictionaries."""

    claims: dict[str, Claim] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    now: int = NOW

    def empty(self) -> tuple[str, ...]:
        taken = {row.slot for row in self.rows.values() if row.state is not State.DENIED}
        return tuple(slot for slot in ("n1", "n2", "n3") if slot not in taken)

    def ask(self, key: str, kind: ClaimKind, claim: str) -> str:
        row = self.rows.get(key)
        facts = Known(
            claim=self.claims.get(claim) if kind is ClaimKind.TOKEN else None,
            prior=row and Prior(row.state, row.claim, row.issued_ms, ""),
            empty=self.empty(),
            waiting=sum(each.state is State.PENDING for each in self.rows.values()),
        )
        action = handle(Asked(kind, "192.0.2.1"), facts, self.now)
        match action:
            case Refuse(code):
                return code
            case Queue(_, _, spend):
                self.rows[key] = Row(State.PENDING, claim if spend else "", self.now)
            case Admit(_, slot, spend):
                self.rows[key] = Row(State.APPROVED, claim, self.now, slot)
            case Resume():
                spend = ()
        for each in spend:
            self.claims[each] = replace(self.claims[each], used=self.claims[each].used + 1)
        if self.rows[key].state in {State.APPROVED, State.ISSUED}:
            if self.rows[key].state is State.APPROVED:
                self.rows[key].certificates += 1
                self.rows[key].state = State.ISSUED
                self.rows[key].issued_ms = self.now
            return self.rows[key].slot
        return "waiting"


KEYS = st.sampled_from(["k1", "k2", "k3", "k4"])
CLAIMS = st.sampled_from(["a", "b", "c"])


class Enrolments(RuleBasedStateMachine):
    """Boxes that ask twice, lose replies, change claims, at a clock that jumps."""

    def __init__(self):
        super().__init__()
        self.centre = Centre()
        self.got: dict[str, str] = {}

    @rule(claim=CLAIMS, nodes=st.integers(1, 2), auto=st.booleans())
    def make_claim(self, claim, nodes, auto):
        if claim not in self.centre.claims:
            end = self.centre.now + 86_400_000
            self.centre.claims[claim] = Claim(claim, "lab", "", nodes, 0, auto, end)

    @rule(key=KEYS, claim=CLAIMS, times=st.integers(1, 3))
    def ask_by_token(self, key, claim, times):
        answers = {self.centre.ask(key, ClaimKind.TOKEN, claim) for _ in range(times)}
        assert len(answers) == 1, "a lost reply changed the answer"
        self.note(key, answers.pop())

    @rule(key=KEYS)
    def ask_bare(self, key):
        self.note(key, self.centre.ask(key, ClaimKind.BARE, ""))

    def note(self, key, answer):
        if answer in {"n1", "n2", "n3"}:
            assert self.got.setdefault(key, answer) == answer, "another slot for the same key"

    @rule(key=KEYS)
    def approve(self, key):
        row = self.centre.rows.get(key)
        if row and row.state is State.PENDING and (empty := self.centre.empty()):
            row.state, row.slot = State.APPROVED, empty[0]

    @rule(key=KEYS)
    def deny(self, key):
        row = self.centre.rows.get(key)
        if row and row.state is State.PENDING:
            row.state = State.DENIED

    @rule(jump_ms=st.sampled_from([-315_360_000_000, -1_000, 60_000, 86_400_000]))
    def turn_clock(self, jump_ms):
        self.centre.now += jump_ms

    @invariant()
    def no_claim_let_in_more_than_it_may(self):
        for claim in self.centre.claims.values():
            assert claim.used <= claim.nodes_max

    @invariant()
    def no_slot_is_given_twice_and_no_key_has_two_certificates(self):
        slots = [row.slot for row in self.centre.rows.values() if row.slot]
        assert len(slots) == len(set(slots))
        assert all(row.certificates <= 1 for row in self.centre.rows.values())


TestEnrolments = Enrolments.TestCase
TestEnrolments.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
