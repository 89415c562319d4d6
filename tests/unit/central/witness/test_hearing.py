"""How old is what the witness hears: by echo of its own frames, never by the moment of receipt."""

from witness_site import asked

from roost_central.witness.hearing import Hearing
from roost_protocol.configuration import WITNESS
from roost_protocol.ha import HELD_MS_MAX, Echo
from roost_protocol.sent import SENT_MAX


def test_a_frame_counts_once_and_none_of_an_earlier_start():
    hearing = Hearing()
    assert hearing.heard("c0", asked(0, seq=5, inc=3), 0)
    assert not hearing.heard("c0", asked(0, seq=5, inc=3), 1), "by another path"
    assert not hearing.heard("c0", asked(0, seq=9, inc=2), 1)
    assert not hearing.heard("c0", asked(0, seq=9, inc=3, boot=b"x" * 16), 1)
    assert hearing.heard("c0", asked(0, seq=1, inc=4), 2)


def test_the_age_of_a_frame_is_bounded_by_what_it_echoes():
    hearing = Hearing()
    seq = hearing.sent(1_000)
    assert hearing.age_ms(asked(0, echo={WITNESS: Echo(7, seq, 300)}), 7, 1_400) == 100
    assert hearing.age_ms(asked(0, echo={WITNESS: Echo(6, seq, 300)}), 7, 1_400) is None
    assert hearing.age_ms(asked(0, echo={WITNESS: Echo(7, seq + 1, 300)}), 7, 1_400) is None
    assert hearing.age_ms(asked(0), 7, 1_400) is None


def test_it_echoes_whom_it_heard_and_for_how_long_ago():
    hearing = Hearing()
    hearing.heard("c0", asked(0, seq=5, inc=3), 100)
    hearing.heard("c1", asked(1, seq=8, inc=2), 400)
    assert hearing.echoes(500) == {0: Echo(3, 5, 400), 1: Echo(2, 8, 100)}
    assert hearing.echoes(10**12)[0].held_ms == HELD_MS_MAX


def test_what_it_remembers_of_its_own_frames_is_bounded():
    hearing = Hearing()
    first = hearing.sent(0)
    for at in range(SENT_MAX):
        hearing.sent(at)
    assert hearing.age_ms(asked(0, echo={WITNESS: Echo(7, first, 0)}), 7, 0) is None
