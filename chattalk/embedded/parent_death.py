"""Ties a program to the process that started it, then becomes that program.

Linux ends a tied program when its parent dies, even by `kill -9`: nothing is left behind. It is a
program of its own because code between fork and exec of a process with threads may hang, and
because changing the user undoes the tie: so first the user, then the tie, then the program.

    python -I -S parent_death.py SIGNAL PARENT_PID USER PROGRAM [ARGUMENT …]   (USER "": as we are)
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1


def become(user: str) -> None:
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ["HOME"] = entry.pw_dir


def tie(signal_number: int, parent: int) -> None:
    """End with `signal_number` when the parent ends; at once if it has ended already."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        sys.exit("the process that started this one is gone")


def main() -> None:
    signal_number, parent, user, *command = sys.argv[1:]
    if user:
        become(user)
    tie(int(signal_number), int(parent))
    try:
        os.execv(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]} can't be run: {error.strerror}")


if __name__ == "__main__":
    main()
