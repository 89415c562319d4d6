"""Commands to a TPM 2.0 and their answers, as bytes: the ten that becoming a node takes.

Each method is one command (TCG TPM 2.0 Library, part 3; its section in the docstring). All
authorizations are by an empty password but that of the endorsement key, whose template wants a
policy session.
"""

import struct
from typing import Final, NamedTuple

from roost_agent.enrol.tpm.link import HEADER_BYTES, Link, TpmError
from roost_protocol.tpm import ECC, NULL, SHA256, sized

NOBODY: Final = 0x40000007  # TPM_RH_NULL
ENDORSEMENT: Final = 0x4000000B
NV_PART_BYTES: Final = 256  # of one read; every TPM gives as much
AGAIN_MAX: Final = 10  # of one command, while the TPM tests itself or is busy
NONCE: Final = bytes(16)  # a policy session without a key of its own has nothing to keep fresh
EMPTY_PASSWORD: Final = struct.pack(">IHBH", 0x40000009, 0, 0, 0)

_NO_SESSIONS: Final = 0x8001
_SESSIONS: Final = 0x8002
_POLICY: Final = 1
_SUCCESS: Final = 0
_AGAIN: Final = {0x908, 0x90A, 0x922}  # TPM_RC_YIELDED, _TESTING, _RETRY
_BAD_TAG: Final = 0x1E  # TPM_RC_BAD_TAG, which a TPM 1.2 says too
_NO_INDEX: Final = 0x18B  # TPM_RC_HANDLE of the first handle
_FORMAT_ONE: Final = 0x80
_BARE: Final = 0xBF  # format and number of such a code, without the place
_AUTH: Final = {0x8E, 0xA2}  # TPM_RC_AUTH_FAIL, _BAD_AUTH


class CommandError(TpmError):
    """The TPM said no.

    Attributes:
        code: its word (TPM_RC, part 2 section 6.6).
    """

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"the TPM refuses {name}: 0x{code:03x}{_hint(code)}")
        self.code = code


def _hint(code: int) -> str:
    if code == _BAD_TAG:
        return "; it is a TPM 1.2, which can vouch for nobody here"
    if code & _FORMAT_ONE and code & _BARE in _AUTH:
        return "; its endorsement hierarchy has a password: roost needs it without"
    return ""


class Verb(NamedTuple):
    """What a command is called, and its code (TPM_CC)."""

    name: str
    code: int


class Made(NamedTuple):
    """A key in the TPM: by what it is called there, and its public area."""

    handle: int
    area: bytes


