"""Connections that leave the machine, as two witnesses see them: Python's own audit hook in every process of a command
(listening_in/), and the kernel, whatever the language (`strace`).
"""

import ipaddress
import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

HOOK = Path(__file__).with_name("listening_in")
_CALLED = re.compile(r"\b(?:connect|sendto|sendmsg|sendmmsg)\(.*\bsa_family=AF_INET6?\b")
_PORT = re.compile(r"sin6?_port=htons\((\d+)\)")
_ADDRESS = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')


def noting(notes: Path) -> dict[str, str]:
    """What to add to a command's environment, so that its connections are refused and stand in the file."""
    path = os.pathsep.join(filter(None, [str(HOOK), os.environ.get("PYTHONPATH")]))
    return {"PYTHONPATH": path, "CONNECTIONS_NOTED_IN": str(notes)}


@cache
def no_strace() -> str | None:
    """Why the kernel can't be asked here; None if it can."""
    if not (strace := shutil.which("strace")):
        return "strace is not on this machine; .ci/run installs it"
    with tempfile.NamedTemporaryFile() as notes:
        tried = subprocess.run([*_strace(strace, notes.name), "true"], capture_output=True, check=False)
    return "strace may not look into processes here (ptrace is forbidden)" if tried.returncode else None


def before(notes: Path) -> list[str]:
    """Words to put before a command, so that the kernel's calls stand in the file; none where it can't be asked."""
    return [] if no_strace() else _strace("strace", str(notes))


def _strace(strace: str, notes: str) -> list[str]:
    return [
        strace, "-f", "--seccomp-bpf", "-qq", "-e", "signal=none", "-e", "trace=connect,sendto,sendmsg,sendmmsg",
        "-o", notes,
    ]  # fmt: skip


def leaving(notes: Path) -> list[str]:
    """The kernel's calls that leave the machine. A question to a name server does, though one listens on loopback."""
    found = []
    for line in notes.read_text(encoding="utf-8", errors="replace").splitlines():
        if not _CALLED.search(line):
            continue
        addresses = [ipaddress.ip_address(four or six) for four, six in _ADDRESS.findall(line)]
        home = addresses and all(each.is_loopback or each.is_unspecified for each in addresses)
        if not home or _PORT.findall(line) == ["53"]:
            found.append(line)
    return found
