"""The services' OpenAPI documents, each as it is, and all in one for what leads from one to the other."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

Document = dict[str, Any]

CHALLENGES, RATINGS = "/v1/challenges", "/v1/ratings"
PHONE_CODE, OUTCOME = "/v1/ratings/{rating_id}/phone-code", "/v1/ratings/{rating_id}/outcome"
WITHDRAWALS = "/v1/withdrawals"
THE_WAY = (CHALLENGES, RATINGS, PHONE_CODE, OUTCOME, WITHDRAWALS)
TO_FILL_IN = ""
"""The answer of a challenge that was asked for: no document could lead to it."""


def described(url: str) -> Document:
    """The document of the service at `url`, which says that the service is there."""
    answer = httpx.get(f"{url}/openapi.json")
    answer.raise_for_status()
    document: Document = answer.json()
    for path in document["paths"].values():
        path["servers"] = [{"url": url}]
    return document


def operations(document: Document) -> int:
    return sum("responses" in each for path in document["paths"].values() for each in path.values())


def the_whole_way(documents: Mapping[str, Document], editions: list[str], rating: Document) -> Document:
    """One document of a citizen's way: a challenge, a `rating` with it, its phone code, its outcome, and its
    withdrawal."""
    paths: Document = {}
    schemas: Document = {}
    for service, document in documents.items():
        text = json.dumps(document).replace("#/components/schemas/", f"#/components/schemas/{service}.")
        renamed = json.loads(text)
        paths |= {path: each for path, each in renamed["paths"].items() if path in THE_WAY}
        schemas |= {f"{service}.{name}": each for name, each in renamed["components"]["schemas"].items()}
    schemas["verification.NewChallenge"]["properties"] = {
        "edition_id": {"enum": editions},
        "kind": {"const": "digits"},  # which a rating can be sent with, as linked below
    }
    of_challenge = {"id": "$response.body#/id", "answer": TO_FILL_IN}
    body = rating | {"edition_id": "$response.body#/edition_id", "challenge": of_challenge}
    its_rating = {"rating_id": "$response.body#/rating_id"}
    code = {"edition_id": "$request.body#/edition_id", "code": "123456"}
    whole = {"merge_body": False}
    paths[CHALLENGES]["post"]["responses"]["201"]["links"] = {  # not to picture and sound, which lead nowhere
        "rate": {**_to(paths, RATINGS, "post"), "requestBody": body, "x-schemathesis": whole},
    }
    paths[RATINGS]["post"]["responses"]["202"]["links"] |= {
        "enter": {
            **_to(paths, PHONE_CODE, "post"),
            "parameters": its_rating,
            "requestBody": code,
            "x-schemathesis": whole,
        },
        "ask": {**_to(paths, OUTCOME, "get"), "parameters": its_rating},
    }
    paths[PHONE_CODE]["post"]["responses"]["202"]["links"] = {
        "ask": {**_to(paths, OUTCOME, "get"), "parameters": its_rating}
    }
    return {
        "openapi": next(iter(documents.values()))["openapi"],
        "info": {"title": "The whole way", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _to(paths: Document, path: str, method: str) -> Document:
    return {"operationId": paths[path][method]["operationId"]}
