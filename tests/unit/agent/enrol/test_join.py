"""A join against a centre that may lie: a small TLS server with the keys of a real fleet."""

import http.server
import json
import ssl
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from ca import DOMAIN, Pki, unlimited

from roost_agent.enrol import join as joining
from roost_agent.enrol.centre import CentreError, RefusedError, UntrustedError
from roost_agent.enrol.check import spki_of
from roost_agent.enrol.files import box_files, node_files
from roost_agent.enrol.join import Order, Person, World, join
from roost_agent.enrolled import FOLDER, load
from roost_agent.errors import AgentError
from roost_agent.ports import SystemClock, SystemEntropy
from roost_protocol.certificate import Holder, Kind, pin
from roost_protocol.enrol import Issued
from roost_protocol.hardware import Hardware
from roost_protocol.join_token import from_text

PROBLEM = {"detail": "the claim ran out: ask for another", "errors": [{"code": "claim-expired"}]}


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"), unlimited())


@contextmanager
def centre(pki, answers, *, holder=None):
    """Serve: ``answers`` maps a path to (status, document); requests are kept."""
    own = pki.issue(holder or Holder(Kind.SERVER, "enrol"))
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer(b"")

        def do_POST(self):
            self.answer(self.rfile.read(int(self.headers["Content-Length"])))

        def answer(self, body):
            path = self.path.partition("?")[0]
            seen.append((path, body))
            status, document = answers[path]
            raw = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own.chain_file, own.key_file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *args: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def hello(pki, domain=DOMAIN):
    root = pki.root_file.read_text()
    document = {"server_nonce": "1.r.m", "root": root, "fleet_domain": domain, "time_ms": 1}
    return {"/api/v1/enrol/hello": (200, document)}


def pinned(pki):
    return from_text(pin(spki_of(pki.root_file.read_text())))


def world(told=None, *, agrees=False):
    person = Person((told if told is not None else []).append, lambda words: agrees)
    return World(SystemClock(), SystemEntropy(), lambda seconds: None, person)


def attempt(url, tmp_path, pin_bytes, **more):
    order = Order(url, tmp_path / "state", pin=pin_bytes, **more)
    return join(order, Hardware(), world())


def test_another_root_than_the_pinned_one_is_told_nothing(pki, tmp_path):
    with centre(pki, hello(pki)) as (url, seen):
        with pytest.raises(UntrustedError, match="another root"):
            attempt(url, tmp_path, bytes(16))
        assert [path for path, _ in seen] == ["/api/v1/enrol/hello"]


@pytest.mark.parametrize("name", ["b1", "enrolx"])
def test_a_server_of_the_fleet_that_is_not_the_centre_is_told_nothing(pki, tmp_path, name):
    holder = Holder(Kind.SERVER, name)
    with centre(pki, hello(pki), holder=holder) as (url, seen):
        with pytest.raises(UntrustedError, match="is not the centre of this fleet"):
            attempt(url, tmp_path, pinned(pki))
        assert [path for path, _ in seen] == ["/api/v1/enrol/hello"]


def test_a_root_that_did_not_issue_the_server_is_told_nothing(pki, tmp_path):
    other = Pki(tmp_path / "other", unlimited())
    with (
        centre(other, hello(pki)) as (url, seen),
        pytest.raises(UntrustedError, match="is not the centre of this fleet"),
    ):
        attempt(url, tmp_path, pinned(pki))
    assert len(seen) == 1


def test_a_refusal_is_told_and_leaves_the_keys_for_the_next_attempt(pki, tmp_path):
    answers = hello(pki) | {"/api/v1/enrol": (403, PROBLEM)}
    with centre(pki, answers) as (url, _), pytest.raises(RefusedError) as refused:
        attempt(url, tmp_path, pinned(pki))
    assert (refused.value.code, str(refused.value)) == ("claim-expired", PROBLEM["detail"])
    assert (tmp_path / "state/identity.new/node.key").is_file()
    assert load(tmp_path / "state") is None


