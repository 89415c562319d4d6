"""Errors of the centre, split by who must act. The peer's faults are ``ProtocolError``.

Each carries a code (a word that counters, logs and problem answers use), the field and the bound.
"""


class CentralError(Exception):
    """Something of the centre failed; names the field and the bound where there is one."""

    def __init__(
        self, code: str, *, field: str = "", bound: object = None, got: object = None
    ) -> None:
        self.code = code
        self.field = field
        self.bound = bound
        self.got = got
        parts = [code]
        if field:
            parts.append(f"at {field}")
        if got is not None:
            parts.append(f"got {str(got)[:200]!r}")
        if bound is not None:
            parts.append(f"bound {bound}")
        super().__init__(", ".join(parts))


class ConfigError(CentralError):
    """The operator must act: an address, a range or a path in the configuration is wrong."""


class StorageError(CentralError):
    """The database cannot be used as it is: ``driver``, ``pragma``, ``schema`` or ``url``."""


class StorageUnavailableError(StorageError):
    """The environment must act: disk full, locked past the timeout, server gone.

    Nothing of the transaction is known to be kept; the same transaction may work later.
    """


class StorageRefusedError(StorageError):
    """The database refused a value; the same transaction will fail again."""


class NotFoundError(CentralError):
    """There is no such object."""


class RevisionConflictError(CentralError):
    """The object was changed since the caller read it; ``got`` is its revision now."""


class SignerError(CentralError):
    """The signer said no, or did not answer; ``code`` is its word, ``detail`` its sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.detail = detail

    def __str__(self) -> str:
        return f"signer: {self.code}: {self.detail}"


class OidcError(CentralError):
    """A login by the OpenID provider failed; ``detail`` is a sentence for who logs in.

    ``unreachable``: the environment must act; ``refused``: the provider, or what is configured of
    it; ``over``: who logs in.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.detail = detail

    def __str__(self) -> str:
        return f"OpenID provider: {self.code}: {self.detail}"


class SignerUnavailableError(SignerError):
    """Nobody answers on its socket, or not in time: it may have signed, or not."""
