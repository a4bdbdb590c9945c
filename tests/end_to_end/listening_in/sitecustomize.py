"""Python imports this first in every process that a watched command starts: whatever would leave the machine is written
down, and refused. Only what asks Python for a connection passes here; `strace` sees the rest.
"""

import ipaddress
import os
import sys

_NOTES = os.environ["CONNECTIONS_NOTED_IN"]
_HOST_OF = {
    "socket.connect": lambda told: told[1],
    "socket.sendto": lambda told: told[1],
    "socket.sendmsg": lambda told: told[1],
    "socket.getaddrinfo": lambda told: told,
    "socket.gethostbyname": lambda told: told,
    "socket.gethostbyaddr": lambda told: told,
    "socket.getnameinfo": lambda told: told[0],
}


def _stays(address: object) -> bool:
    """Whether an address is a path, none (an open connection's own), or loopback."""
    host = address[0] if isinstance(address, tuple) else address
    if not isinstance(address, tuple) or host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name: to look it up leaves the machine


def _listen(event: str, told: tuple[object, ...]) -> None:
    if event in _HOST_OF and not _stays(_HOST_OF[event](told)):
        with open(_NOTES, "a", encoding="utf-8") as notes:  # noqa: PTH123 - nothing more is imported here than must be
            notes.write(f"{event} {_HOST_OF[event](told)!r} by {sys.argv[:3]}\n")
        raise ConnectionRefusedError(f"{event}: nothing may leave this machine")


sys.addaudithook(_listen)
