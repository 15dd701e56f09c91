"""Which cells are too small to show, and which others would give them away. Pure.

Wherever a sum is public, what is hidden of its parts adds up to nothing, or to something that could be shown
by itself. So whatever is public is a sum of cells that are each large enough, and so is every difference.
"""

from collections.abc import Collection, Hashable, Mapping
from typing import TypeVar

Part = TypeVar("Part", bound=Hashable)


def hidden(parts: Mapping[Part, int], below: int, *, also: Collection[Part] = ()) -> set[Part]:
    """The parts of a public sum that must not be shown: `also`, the small ones, and of the others the
    smallest (of several the last by name, wherever the parts come from: what two callers know of the same
    parts must not differ), until what is hidden is enough together. Parts of nothing hide nobody."""
    some = {part: count for part, count in parts.items() if count}
    found = {part for part, count in some.items() if part in also or count < below}
    left = sorted((part for part in some if part not in found), key=lambda part: (-some[part], str(part)))
    while left and 0 < sum(some[part] for part in found) < below:
        found.add(left.pop())
    return found


def shown(
    root: Part,
    children: Mapping[Part, Collection[Part]],
    counts: Mapping[Part, int],
    below: int,
    *,
    within: Collection[Part] | None = None,
) -> set[Part]:
    """What may be shown of a tree whose every node is the sum of its children: nothing below what is hidden,
    and nothing that counts outside `within` (None: no such bound)."""
    if 0 < counts[root] < below or (within is not None and root not in within):
        return set()
    found, above = set(), [root]
    while above:
        node = above.pop()
        found.add(node)
        parts = {child: counts[child] for child in children.get(node, ())}
        outside = set() if within is None else parts.keys() - set(within)
        above += parts.keys() - hidden(parts, below, also=outside)
    return found
