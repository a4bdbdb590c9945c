"""A process that has imported what commands import, and forks for each: the real command, without the seconds of its
start. Run as a script it is that process; `StandingBy` is the other end.
"""

import atexit
import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from boroughlink.cli import main

WHAT_A_RUN_IMPORTS = ("pipelines.definitions", "pipelines.running.job", "quality_checks.datasource")
PATIENCE = 600  # seconds


class StandingBy:
    """The process, seen from the tests."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        # -P: what lies beside this file is not to be imported by a command
        self.process = subprocess.Popen(
            [sys.executable, "-P", __file__], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(
        self, arguments: Sequence[str], cwd: Path | None, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run(["boroughlink", *arguments], capture_output=True, text=True)`."""
        assert self.process.stdin and self.process.stdout
        with tempfile.TemporaryDirectory() as told:
            said = [Path(told, name) for name in ("out", "err")]
            asked = {"arguments": arguments, "cwd": str(cwd or Path.cwd()), "environment": dict(environment)}
            self.process.stdin.write(json.dumps(asked | {"said": [str(path) for path in said]}) + "\n")
            self.process.stdin.flush()
            pid = int(self.process.stdout.readline())
            if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(list(arguments), PATIENCE)
            code = int(self.process.stdout.readline())
            return subprocess.CompletedProcess(list(arguments), code, *(path.read_text() for path in said))


def become(asked: dict) -> None:
    """Be in a forked process what the command would be in one of its own."""
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.modules["sitecustomize"]._NOTES = os.environ["CONNECTIONS_NOTED_IN"]  # where listening_in/ writes
    sys.argv = ["boroughlink", *asked["arguments"]]
    for stream, path in zip((sys.stdin, sys.stdout, sys.stderr), (os.devnull, *asked["said"]), strict=True):
        with Path(path).open("rb" if stream is sys.stdin else "wb") as file:
            os.dup2(file.fileno(), stream.fileno())


def run_and_leave() -> NoReturn:
    """Run, and end without the interpreter's own clearing away, which takes as long in a fork as a start saves."""
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def stand_by() -> None:
    for name in WHAT_A_RUN_IMPORTS:
        import_module(name)
    gc.freeze()  # a fork would copy all of it while it tidies
    for line in sys.stdin:
        if not (pid := os.fork()):
            become(json.loads(line))
            run_and_leave()
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    stand_by()
