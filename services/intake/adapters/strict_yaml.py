"""YAML that refuses a key given twice, of which YAML would silently take the last."""

from typing import Any

import yaml


class Loader(yaml.SafeLoader):
    """To be given to `yaml.load`."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [key.value for key, _ in node.value]
    for key, _ in node.value:
        if keys.count(key.value) > 1:
            raise yaml.constructor.ConstructorError(None, None, f"{key.value} is there twice", key.start_mark)
    return loader.construct_mapping(node, deep=True)


Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
