"""Why messages go to the dead letters."""

from contracts.envelope import InvalidMessage

_KINDS: tuple[type[InvalidMessage], ...] = (InvalidMessage, *InvalidMessage.__subclasses__())
UNREADABLE = tuple(each.reason for each in _KINDS)
