"""What all STOMP connections of one process share."""

from interfaces.stomp.roster import Rosters
from messaging.live import node
from messaging.live.node import Node


class Context:
    def __init__(self, of: Node) -> None:
        self.node = of
        self.rosters = Rosters(of)
        of.names.when_renamed.append(self.rosters.rename)


_context: Context | None = None


def current() -> Context:
    """The running event loop's, beside its node."""
    global _context
    if _context is None or _context.node is not node.current():
        _context = Context(node.current())
    return _context
