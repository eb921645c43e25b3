"""The leash: runs one command, and ends it with all it started once nobody holds the leash.

`python -m campaigns.local.leash COMMAND …`. Its standard input is the leash: the holder keeps the
other end of the pipe open and writes nothing. When that end closes, also because the holder was
killed with -9, or when the command ends, everything the command started is killed. SIGTERM,
SIGINT and SIGHUP are passed on to the command, which may then end in its own time. The exit code
is the command's, 128 + n if signal n ended it.
"""

import ctypes
import os
import select
import signal
import sys

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def main(command: list[str]) -> int:
    """Run `command` to its end or the leash's. Meant for a process of its own, leading a group."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    waking = _woken_by_signals()
    child = _started(command)
    for number in PASSED_ON:
        signal.signal(number, lambda received, _: os.kill(child, received))
    code = _watch(child, waking)
    for number in PASSED_ON:
        signal.signal(number, signal.SIG_IGN)
    _end_descendants()
    return code


def _woken_by_signals() -> int:
    """A descriptor that becomes readable when a signal arrives, so that one select sees all."""
    waking, woken = os.pipe()
    os.set_blocking(waking, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return waking


def _started(command: list[str]) -> int:
    child = os.fork()
    if child:
        return child
    # If the leash itself is killed with -9, the command goes too; its holder sees to the rest.
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.closerange(3, 256)
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    os._exit(127)


def _watch(child: int, waking: int) -> int:
    while True:
        readable, _, _ = select.select([0, waking], [], [])
        if 0 in readable and not os.read(0, 1024):
            return 0
        if waking in readable:
            os.read(waking, 1024)
        code = _reaped(child)
        if code is not None:
            return code


def _reaped(child: int) -> int | None:
    """The exit code of `child` if it has ended. Adopted strays that ended are forgotten here."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0
        if pid == 0:
            return None
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _end_descendants() -> None:
    """Kill whoever is left.

    Linux hands the children of the dead to us (we are their subreaper), so killing our children
    until there are none reaches even those that left the group. Elsewhere the group must do,
    and we are in it.
    """
    children = _children()
    if children is None:
        os.killpg(0, signal.SIGKILL)
    while children:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        for _ in children:
            os.wait()
        children = _children()


def _children() -> list[int] | None:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
            return [int(pid) for pid in children.read().split()]
    except OSError:
        return None


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
