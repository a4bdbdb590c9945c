"""Files are written whole; what is no file is never replaced by one."""

import os
import threading

import pytest

from pipelines.faults import BoroughlinkError
from pipelines.settings import write_atomically


def test_a_file_is_replaced_whole_and_is_its_owners(tmp_path):
    file = tmp_path / "out.csv"
    file.write_text("before")
    write_atomically(file, b"after")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"after", 0o600)
    assert list(tmp_path.iterdir()) == [file]


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_atomically(pipe, b"content")
    reader.join(timeout=10)
    assert read == [b"content"]
    assert pipe.is_fifo()


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(BoroughlinkError, match="is a folder; name a file"):
        write_atomically(tmp_path, b"content")
