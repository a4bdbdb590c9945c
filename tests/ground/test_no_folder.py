"""Who mistypes a data folder's name is told so, and nothing is made there."""

import pytest
from click.testing import CliRunner

from boroughlink.cli import cli
from pipelines.faults import BoroughlinkError


@pytest.mark.parametrize("command", ["status", "serve", "doctor", "models", "audit verify", "release list"])
def test_a_missing_data_folder_is_named_and_not_made(command, tmp_path):
    told = CliRunner().invoke(cli, [*command.split(), "--data", str(tmp_path / "nowhere")])
    assert isinstance(told.exception, BoroughlinkError)
    assert "There is no data folder at" in str(told.exception)
    assert not (tmp_path / "nowhere").exists()
