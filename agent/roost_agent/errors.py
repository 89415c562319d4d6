"""The agent's errors, by who must act."""


class AgentError(Exception):
    """Whatever the agent raises on purpose; its text is a sentence for the operator."""

    exit_status = 1


class ConfigError(AgentError):
    """The operator must correct the configuration.

    Attributes:
        faults: every fault found, one line each.
    """

    exit_status = 2

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class StateInUseError(AgentError):
    """Another agent runs on the same state directory."""


class StorageError(AgentError):
    """The disk refuses: full, failing or read-only. It may heal."""


class StorageDamagedError(StorageError):
    """The file is there and makes no sense: waiting does not help."""


class LinkError(AgentError):
    """A connection could not be made or ended.

    Attributes:
        refused: the broker does not take our credential, so asking again soon is useless.
    """

    def __init__(self, text: str, *, refused: bool = False) -> None:
        self.refused = refused
        super().__init__(text)


class ProbeError(AgentError):
    """The probe child failed, took too long, or wrote what nobody can read."""
