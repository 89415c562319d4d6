"""An answer of local HA as the end of an order."""

from roost_agent.control.message import Answer
from roost_agent.orders.verbs.handler import ActError


def done_by_ha(answer: Answer) -> str:
    """Return local HA's sentence.

    Raises:
        ActError: it refused, and says why.
    """
    if answer.error:
        raise ActError("ha", answer.error)
    return str(answer.result.get("sentence", ""))
