"""What a TPM answers, said by a link that has it ready: refusals by name, and answers cut short."""

import struct

import pytest

from roost_agent.enrol.tpm.command import AGAIN_MAX, CommandError, Commands, Verb
from roost_agent.enrol.tpm.link import TpmError

VERB = Verb("Certify", 0x148)


class Ready:
    """A link that answers one thing after the other, and the last for ever."""

    def __init__(self, *answers):
        self.answers, self.commands = list(answers), []

    def exchange(self, command):
        self.commands.append(command)
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    def close(self):
        pass


def said(code, rest=b""):
    return struct.pack(">HII", 0x8001, 10 + len(rest), code) + rest


def test_a_refusal_names_the_command_and_the_code():
    with pytest.raises(CommandError, match=r"the TPM refuses Certify: 0x101$"):
        Commands(Ready(said(0x101))).ask(VERB, (), b"")


@pytest.mark.parametrize("code", [0x98E, 0x9A2, 0x1A2])
def test_a_hierarchy_with_a_password_is_told_as_such(code):
    with pytest.raises(CommandError, match="has a password: roost needs it without"):
        Commands(Ready(said(code))).ask(VERB, (), b"")


def test_a_tpm_of_before_is_told_as_such():
    with pytest.raises(CommandError, match=r"0x01e; it is a TPM 1\.2"):
        Commands(Ready(said(0x1E))).ask(VERB, (), b"")


@pytest.mark.parametrize("code", [0x908, 0x90A, 0x922])
def test_a_tpm_that_is_busy_is_asked_again(code):
    link = Ready(said(code), said(code), said(0, b"\x00\x07"))
    assert Commands(link).ask(VERB, (), b"").number("H") == 7
    assert len(link.commands) == 3


def test_a_tpm_that_stays_busy_is_not_asked_for_ever():
    link = Ready(said(0x922))
    with pytest.raises(TpmError, match="busy"):
        Commands(link).ask(VERB, (), b"")
    assert len(link.commands) == AGAIN_MAX


@pytest.mark.parametrize("answer", [b"", said(0)[:9], said(0)])
def test_an_answer_that_is_cut_short_is_no_answer(answer):
    with pytest.raises(TpmError, match="less than it should"):
        Commands(Ready(answer)).load_key(b"k" * 32, b"")


def test_a_link_that_breaks_is_told():
    with pytest.raises(TpmError, match="does not answer Certify: ConnectionResetError"):
        Commands(Ready(ConnectionResetError())).ask(VERB, (), b"")


def test_an_index_that_gives_nothing_ends():
    public = struct.pack(">H", 14) + struct.pack(">IHIHH", 1, 11, 0, 0, 900)
    nothing = said(0, struct.pack(">IH", 2, 0))
    with pytest.raises(TpmError, match="gives nothing of index"):
        Commands(Ready(said(0, public), nothing)).read_index(0x01C00002)


def test_an_index_that_is_not_there_is_none():
    assert Commands(Ready(said(0x18B))).read_index(0x01C00002) is None
    with pytest.raises(CommandError):
        Commands(Ready(said(0x101))).read_index(0x01C00002)
