"""Writes what is derived from the contracts: JSON Schemas, golden examples, the AsyncAPI document.

    python -m contracts.generate            write what is new
    python -m contracts.generate --check    write nothing; exit 1 where something is stale

The schema of a committed version never changes: a change needs a new VERSION, which adds a file beside it.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from contracts import golden
from contracts.compatibility import incompatibilities
from contracts.envelope import CONTENT_TYPE, encode, schema_of, type_of
from contracts.events import EVENTS, Event
from contracts.topics import TOPICS, key_of

HERE = Path(__file__).parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Refused(Exception):
    """A published version would change."""


def name_of(event: type[Event]) -> str:
    major, minor = event.VERSION
    return f"{event.NAME}.{major}.{minor}"


def schema(event: type[Event]) -> dict[str, Any]:
    return {"$schema": DIALECT, "$id": schema_of(event), **event.model_json_schema()}


def example(event: Event) -> dict[str, Any]:
    message = encode(golden.envelope(event), key=key_of(event))
    assert message.value is not None  # noqa: S101 - encode never makes a tombstone
    return {
        "key": (message.key or b"").decode(),
        "headers": {name: value.decode() for name, value in message.headers},
        "value": json.loads(message.value),
    }


def asyncapi() -> dict[str, Any]:
    """Source: AsyncAPI 3.0.0."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for topic in TOPICS:
        channels[topic.name] = {
            "address": topic.name,
            "description": topic.description,
            "messages": {e.NAME: {"$ref": f"#/components/messages/{e.NAME}"} for e in topic.events},
            "bindings": {
                "kafka": {
                    "partitions": topic.partitions,
                    "topicConfiguration": {
                        "cleanup.policy": [topic.config["cleanup.policy"]],
                        "retention.ms": int(topic.config["retention.ms"]),
                        "max.message.bytes": topic.message_bytes,
                    },
                }
            },
            "x-key": topic.key,
        }
        channel = {"$ref": f"#/channels/{topic.name}"}
        operations[f"{topic.writer}-writes-{topic.name}"] = {"action": "send", "channel": channel}
        for reader in topic.readers:
            operations[f"{reader}-reads-{topic.name}"] = {"action": "receive", "channel": channel}
    messages = {
        event.NAME: {
            "name": type_of(event),
            "summary": (event.__doc__ or "").strip().splitlines()[0],
            "contentType": CONTENT_TYPE,
            "headers": {"$ref": "#/components/schemas/cloudevents-headers"},
            "payload": {"$ref": f"schemas/{name_of(event)}.json"},
        }
        for event in EVENTS
    }
    text = {"type": "string"}
    header_names = ("specversion", "id", "source", "type", "time", "dataschema", "correlationid")
    headers = {
        "type": "object",
        "required": [f"ce_{name}" for name in header_names],
        "properties": {f"ce_{name}": text for name in (*header_names, "subject", "causationid")},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Hài Lòng",
            "version": "1.0.0",
            "description": "A city's satisfaction survey: CloudEvents 1.0 in Kafka's binary mode.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": {"cloudevents-headers": headers}},
    }


def documents() -> dict[Path, str]:
    """Every generated file with its text."""
    made: dict[Path, Any] = {HERE / "asyncapi.json": asyncapi()}
    for event in EVENTS:
        made[HERE / "schemas" / f"{name_of(event)}.json"] = schema(event)
    for event_example in golden.EVENTS:
        made[HERE / "examples" / f"{name_of(type(event_example))}.json"] = example(event_example)
    return {path: json.dumps(body, ensure_ascii=False, indent=2) + "\n" for path, body in made.items()}


def published_versions(event: type[Event]) -> list[Path]:
    """Committed schemas of the event's current major, oldest first."""
    found = (HERE / "schemas").glob(f"{event.NAME}.{event.VERSION[0]}.*.json")
    return sorted(found, key=lambda path: int(path.name.split(".")[2]))


def problems() -> list[str]:
    """Why the contracts may not stand as they are: a published schema changed, or broke its major."""
    found: list[str] = []
    for event in EVENTS:
        new = schema(event)
        for path in published_versions(event):
            old = json.loads(path.read_text())
            if path.stem == name_of(event) and old != new:
                found.append(f"{path.name} is published and would change: raise {event.__name__}.VERSION")
            found += [f"{path.name}: {line}" for line in incompatibilities(old, new)]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something is stale")
    check = parser.parse_args().check
    if found := problems():
        sys.stderr.write("\n".join(found) + "\n")
        return 1
    stale = [path for path, text in documents().items() if not path.exists() or path.read_text() != text]
    for path in stale:
        sys.stdout.write(f"{'stale' if check else 'wrote'} {path.relative_to(HERE.parent)}\n")
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(documents()[path])
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
