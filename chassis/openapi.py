"""The OpenAPI document of every process: its problems are described here, so that no route has to."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from chassis.problems import LANGUAGES, MEDIA_TYPE, FieldErrorBody, ProblemBody

EVERYWHERE = (HTTPStatus.SERVICE_UNAVAILABLE,)
WITH_A_BODY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
COME_BACK = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)

LANGUAGE = {"required": True, "schema": {"type": "string", "enum": list(LANGUAGES)}}
RETRY_AFTER = {
    "required": True,
    "description": "Seconds after which to send the same again.",
    "schema": {"type": "integer", "minimum": 1},
}


class Described(FastAPI):
    """An application whose document names every answer that it gives; routes name only what is theirs.
    `state.examples` may have an example of a model, by its name; a route's own would lose what is null."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            examples = getattr(self.state, "examples", {})
            self.openapi_schema = _with_examples(_with_problems(super().openapi()), examples)
        return self.openapi_schema


def _with_examples(document: dict[str, Any], examples: Mapping[str, Any]) -> dict[str, Any]:
    for path in document["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                for content in response.get("content", {}).values():
                    model = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
                    if model in examples:
                        content["example"] = examples[model]
    return document


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for model in (ProblemBody, FieldErrorBody):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas[model.__name__] = {name: part for name, part in schema.items() if name != "$defs"}
    for path in document["paths"].values():
        for operation in path.values():
            responses = operation["responses"]
            for status in (*EVERYWHERE, *(WITH_A_BODY if "requestBody" in operation else ())):
                responses.setdefault(str(status.value), {"description": status.phrase})
            for code, response in responses.items():
                if code.isdigit() and int(code) >= HTTPStatus.BAD_REQUEST:
                    _describe(response, HTTPStatus(int(code)))
    return document


def _describe(response: dict[str, Any], status: HTTPStatus) -> None:
    response["content"] = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemBody.__name__}"}}}
    headers = response.setdefault("headers", {})
    headers["Content-Language"] = LANGUAGE
    if status in COME_BACK:
        headers["Retry-After"] = RETRY_AFTER