def test_a_centre_that_asks_a_tpm_unasked_is_not_trusted(pki, tmp_path):
    challenge = {"result": "challenge", "credential": "Y3JlZA==", "seed": "c2VlZA=="}
    answers = hello(pki) | {"/api/v1/enrol": (200, challenge)}
    with (
        centre(pki, answers) as (url, _),
        pytest.raises(UntrustedError, match="asks a TPM that was not offered"),
    ):
        attempt(url, tmp_path, pinned(pki))


def test_a_box_whose_tpm_cannot_be_used_tells_the_centre_nothing(pki, tmp_path):
    with centre(pki, hello(pki)) as (url, seen):
        with pytest.raises(AgentError, match=r"No such file.*see \[join\] tpm"):
            attempt(url, tmp_path, pinned(pki), tpm=str(tmp_path / "none"))
        assert seen == []


def test_without_a_pin_nothing_goes_on_before_a_human_said_yes(pki, tmp_path):
    ticket = "dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHQ="
    waiting = {"result": "waiting", "ticket": ticket, "retry_after_s": 1, "reason": "somebody"}
    answers = hello(pki) | {
        "/api/v1/enrol": (202, waiting),
        "/api/v1/enrol/ticket": (403, PROBLEM),
    }
    with centre(pki, answers) as (url, seen):
        with pytest.raises(UntrustedError, match="not confirmed"):
            attempt(url, tmp_path, None)
        path, body = seen[-1]
        assert (path, json.loads(body)) == (
            "/api/v1/enrol/ticket",
            {"ticket": ticket, "withdraw": True},
        )
    assert not (tmp_path / "state/identity.new/root.pem").exists()


@pytest.mark.parametrize(
    "answer",
    [b"", b"{", b"[" * 100_000, b"\xff", b"x" * 70_000, {"result": "issued"}, {"result": "?"}],
    ids=["empty", "cut", "deep", "no-utf8", "long", "poor", "unknown"],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_kept(pki, tmp_path, answer):
    answers = hello(pki) | {"/api/v1/enrol": (200, answer)}
    with centre(pki, answers) as (url, _), pytest.raises(CentreError):
        attempt(url, tmp_path, pinned(pki))
    assert not (tmp_path / "state" / FOLDER).exists()


def test_a_centre_that_is_away_is_tried_again_until_the_time_is_up(tmp_path):
    told, slept = [], []
    clock = SystemClock()
    turned = type("Clock", (), {"boot_ms": lambda self: clock.boot_ms() + 1000 * sum(slept)})()
    ports = World(turned, SystemEntropy(), slept.append, Person(told.append, lambda words: False))
    order = Order("https://127.0.0.1:1", tmp_path / "state", pin=bytes(16), wait_s=3_600)
    with pytest.raises(CentreError, match="refused"):
        join(order, Hardware(), ports)
    assert 5 < len(slept) < 1_000
    assert max(slept) <= 300
    assert "again in" in told[0]


def test_the_root_for_images_is_never_taken_from_the_answer():
    said = Issued(
        site="lab", node="n1", generation=1, box=1, fleet_domain=DOMAIN, certificate="", chain="",
        root="", report_key=b"r" * 32, brokers=(), issued_ms=1,
    )  # fmt: skip
    raw = msgspec.to_builtins(said) | {"image_root": "package", "image_root_pem": "evil"}
    issued = msgspec.convert(raw, Issued)
    facts = joining._facts(issued, Hardware(), "https://x", 1)
    assert facts.image_root == "none"
    files = box_files(issued) | node_files(issued, facts, issued.root)
    assert b"evil" not in b"".join(files.values())


@pytest.mark.parametrize(
    "url", ["http://x", "x", "https://", "https://x/y", "https://x:99999", "https://a b"]
)
def test_an_address_is_https_and_nothing_else(url, tmp_path):
    with pytest.raises(AgentError, match="is not https://HOST"):
        attempt(url, tmp_path, None)
