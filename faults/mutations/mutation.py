"""What a mutation is."""

from dataclasses import dataclass

Change = tuple[str, str, str]  # file, what is there (exactly once), what is put in its place

FAILURE = "failure"
"""As a finding: not the checker's, but the campaign's own (no recovery, a process not ready)."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A guarantee broken on purpose.

    `breaks` is the guarantee, `changes` what breaks it; where two guards stand behind each other they take
    both away, for either alone would hide the loss of the other, which is what they are for. `faults` are the
    kinds that bring it to light. It is seen where one of the examples of `finding` contains `says`, so that
    no other failure passes for it.

    Mutations of one `group` go into one copy of the code: each is seen by what it alone leads to. `setup`
    shortens what the campaign would wait for too long, and is in the control as well.
    """

    name: str
    breaks: str
    changes: tuple[Change, ...]
    faults: str
    finding: str
    says: str
    group: str = ""
    setup: tuple[Change, ...] = ()
