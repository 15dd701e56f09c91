"""Each guarantee, broken on purpose: what is changed in the code, and what the campaign must then find."""

from faults.mutations.aggregation import AGGREGATION
from faults.mutations.intake import INTAKE
from faults.mutations.mutation import FAILURE, Change, Mutation
from faults.mutations.privacy import PRIVACY
from faults.mutations.rules import RULES
from faults.mutations.verification import VERIFICATION

MUTATIONS: tuple[Mutation, ...] = (*INTAKE, *VERIFICATION, *RULES, *AGGREGATION, *PRIVACY)

__all__ = ["FAILURE", "MUTATIONS", "Change", "Mutation"]
