"""Settings out of the environment, or all that is wrong with them at once."""

import difflib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)


@dataclass(frozen=True, slots=True)
class Unit:
    """Marks a number: what it is a number of."""

    name: str


Port = Annotated[int, Field(ge=1, le=65_535)]
Seconds = Annotated[float, Field(gt=0), Unit("seconds")]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


@dataclass(frozen=True, slots=True)
class Secret:
    """Marks a field that is never shown, and that NAME_FILE may give in place of NAME."""


@dataclass(frozen=True, slots=True)
class ReadBy:
    """The commands that look at a field. Without this mark, any may."""

    commands: tuple[str, ...]


class Misfits(ValueError):
    """Fields of a model that do not go together: what to do, by the name of each within the model."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name.upper()}: {text}" for name, text in problems.items()))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable, and the field that it fills."""

    variable: str
    field: FieldInfo

    @property
    def secret(self) -> bool:
        return _is_secret(self.field)

    @property
    def file_variable(self) -> str:
        """What may name a file instead; empty where nothing may."""
        return f"{self.variable}_FILE" if self.secret else ""

    @property
    def unit(self) -> str:
        return next((each.name for each in self.field.metadata if isinstance(each, Unit)), "")

    @property
    def commands(self) -> tuple[str, ...]:
        """None: any."""
        return next((each.commands for each in self.field.metadata if isinstance(each, ReadBy)), ())

    @property
    def default(self) -> str:
        """As one would write it in the environment; empty where nothing is set, or the value is a secret."""
        value = self.field.default
        if value in (None, "", (), {}) or isinstance(value, SecretStr):
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, tuple):
            return f"[{', '.join(f'{each:g}' for each in value)}]"
        return str(value)


class _Unusable:
    """In place of a value that could not be had: no field takes it."""

    def __init__(self, why: str) -> None:
        self.why = why


class _Environment(EnvSettingsSource):
    """What cannot be read or decoded is left for validation to refuse, together with all else."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        value, key, is_complex = super().get_field_value(field, field_name)
        file = self.env_vars.get(f"{self.env_prefix}{field_name}_file".lower())
        if file is not None and _is_secret(field):
            value = _content(Path(file)) if value is None else _Unusable("given twice: unset it, or …_FILE")
        return value, key, is_complex

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        if isinstance(value, _Unusable):
            return value
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return _Unusable("is no JSON")


class FromEnvironment(BaseSettings):
    """Settings of a process. A field that is a model has a variable for each of its own: PREFIX_KAFKA_…"""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del env_settings, dotenv_settings, file_secret_settings
        return init_settings, _Environment(settings_cls)


def environment(prefix: str) -> SettingsConfigDict:
    """Of variables with this prefix. What stands in one is never shown: it may be a secret."""
    return SettingsConfigDict(
        env_prefix=prefix, env_nested_delimiter="_", env_nested_max_split=1, hide_input_in_errors=True
    )


S = TypeVar("S", bound=FromEnvironment)


def read(kind: type[S]) -> S:
    """The process's settings. Where the environment does not fit, a line for each variable says what is wrong
    with it and what would be right, without its value, and the process exits with 1."""
    try:
        return kind()
    except ValidationError as error:
        for line in dict.fromkeys(_lines(kind, error)):
            sys.stderr.write(f"{line}\n")
        raise SystemExit(1) from None


def settings_of(kind: type[BaseModel], prefix: str | None = None) -> Iterator[Setting]:
    """Every variable that is read, in the order of the fields."""
    prefix = _prefix(kind) if prefix is None else prefix
    for name, field in kind.model_fields.items():
        variable = f"{prefix}{name}".upper()
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from settings_of(model, f"{variable}_")
        else:
            yield Setting(variable, field)


def unknown(kind: type[FromEnvironment], names: Iterable[str] = os.environ) -> dict[str, str]:
    """Those of these variables that have the prefix and that nothing reads, and what to do with each."""
    known = {name for each in settings_of(kind) for name in (each.variable, each.file_variable)}
    strange = sorted(name for name in names if name.startswith(_prefix(kind)) and name not in known)
    return {name: _no_such(kind, name) for name in strange}


def _no_such(kind: type[FromEnvironment], variable: str) -> str:
    prefix = _prefix(kind)
    known = [each.variable.removeprefix(prefix) for each in settings_of(kind)]
    near = difflib.get_close_matches(variable.removeprefix(prefix), known, 1, cutoff=0.7)
    return "there is no such setting; " + (f"is {prefix}{near[0]} meant?" if near else "unset it")


def _prefix(kind: type[BaseModel]) -> str:
    return str(kind.model_config.get("env_prefix", ""))


def _lines(kind: type[FromEnvironment], error: ValidationError) -> Iterator[str]:
    defaults = {each.variable: each.default for each in settings_of(kind)}
    for each in error.errors(include_url=False):
        variable, rest = _variable(kind, each["loc"])
        raised = each.get("ctx", {}).get("error")
        if isinstance(raised, Misfits):
            for name, text in raised.problems.items():
                yield f"{variable}_{name}: {text}"
            continue
        if each["type"] == "extra_forbidden":
            yield f"{variable}: {_no_such(kind, variable)}"
            continue
        default = defaults.get(variable, "")
        yield f"{variable}: {rest}{_said(each)}{f'; unset, it is {default}' if default else ''}"


def _variable(kind: type[FromEnvironment], location: tuple[int | str, ...]) -> tuple[str, str]:
    """The variable's name, and where within its value the error is."""
    name = _prefix(kind).rstrip("_")
    model: Any = kind
    for depth, part in enumerate(location):
        if not _is_model(model):
            return name, f"at {'.'.join(map(str, location[depth:]))}: "
        field = model.model_fields.get(str(part))
        model = field.annotation if field else None
        name = f"{name}_{part}".upper()
    return name, ""


def _said(error: ErrorDetails) -> str:
    if isinstance(error["input"], _Unusable):
        return error["input"].why
    return error["msg"].removeprefix("Value error, ")


def _content(file: Path) -> str | _Unusable:
    try:
        text = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        return _Unusable(f"the file {file}, named by …_FILE, cannot be read: {type(error).__name__}")
    return text or _Unusable(f"the file {file}, named by …_FILE, is empty")


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_secret(field: FieldInfo) -> bool:
    return any(isinstance(each, Secret) for each in field.metadata) or _holds_secrets(field.annotation)


def _holds_secrets(annotation: Any) -> bool:
    if get_origin(annotation) is not None:
        return any(_holds_secrets(each) for each in get_args(annotation))
    return annotation is SecretStr
