"""Run a command that ends when its parent does, as an unprivileged user where asked.

    python launch.py PARENT_PID DEATH_SIGNAL UID COMMAND...

A separate program rather than code between fork and exec, which is unsafe once the parent has threads. UID is
`-` to stay who we are. PostgreSQL refuses to run as root; a process that gives up root keeps CAP_DAC_OVERRIDE
alone, so that a checkout below a folder that only root may enter works without opening that folder to others.
Linux only (prctl(2), capabilities(7)). Standard library only.
"""

import ctypes
import os
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522

libc = ctypes.CDLL(None, use_errno=True)


def _must(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _prctl(option: int, first: int, second: int = 0) -> None:
    arguments = [ctypes.c_ulong(value) for value in (first, second, 0, 0)]
    _must(libc.prctl(ctypes.c_int(option), *arguments), "prctl")


def become(uid: int) -> None:
    """Give up root for `uid`, keeping only the right to pass folders that are closed to others."""
    try:
        # Changing the user then keeps capabilities, and access(2), by which PostgreSQL looks for its own
        # programs, counts them.
        _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    except PermissionError:
        sys.stderr.write("No right to keep capabilities: the checkout must be open to other users.\n")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if _has_capabilities():
        _keep_only_dac_override()


def _has_capabilities() -> bool:
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) & 1 << CAP_DAC_OVERRIDE)


def _keep_only_dac_override() -> None:
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    kept = 1 << CAP_DAC_OVERRIDE
    # Two blocks of effective, permitted and inheritable sets: capabilities 0-31, then 32-63.
    sets = (ctypes.c_uint32 * 6)(kept, kept, kept, 0, 0, 0)
    _must(libc.capset(header, sets), "capset")
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE)


def main(argv: list[str]) -> None:
    parent, death_signal, uid, *command = argv
    if uid != "-":
        become(int(uid))
    # After the change of user, which clears it.
    _prctl(PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != int(parent):
        sys.exit("The parent has ended already.")
    os.execv(command[0], command)  # noqa: S606  the command is the supervisor's own


if __name__ == "__main__":
    main(sys.argv[1:])
