"""Whether one schema can replace another within a major version, in both directions.

New readers meet old data (a rebuild reads the log from its start), and old readers meet new data (services
are upgraded one at a time). So within a major nothing is removed, tightened or retyped, and nothing
required is added.
"""

from typing import Any

Schema = dict[str, Any]

_KEYWORDS = (
    *("type", "format", "enum", "const", "pattern"),
    *("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems"),
)


def incompatibilities(old: Schema, new: Schema) -> list[str]:
    """What in `new` breaks readers or data of `old`; empty when it can replace it."""
    return list(_compare(old, new, old.get("$defs", {}), new.get("$defs", {}), "$"))


def _compare(old: Schema, new: Schema, old_defs: Schema, new_defs: Schema, at: str) -> list[str]:
    old, new = _resolve(old, old_defs), _resolve(new, new_defs)
    found = [
        f"{at}: {keyword} changed from {old.get(keyword)} to {new.get(keyword)}"
        for keyword in _KEYWORDS
        if old.get(keyword) != new.get(keyword)
    ]
    before, after = old.get("properties", {}), new.get("properties", {})
    found += [f"{at}.{name}: removed" for name in before if name not in after]
    required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
    found += [f"{at}.{name}: became required" for name in sorted(required_after - required_before)]
    found += [
        f"{at}.{name}: no longer required" for name in sorted(required_before - required_after & set(after))
    ]
    for name in before.keys() & after.keys():
        found += _compare(before[name], after[name], old_defs, new_defs, f"{at}.{name}")
    if ("items" in old) != ("items" in new):
        found.append(f"{at}: items are {'no longer' if 'items' in old else 'newly'} described")
    elif "items" in old:
        found += _compare(old["items"], new["items"], old_defs, new_defs, f"{at}[]")
    old_choices, new_choices = old.get("anyOf", []), new.get("anyOf", [])
    if len(old_choices) != len(new_choices):
        found.append(f"{at}: alternatives changed")
    for one, other in zip(old_choices, new_choices, strict=False):
        found += _compare(one, other, old_defs, new_defs, at)
    return found


def _resolve(schema: Schema, defs: Schema) -> Schema:
    while "$ref" in schema:
        schema = defs[schema["$ref"].rsplit("/", 1)[-1]]
    return schema
