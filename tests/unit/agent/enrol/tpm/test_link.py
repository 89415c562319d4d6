"""The way to a TPM: a device that gives whole answers, a socket that may give them in pieces."""

import os
import socket
import struct
import threading
import tty
from contextlib import closing

import pytest

from roost_agent.enrol.tpm import link
from roost_agent.enrol.tpm.link import TpmError, connect

COMMAND = b"\x80\x01" + struct.pack(">II", 12, 0x17B) + b"\x00\x08"
ANSWER = b"\x80\x01" + struct.pack(">II", 20, 0) + b"0123456789"


@pytest.fixture
def emulator(tmp_path):
    """A socket, and what to do with the connection that comes."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "tpm"))
    server.listen()
    threads = []

    def serve(act):
        def run():
            peer, _ = server.accept()
            with peer:
                act(peer)

        threads.append(threading.Thread(target=run))
        threads[0].start()
        return str(tmp_path / "tpm")

    yield serve
    threads[0].join()
    server.close()


def test_a_device_is_given_a_command_and_gives_an_answer():
    ours, theirs = os.openpty()  # a character device, as the kernel's is
    try:
        tty.setraw(theirs)
        with closing(connect(os.ttyname(theirs))) as device:
            os.write(ours, ANSWER)
            assert device.exchange(COMMAND) == ANSWER
        assert os.read(ours, 100) == COMMAND
    finally:
        os.close(ours)
        os.close(theirs)


def test_an_answer_in_pieces_is_put_together(emulator):
    def slowly(peer):
        assert peer.recv(100) == COMMAND
        for part in (ANSWER[:4], ANSWER[4:13], ANSWER[13:]):
            peer.sendall(part)

    with closing(connect(emulator(slowly))) as emulated:
        assert emulated.exchange(COMMAND) == ANSWER


def test_an_emulator_that_hangs_up_is_told(emulator):
    with (
        closing(connect(emulator(lambda peer: peer.recv(100)))) as emulated,
        pytest.raises(ConnectionResetError, match="hung up"),
    ):
        emulated.exchange(COMMAND)


def test_an_answer_that_says_it_is_endless_is_not_waited_for(emulator):
    def lie(peer):
        peer.recv(100)
        peer.sendall(struct.pack(">HII", 0x8001, 1 << 31, 0) + bytes(1 << 16))

    with closing(connect(emulator(lie))) as emulated:
        assert len(emulated.exchange(COMMAND)) == link.ANSWER_BYTES_MAX


def test_a_socket_that_nobody_serves_is_told(tmp_path):
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(tmp_path / "tpm"))
    with pytest.raises(TpmError, match=r"refused.*see \[join\] tpm"):
        connect(str(tmp_path / "tpm"))
