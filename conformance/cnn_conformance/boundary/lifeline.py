"""Ending with the process that one was started by, however that ends, and without a core dump.

As a program, `lifeline.py PARENT COMMAND...` does so for a command that knows nothing of it.
"""

import os
import resource
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""


def end_with_parent(parent: int) -> None:
    """Be killed when the process `parent`, which started this one, ends; at once if it has. Linux only.

    Elsewhere a process notices at its next read from a pipe that the other end is gone.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


if __name__ == "__main__":
    end_with_parent(int(sys.argv[1]))
    try:
        os.execvp(sys.argv[2], sys.argv[2:])
    except OSError as error:
        sys.exit(f"{sys.argv[2]}: {error.strerror}")
