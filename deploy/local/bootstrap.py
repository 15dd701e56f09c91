"""Make .venv with the pinned packages of one set: python3 -m deploy.local.bootstrap local|dev|bench

Standard library only, and written so that any Python 3 can read it this far and say that it is too old.
"""

import sys

TOO_OLD = "Python {}.{} is too old. Install Python 3.11 or newer and name it: make PYTHON=python3.11 ...\n"


def main():  # type: () -> int
    if sys.version_info < (3, 11):  # noqa: UP036  the point of this file
        sys.stderr.write(TOO_OLD.format(sys.version_info[0], sys.version_info[1]))
        return 1
    from deploy.local.install import main as install  # noqa: PLC0415  an older Python could not read it

    return install(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
