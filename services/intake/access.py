"""Who may do what in the office: by what the provider says of them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chassis.oidc import listed, subject_of
from contracts.events import UnitPublished

EVERYWHERE = "*"
MOST_GRANTS = 100


class Role(StrEnum):
    """The survey office does everything, an auditor reads everything, a department reads what is its own."""

    SURVEY_OFFICE = "survey-office"
    AUDITOR = "auditor"
    DEPARTMENT = "department"


@dataclass(frozen=True, slots=True)
class Caller:
    """`departments` are ids of units and groups, or `*`."""

    subject: str
    role: Role
    departments: frozenset[str] = frozenset()

    @property
    def may_change(self) -> bool:
        return self.role is Role.SURVEY_OFFICE

    @property
    def sees_everything(self) -> bool:
        return self.role is not Role.DEPARTMENT or EVERYWHERE in self.departments

    def may_see(self, unit: UnitPublished) -> bool:
        return self.sees_everything or bool({unit.unit_id, unit.group_id} & self.departments)


def caller_of(claims: Mapping[str, Any], roles_claim: str, departments_claim: str) -> Caller | None:
    """The caller in the first of their roles, in the order of `Role`; None for who has none of them."""
    said = listed(claims.get(roles_claim))
    role = next((each for each in Role if each in said), None)
    if role is None:
        return None
    departments = frozenset(listed(claims.get(departments_claim))[:MOST_GRANTS])
    return Caller(subject_of(claims), role, departments)