class Parts:
    """Reads a structure from its begin to its end."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def number(self, form: str) -> int:
        """Return an integer, by its letter of ``struct``.

        Raises:
            TpmError: the structure is shorter.
        """
        (value,) = struct.unpack(f">{form}", self._taken(struct.calcsize(f">{form}")))
        return int(value)

    def skip(self, forms: str) -> None:
        """Pass over integers, by their letters."""
        self._taken(struct.calcsize(f">{forms}"))

    def sized(self) -> bytes:
        """Return the content of a TPM2B structure."""
        return self._taken(self.number("H"))

    def _taken(self, length: int) -> bytes:
        if len(self._raw) < length:
            raise TpmError("the TPM says less than it should")
        found, self._raw = self._raw[:length], self._raw[length:]
        return found


class Commands:
    """What a TPM is told, over a link."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def create_primary(self, template: bytes) -> Made:
        """TPM2_CreatePrimary (24.1), endorsement hierarchy: one template makes one key, again."""
        nothing = sized(b"")
        parameters = sized(nothing + nothing) + sized(template) + nothing + struct.pack(">I", 0)
        verb = Verb("CreatePrimary", 0x131)
        answer = self.ask(verb, (ENDORSEMENT,), parameters, (EMPTY_PASSWORD,))
        handle = answer.number("I")
        answer.skip("I")
        return Made(handle, answer.sized())

    def load_key(self, private: bytes, area: bytes) -> int:
        """TPM2_LoadExternal (12.3) of a key on P-256, both halves; return its handle."""
        secret = struct.pack(">H", ECC) + sized(b"") + sized(b"") + sized(private)
        parameters = sized(secret) + sized(area) + struct.pack(">I", NOBODY)
        return self.ask(Verb("LoadExternal", 0x167), (), parameters).number("I")

    def certify(self, key: int, by: int, question: bytes) -> tuple[bytes, int, int]:
        """TPM2_Certify (18.2): return TPMS_ATTEST, and r and s of the signature over it."""
        parameters = sized(question) + struct.pack(">H", NULL)
        both = (EMPTY_PASSWORD, EMPTY_PASSWORD)
        answer = self.ask(Verb("Certify", 0x148), (key, by), parameters, both)
        answer.skip("I")
        attestation = answer.sized()
        answer.skip("HH")  # algorithm and hash: those of the key's scheme
        r, s = (int.from_bytes(answer.sized(), "big") for _ in range(2))
        return attestation, r, s

    def start_policy(self) -> int:
        """TPM2_StartAuthSession (11.1): return a policy session."""
        parameters = sized(NONCE) + sized(b"") + struct.pack(">BHH", _POLICY, NULL, SHA256)
        return self.ask(Verb("StartAuthSession", 0x176), (NOBODY, NOBODY), parameters).number("I")

    def have_endorsement(self, session: int) -> None:
        """TPM2_PolicySecret (23.4): the password of the endorsement hierarchy, for a session."""
        parameters = sized(b"") * 3 + struct.pack(">i", 0)
        handles = (ENDORSEMENT, session)
        self.ask(Verb("PolicySecret", 0x151), handles, parameters, (EMPTY_PASSWORD,))

    def activate(
        self, keys: tuple[int, int], session: int, credential: bytes, seed: bytes
    ) -> bytes:
        """TPM2_ActivateCredential (12.5) for an attestation and an endorsement key.

        Returns the secret; the session is used up by it.
        """
        sessions = (EMPTY_PASSWORD, struct.pack(">IHBH", session, 0, 0, 0))
        parameters = sized(credential) + sized(seed)
        answer = self.ask(Verb("ActivateCredential", 0x147), keys, parameters, sessions)
        answer.skip("I")
        return answer.sized()

    def flush(self, handle: int) -> None:
        """TPM2_FlushContext (28.4): make room."""
        self.ask(Verb("FlushContext", 0x165), (handle,), b"")

    def read_index(self, index: int) -> bytes | None:
        """TPM2_NV_ReadPublic, TPM2_NV_Read (31.6, 31.13): what stands there; None: nothing does."""
        try:
            answer = self.ask(Verb("NV_ReadPublic", 0x169), (index,), b"")
        except CommandError as err:
            if err.code == _NO_INDEX:
                return None
            raise
        public = Parts(answer.sized())
        public.skip("IHI")  # index, hash, attributes
        public.sized()
        length = public.number("H")
        found = b""
        while len(found) < length:
            parameters = struct.pack(">HH", min(NV_PART_BYTES, length - len(found)), len(found))
            handles = (index, index)
            answer = self.ask(Verb("NV_Read", 0x14E), handles, parameters, (EMPTY_PASSWORD,))
            answer.skip("I")
            part = answer.sized()
            if not part:
                raise TpmError(f"the TPM gives nothing of index 0x{index:08x}")
            found += part
        return found

    def ask(
        self,
        verb: Verb,
        handles: tuple[int, ...],
        parameters: bytes,
        sessions: tuple[bytes, ...] = (),
    ) -> Parts:
        """Return what follows the header of the answer to a command.

        Raises:
            CommandError: the TPM refuses it.
            TpmError: it does not answer.
        """
        areas = b"".join(sessions)
        body = struct.pack(f">{len(handles)}I", *handles)
        if areas:
            body += struct.pack(">I", len(areas)) + areas
        body += parameters
        tag = _SESSIONS if areas else _NO_SESSIONS
        command = struct.pack(">HII", tag, HEADER_BYTES + len(body), verb.code) + body
        for _ in range(AGAIN_MAX):
            answer = self._exchanged(verb, command)
            answer.skip("HI")
            status = answer.number("I")
            if status == _SUCCESS:
                return answer
            if status not in _AGAIN:
                raise CommandError(verb.name, status)
        raise TpmError(f"the TPM is busy and does not take {verb.name}: try again")

    def _exchanged(self, verb: Verb, command: bytes) -> Parts:
        try:
            return Parts(self._link.exchange(command))
        except OSError as err:
            why = err.strerror or type(err).__name__
            raise TpmError(f"the TPM does not answer {verb.name}: {why}") from err
