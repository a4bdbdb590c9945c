"""A setting that can't be is named, with its file."""

import pytest

from pipelines.faults import BoroughlinkError
from pipelines.settings import SETTINGS_FILE, DataFolder, load_settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"timezone: Nowhere/X", "setting `timezone`"),
        (b"memory_limit: lots", "setting `memory_limit`"),
        (b"nightly_at: '99:99'", "setting `nightly_at`"),
        (b"clock: 2026-99-99", "a value that can't be"),
        (b"roles: " + b"[" * 20_000 + b"]" * 20_000, "a value that can't be"),
    ],
)
def test_a_setting_that_cannot_be_is_named(tmp_path, text, said):
    folder = DataFolder.at(tmp_path / "data").make()
    (folder.root / SETTINGS_FILE).write_bytes(text)
    with pytest.raises(BoroughlinkError, match=said):
        load_settings(folder)


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("", "Southend-on-Sea City Council"),
        ("sources: /contracts\n", ""),
        ("sources: /contracts\ncouncil: Wyre\n", "Wyre"),
        ("council: Wyre\n", "Wyre"),
    ],
)
def test_no_council_heads_what_is_made_of_contracts_that_are_not_its_own(tmp_path, text, heading):
    folder = DataFolder.at(tmp_path / "data").make()
    (folder.root / SETTINGS_FILE).write_text(text)
    assert load_settings(folder).council == heading
