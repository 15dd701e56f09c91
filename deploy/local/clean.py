"""Remove what the embedded stack keeps: python3 -m deploy.local.clean [--all]. Standard library only."""

import shutil
import sys
from pathlib import Path

from deploy.local import lock
from deploy.local.errors import StackError
from deploy.local.layout import CHECKOUT, Layout


def clean(layout: Layout) -> None:
    """Remove data, keys, logs and the outbox, keep downloads. Raises StackError while a stack runs."""
    if not layout.root.exists():
        return
    with lock.held(layout):
        lock.end_leftovers(layout)
        for entry in layout.root.iterdir():
            if entry.name not in layout.kept_by_clean:
                _remove(entry)


def clean_all(layout: Layout, checkout: Path) -> None:
    """Remove everything that set-up and running made: as cloned. Raises StackError while a stack runs."""
    clean(layout)
    for path in (layout.root, checkout / ".venv", checkout / "portal" / "static"):
        _remove(path)


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except PermissionError as error:
        raise StackError(
            f"No permission to remove {error.filename}.",
            "An earlier run was another user's: clean as that user.",
        ) from error


def main() -> int:
    try:
        if "--all" in sys.argv[1:]:
            clean_all(Layout(), CHECKOUT)
        else:
            clean(Layout())
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
