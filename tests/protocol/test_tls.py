"""The name that a server must have, however it was dialled."""

import socket
import ssl

import pytest
from maker import Maker

from roost_protocol.tls import NamedContext

NAME = "b1.svc.demo.invalid"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Maker().write(tmp_path_factory.mktemp("ca") / "ca.pem")


def asked_for(context):
    """The name that a handshake would ask for, by asyncio's way and by paho's."""
    bio = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="10.0.0.1")
    ends = socket.socketpair()
    with (
        ends[1],
        context.wrap_socket(
            ends[0], server_hostname="10.0.0.1", do_handshake_on_connect=False
        ) as sock,
    ):
        return {bio.server_hostname, sock.server_hostname}


def test_the_name_of_its_own_is_asked_for_whatever_was_dialled(authority):
    assert asked_for(NamedContext.of(NAME, authority)) == {NAME}


def test_without_one_it_is_what_was_dialled(authority):
    assert asked_for(NamedContext.of(None, authority)) == {"10.0.0.1"}


def test_a_client_checks_name_and_certificate_by_tls_1_2_at_least(authority):
    context = NamedContext.of(NAME, authority)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_ca_that_cannot_be_read_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        NamedContext.of(NAME, tmp_path / "none.pem")


def test_a_handshake_that_fails_leaves_no_socket_open(authority):
    here, there = socket.socketpair()
    there.sendall(b"no TLS at all\r\n")
    sock = NamedContext.of(NAME, authority).wrap_socket(here, do_handshake_on_connect=False)
    with there, pytest.raises(ssl.SSLError):
        sock.do_handshake()  # as paho does it
    assert sock.fileno() == -1
