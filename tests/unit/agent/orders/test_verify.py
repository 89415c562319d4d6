"""The child that checks an order's signature, as a function and as the command that it is."""

import subprocess
import sys

import pytest
from orders import NOW_MS, OrderPen

from roost_agent.enrolled import FOLDER
from roost_agent.orders.order_keys import FILE, file_of, read_keys
from roost_agent.orders.verify import fault, run
from roost_protocol.order import read_signed, signed_message

PEN, OTHER = OrderPen(), OrderPen(b"\x01" * 32)
KEYS = (OTHER.known(until_ms=NOW_MS), PEN.known())


@pytest.fixture
def state_dir(tmp_path):
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / FILE).write_bytes(file_of(KEYS)[FILE])
    return tmp_path


def test_a_genuine_order_is_by_a_key_that_the_node_was_told_of():
    assert fault(PEN.message(), KEYS) == ""


def test_a_signature_over_other_bytes_is_none():
    signed = read_signed(PEN.message())
    other = signed_message(PEN.write(reason="more"), signed.signature, signed.key_id)
    assert "not of key" in fault(other, KEYS)


def test_a_signature_of_another_domain_is_none():
    message = PEN.sign(PEN.write(), domain=b"")
    assert "not of key" in fault(message, KEYS)


def test_a_key_that_nobody_told_of_signs_nothing():
    assert "not told of" in fault(OrderPen(b"\x02" * 32).message(), KEYS)
    assert "not told of" in fault(PEN.message(), ())


def test_a_key_that_was_followed_signs_until_its_end():
    assert fault(OTHER.message(not_before_ms=NOW_MS - 1), KEYS) == ""
    assert "after its end" in fault(OTHER.message(not_before_ms=NOW_MS), KEYS)


@pytest.mark.parametrize("junk", [b"", b"\x80", PEN.sign(b"\x80"), PEN.message() + b"x"])
def test_junk_is_no_order(junk):
    assert fault(junk, KEYS)


def test_the_command_answers_by_its_exit_status(state_dir):
    words = [sys.executable, "-m", "roost_agent", "verify", "order", "--state-dir", str(state_dir)]

    def verified(message):
        return subprocess.run(words, input=message, capture_output=True, timeout=30, check=False)

    assert verified(PEN.message()).returncode == 0
    forged = verified(OrderPen(b"\x02" * 32).message())
    assert (forged.returncode, b"not told of" in forged.stderr) == (3, True)
    (state_dir / FOLDER / FILE).unlink()
    unknown = verified(PEN.message())
    assert (unknown.returncode, b"no order keys" in unknown.stderr) == (1, True)


def test_what_is_to_be_verified_has_to_be_said():
    with pytest.raises(Exception, match="verify what"):
        run([])


def test_keys_are_kept_as_they_were_told(state_dir):
    assert read_keys(state_dir / FOLDER) == KEYS
    assert file_of(()) == {}
