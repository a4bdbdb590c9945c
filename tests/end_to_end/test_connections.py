"""No connection leaves the machine while a borough is made, landed, linked, released and its pages are read.

Every command of these tests runs with its connections in Python noted (conftest.py fails the test at one); here are
the kernel's calls, and the proof that both would notice.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.conftest import COMMAND, boroughlink, environment
from tests.end_to_end.connections import before, leaving, no_strace

FAR = "192.0.2.1"  # set aside for documentation: nobody is there (RFC 5737)
IN_PYTHON = {
    "a connection": f"import socket; socket.create_connection(('{FAR}', 9), 0.2)",
    "a look-up of a name": "import socket; socket.getaddrinfo('example.org', 443)",
    "a single message": f"import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('{FAR}', 9))",
    "a page": f"import httpx; httpx.get('http://{FAR}:9/', timeout=0.2)",
    "a process below": f"import subprocess, sys; subprocess.run([sys.executable, '-c', 'import urllib.request as u; "
    f"u.urlopen(chr(104) + \\'ttp://{FAR}:9\\', timeout=0.2)'], check=True)",
}
#: DuckDB's own C++, which asks Python nothing.
IN_NATIVE = f"""
import duckdb, duckdb_extension_httpfs, pathlib
con = duckdb.connect()
module = next(pathlib.Path(duckdb_extension_httpfs.__file__).parent.rglob('httpfs.duckdb_extension'))
con.execute(f"LOAD '{{module}}'; SET http_retries = 0; SET http_timeout = 1")
con.execute("SELECT * FROM read_text('http://{FAR}:9/x')")
"""
kernel = pytest.mark.skipif(no_strace() is not None, reason=str(no_strace()))


def python(code: str, notes: Path, watched: tuple[str, ...] = ()) -> int:
    run = [*watched, sys.executable, "-c", code]
    return subprocess.run(run, env=environment(notes), capture_output=True, timeout=60, check=False).returncode


@pytest.mark.parametrize("kind", IN_PYTHON)
def test_what_leaves_by_python_is_refused_and_noted(kind: str, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    assert python(IN_PYTHON[kind], notes) != 0
    assert "socket." in notes.read_text()


def test_what_stays_on_the_machine_is_let_through(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as here:
        port = here.getsockname()[1]
        assert python(f"import socket; socket.create_connection(('localhost', {port}), 5)", tmp_path / "notes") == 0
        assert python(f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)", tmp_path / "notes") == 0
    assert not (tmp_path / "notes").exists()


@kernel
def test_what_leaves_by_native_code_is_seen_by_the_kernel(tmp_path: Path) -> None:
    traced = tmp_path / "traced"
    assert python(IN_NATIVE, tmp_path / "notes", tuple(before(traced))) != 0
    assert not (tmp_path / "notes").exists()
    assert FAR in "".join(leaving(traced))
    traced.write_text(
        '1 connect(3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.53")}, 16) = 0\n'
        '1 connect(3, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("127.0.0.1")}, 16) = 0\n'
        '1 sendto(3, "x", 1, 0, {sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), '
        'inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0}, 28) = 1\n'
        '1 connect(3, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = 0\n'
    )
    assert [line.split("(")[0] for line in leaving(traced)] == ["1 connect", "1 sendto"]


@kernel
def test_a_whole_run_makes_no_connection_that_leaves(borough) -> None:
    assert borough.traced.is_file()
    assert leaving(borough.traced) == []


def test_reading_pages_makes_none_either(borough, tmp_path: Path) -> None:
    notes, traced = tmp_path / "notes", tmp_path / "traced"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *before(traced), *COMMAND, "serve", "--data", str(borough.data), "--port", str(port),
            "--user", "Ruth", "--role", "reviewer",
        ],
        env=environment(notes), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        home = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=home, headers={"origin": home}, follow_redirects=True, timeout=30) as reader:
            shown = _patiently(reader, "/sign-in", process)
            token = re.findall(r'name="csrf" value="([^"]+)"', shown)[0]
            reader.post("/sign-in", data={"csrf": token, "name": "Ruth"}).raise_for_status()
            assert "<form" in reader.get("/review/next").raise_for_status().text
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # strace alone would wait for the app
        process.wait(30)
    assert not notes.exists()
    assert no_strace() or leaving(traced) == []


def _patiently(reader: httpx.Client, path: str, process: "subprocess.Popen[bytes]") -> str:
    """A page of a server that is coming up."""
    for _ in range(600):
        assert process.poll() is None, "the app went away"
        try:
            return reader.get(path).raise_for_status().text
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the app did not come up")


@pytest.mark.prove
def test_without_any_network_a_run_of_all_sources_goes_well(landed, tmp_path: Path) -> None:
    """In a namespace of its own, without so much as loopback: whatever a run needs, it has."""
    apart = ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        pytest.skip("the kernel lets no user make a network of his own (user namespaces are off)")
    assert subprocess.run([*apart, sys.executable, "-c", IN_PYTHON["a connection"]], check=False).returncode
    boroughlink("run", "--data", tmp_path / "data", "--landing", landed / "landing", before=apart)
