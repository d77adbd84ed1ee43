"""What all STOMP connections of one process share."""

from messaging import node
from messaging.node import Node
from messaging.stomp.roster import Rosters


class House:
    def __init__(self, of: Node) -> None:
        self.node = of
        self.rosters = Rosters(of)
        of.when_renamed.append(self.rosters.rename)


_house: House | None = None


def current() -> House:
    """The running event loop's, beside its node."""
    global _house
    if _house is None or _house.node is not node.current():
        _house = House(node.current())
    return _house
