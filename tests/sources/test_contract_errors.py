"""A contract with a mistake gives one error that names file, line and place, and says what to do."""

from pathlib import Path

import pytest

from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.contract_files import ContractError, load_contracts
from pipelines.sources.facts import FACTS
from synthetic_data.borough import RENDERERS
from tests.sources.library import CONTRACT, make_contract

MISTAKES = [
    ("owner: Libraries\n", "", 1, "owner: is missing"),
    ("refresh_days: 31\n", "", 1, "refresh_days: is missing"),
    ("retention_days: 365\n", "", 1, "retention_days: is missing"),
    ("retention_days: 365", "retention_days: many", 8, "retention_days: input should be a valid integer"),
    ("control: manifest", "control: sometimes", 10, "control"),
    ("steward: library@example.org", "steward: the librarian", 6, "steward: is no e-mail address"),
    ("level: person", "levle: person", 4, "levle"),
    (
        "personal: none}\n  - name: loan",
        "colour: red, personal: none}\n  - name: loan",
        25,
        "visits > colour: is not a word",
    ),
    ("{name: name, personal: name}", "{name: name}", 23, "borrower > columns > name > personal: is missing"),
    ("personal: birth_date", "personal: secret", 24, "born > personal"),
    ("{name: name, personal: name}", "{name: born, personal: name}", 24, "comes twice"),
    ("key: [card]", "key: [carrd]", 19, "names `carrd`"),
    ("    why: who borrows\n", "", 21, "has no reason"),
    ("name: [name], birth", "name: [nmae], birth", 20, "names `nmae`"),
    (
        "{name: loan, personal: identifier}",
        "{name: loan, personal: identifier, references: borrower.crad}",
        33,
        "borrower.crad",
    ),
    (
        "{name: loan, personal: identifier}",
        "{name: loan, personal: identifier, pattern: '('}",
        33,
        "regular expression",
    ),
    ('date_format: "%d/%m/%Y"\n', "", 23, "a date needs `date_format`"),
    ("system: Made up\n", "system: Made up\nsystem: Other\n", 4, "stated twice"),
    ("name: library\n", "name: libary\n", 1, "the folder is called `library`"),
    ("name: library\n", "name: lib'rary\n", 1, "use small letters, digits and _, a letter first"),
    ("title: Lending library", "title: [Lending", 3, "not valid YAML"),
    ("expires: 2030-01-01", "expires: some day", 13, "expires"),
    ("{name: since, ", "{name: order, ", 35, "`order` can't name a column here"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "says"), MISTAKES, ids=[mistake[3] for mistake in MISTAKES])
def test_mistake_is_told_with_its_line(tmp_path: Path, right: str, wrong: str, line: int, says: str) -> None:
    assert right in CONTRACT
    with pytest.raises(ContractError) as error:
        make_contract(tmp_path, CONTRACT.replace(right, wrong, 1))
    said = str(error.value)
    assert f"line {line}" in said
    assert "contract.yaml" in said
    assert says in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("added", "says"),
    [
        ("".join(f"{c}: &{c} [{', '.join([f'*{b}'] * 10)}]\n" for b, c in zip("abcdefgh", "bcdefghi", strict=True)),
         "an anchor within an anchor"),
        ("far: " + "[" * 20_000 + "]" * 20_000 + "\n", "too deep"),
        ("far: &far [*far]\n", "an anchor within an anchor"),
        ("run: !!python/object/apply:os.system ['true']\n", "a value that can't be"),
        ("? [a, b]\n: x\n", "a value that can't be"),
        ("until: 2026-99-99\n", "a value that can't be"),
        ("many: " + "9" * 10_000 + "\n", "a value that can't be"),
    ],
)  # fmt: skip
def test_what_unfolds_or_runs_or_cannot_be_is_a_mistake_with_its_line(tmp_path: Path, added: str, says: str) -> None:
    whole = "a: &a [x]\n" + CONTRACT if "*a" in added else CONTRACT
    with pytest.raises(ContractError, match=r"contract.yaml, line \d+") as error:
        make_contract(tmp_path, whole + added)
    assert says in str(error.value)


def test_no_contract_at_all(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="holds no contract"):
        load_contracts(tmp_path)


def test_sql_of_no_fact_is_a_mistake(tmp_path: Path) -> None:
    contract = make_contract(tmp_path)
    (contract.folder / "person.sql").write_text("SELECT 1")
    with pytest.raises(ContractError, match=r"person\.sql"):
        make_contract(tmp_path)


def test_persons_need_a_slot(tmp_path: Path) -> None:
    contract = make_contract(tmp_path)
    (contract.folder / "person_record.sql").write_text("SELECT 1")
    make_contract(tmp_path)
    with pytest.raises(ContractError, match=r"line 1\d.*no `slot`"):
        make_contract(tmp_path, CONTRACT.replace("    slot: {key: card, name: [name], birth_date: born}\n", ""))


def test_shipped_contracts_are_whole() -> None:
    contracts = load_contracts(SHIPPED_SOURCES)
    assert set(contracts) == set(RENDERERS)
    assert {fact for contract in contracts.values() for fact in contract.facts} == set(FACTS)
    for contract in contracts.values():
        assert all(column.why for table in contract.tables for column in table.columns)
        assert "data_quality" in contract.purposes
    for source in ("adult_social_care", "caretrak", "children_social_care", "schools", "youth_support"):
        assert "fraud" not in contracts[source].purposes
    assert "risk" not in contracts["electoral_register"].purposes
    assert "risk" not in contracts["deaths"].purposes
