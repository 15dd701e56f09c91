"""How a portal says on whose behalf it posts: with its key, a visit and an address for each citizen."""

import random
from ipaddress import IPv4Address

ADDRESSES = (0x0A000000, 2**24)
"""10.0.0.0/8: so many blocks that no address limit is met by chance."""


def headers(portal_key: str, chance: random.Random) -> dict[str, str]:
    first, size = ADDRESSES
    return {
        "Authorization": f"Bearer {portal_key}",
        "Hailong-Session": f"faults-{chance.getrandbits(64):016x}",
        "X-Forwarded-For": str(IPv4Address(first + chance.randrange(size))),
    }
