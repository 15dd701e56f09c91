"""Settings out of the environment, or what is wrong with them."""

import sys
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

S = TypeVar("S", bound=BaseSettings)


def environment(prefix: str) -> SettingsConfigDict:
    """Of variables with this prefix. A field that is a model has them each: `kafka`, say, PREFIX_KAFKA_…

    What stands in a variable is never shown: it may be a secret.
    """
    return SettingsConfigDict(
        env_prefix=prefix, env_nested_delimiter="_", env_nested_max_split=1, hide_input_in_errors=True
    )


def read(kind: type[S]) -> S:
    """The process's settings. Where the environment does not fit, a line for each variable says so, without
    its value, and the process exits with 1."""
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        for each in error.errors(include_url=False, include_context=False, include_input=False):
            name = prefix + "_".join(str(part) for part in each["loc"]).upper()
            sys.stderr.write(f"{name}: {each['msg'].removeprefix('Value error, ')}\n")
        raise SystemExit(1) from None
