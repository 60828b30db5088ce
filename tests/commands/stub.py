"""Stands where the engine starts a Python process: asks the server for a fork that has the modules loaded.

`python -I -S stub.py ADDRESS TARGET COMMAND [ARGUMENT...]`. The fork gets this process's inputs and outputs, arguments,
folder and environment. This process passes on the signals that it gets, and ends as the fork has ended. Where it is
killed, the fork is killed too; where its parent ends, so does the fork's. Without a server, or where the fork would
differ from a new process, it becomes COMMAND. It is started hundreds of times, so it imports next to nothing.
"""

import _socket
import os
import signal
import sys

_LOOK_SECONDS = 0.5
PARENT_ENDED = 0
"""Told to the server in a signal's place."""


def main() -> int:
    address, target, *command = sys.argv[1:]
    parent = os.getppid()
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        server.connect(address)
        descriptors = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
        server.sendmsg([b"+"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, descriptors)])
        orders = {
            "target": target,
            "arguments": command[1:],
            "path": os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),  # noqa: PTH100, PTH120
            "cwd": os.getcwd(),  # noqa: PTH109
            "environment": dict(os.environ),
            "group": True,
            "tied": True,
        }
        server.sendall(ascii(orders).encode() + b"\n")
        begun = _line(server)
    except OSError:
        begun = b""
    if not begun.isdigit():
        server.close()
        os.execv(command[0], command)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: _tell(server, number))
    server.settimeout(_LOOK_SECONDS)
    while True:
        try:
            ended = _line(server)
            break
        except TimeoutError:
            if os.getppid() != parent:
                _tell(server, PARENT_ENDED)
                return 0
    code = int(ended or -signal.SIGKILL)
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _line(server: _socket.socket) -> bytes:
    """The server sends short lines, each at once."""
    line = b""
    while not line.endswith(b"\n") and (more := server.recv(1)):
        line += more
    return line.strip()


def _tell(server: _socket.socket, number: int) -> None:
    try:  # noqa: SIM105 - `contextlib` takes longer to import than all the rest
        server.send(bytes([number]))
    except OSError:
        pass


if __name__ == "__main__":
    sys.exit(main())
