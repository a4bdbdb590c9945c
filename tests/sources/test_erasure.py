"""Whoever is erased is in no table and no archived file, does not come back, and nobody else is touched."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from pipelines.sources.archive import Archive
from pipelines.sources.contracts import Contract
from pipelines.sources.erasure import Erased, drop_unread_values, erase, erase_archived, erase_numbered
from pipelines.sources.intake import FAULT, take_in
from pipelines.sources.slots import latest
from pipelines.warehouse import Warehouse
from tests.sources.library import deliver, head, make_contract

HEAD, KEY = "Card No,name,born,visits\n", b"s" * 32
FIRST, SECOND, THIRD, FOURTH = date(2026, 7, 31), date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31)
GONE = "1,GONE CANARY,01/02/1980,3\n"
LOANS = "loan,card,since\nL1CANARY,1,01/10/2026\nL2,2,01/10/2026\n"


def extract(borrowers: str, loans: str = LOANS) -> dict[str, bytes | str]:
    return {"borrower.csv": HEAD + borrowers, "loan.csv": loans}


def traces(wh: Warehouse, archive: Archive, of: str = "CANARY") -> list[str]:
    """Every table and archived file in which the text stands."""
    tables = wh.rows(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = 'identity' ORDER BY 1"
    )
    found = [
        name for (name,) in tables if any(of in row[0] for row in wh.rows(f"SELECT t::VARCHAR FROM identity.{name} t"))
    ]
    return found + [p.name for p in archive.folder.iterdir() if of.encode() in b"".join(archive.read(p.name))]


def people(wh: Warehouse, contract: Contract, table: str = "borrower", name: str = "name") -> list[tuple[object, ...]]:
    wh.execute("DROP SCHEMA IF EXISTS memory.latest CASCADE")
    return wh.rows(f"SELECT record_id, {name} FROM {latest(wh, contract, contract.table(table))} ORDER BY 1")


def gone(wh: Warehouse, contract: Contract, archive: Archive, records: Iterable[str]) -> Erased:
    """Erase as the command does: the warehouse, values that only archived files can place, the archive."""
    done = erase(wh, contract, records, KEY)
    drop_unread_values(wh, contract, archive, KEY)
    erase_archived(wh, contract, archive, KEY)
    return done


@pytest.fixture
def erased(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> list[tuple[object, ...]]:
    """Two extracts came in, and the borrower of card 1 was erased; the others as they were before."""
    deliver(landing, extract(GONE + "2,STAYS,,0\n"), SECOND)
    deliver(landing, extract(GONE.replace("3\n", "4\n") + "2,STAYS,,0\n3,NEW,,0\n"), THIRD)
    take_in(wh, library, landing, archive, suppression=KEY)
    before = [row for row in people(wh, library) if row[0] != "library:1#1"]
    assert traces(wh, archive)
    done = erase(wh, library, ["library:1#1", "other:1#1"], KEY)
    assert (done.rows, done.unknown) == ({"borrower": 2, "loan": 1}, [])
    assert erase_archived(wh, library, archive, KEY) == (3, 0)  # loan.csv came twice with the same bytes
    assert erase_archived(wh, library, archive, KEY) == (0, 0)
    return before


def test_no_trace_is_left_and_nobody_else_is_touched(
    wh: Warehouse, library: Contract, archive: Archive, erased: list[tuple[object, ...]]
) -> None:
    assert traces(wh, archive) == []
    assert people(wh, library) == erased
    held = wh.rows("SELECT t::VARCHAR FROM identity.meta.suppressed t")
    assert held
    assert all("CANARY" not in row[0] and "1980" not in row[0] for row in held)


def test_the_same_extracts_do_not_bring_the_person_back(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive, erased: list[tuple[object, ...]]
) -> None:
    deliver(landing, extract(GONE + "2,STAYS,,0\n3,NEW,,0\n"), FOURTH)
    (done,) = [each for each in take_in(wh, library, landing, archive, suppression=KEY) if each.extract_date == FOURTH]
    assert done.state == "accepted"
    assert done.rows == {"borrower": 2, "loan": 1}
    assert traces(wh, archive) == []
    assert [row[0] for row in people(wh, library)] == ["library:2#1", "library:3#1"]


def test_a_set_aside_row_does_not_bring_the_person_back(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive, erased: list[tuple[object, ...]]
) -> None:
    """Set aside for want of a key or because the key comes twice; and a value that can't be read."""
    lines = "2,STAYS,,0\n2,OTHER,,x2\n,GONE CANARY,01/02/1980,1\n1,GONE CANARY,01/02/1980,CANARY2\n" + GONE
    deliver(landing, extract(lines), FOURTH)
    take_in(wh, library, landing, archive, suppression=KEY)
    assert traces(wh, archive) == []
    assert wh.rows(f"SELECT count(*) FROM {FAULT} WHERE kind = 'row' AND contains(row_text, 'OTHER')") == [(1,)]


def test_another_key_suppresses_nobody(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive, erased: list[tuple[object, ...]]
) -> None:
    deliver(landing, extract(GONE), FOURTH)
    take_in(wh, library, landing, archive, suppression=b"o" * 32)
    assert traces(wh, archive)


ANN, BEN, CAT, DAN = "ANN ARKWRIGHT", "BEN BOOTHROYD", "CAT CLUTTERBUCK", "DAN DRINKWATER"
BORN = {ANN: "01/01/1950", BEN: "02/02/1960", CAT: "03/03/1970", DAN: "04/04/1990"}


@pytest.fixture
def slot(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> list[str]:
    """Card 7, held by Ann, Ben and Cat one after another; the second extract set rows of Ben and Cat aside."""
    aside = f"7,{CAT},{BORN[CAT]},8\n"
    for day, name, more in ((FIRST, ANN, ""), (SECOND, BEN, aside), (THIRD, CAT, "")):
        deliver(landing, extract(f"7,{name},{BORN[name]},0\n2,STAYS,,0\n{more}", "loan,card,since\n"), day)
    take_in(wh, library, landing, archive, suppression=KEY)
    holders = [record for record, name in people(wh, library) if name != "STAYS"]
    assert holders == ["library:7#1", "library:7#2", "library:7#3"]
    return [ANN, BEN, CAT]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_whoever_held_a_slot_goes_and_its_other_holders_keep_everything(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive, slot: list[str], which: int
) -> None:
    before = {row[1]: row[0] for row in people(wh, library)}
    others = [name for place, name in enumerate(slot) if place != which]
    held = {name: traces(wh, archive, name) for name in others}
    gone(wh, library, archive, [f"library:7#{which + 1}"])
    assert traces(wh, archive, slot[which]) == []
    assert {row[1]: row[0] for row in people(wh, library)} == {n: r for n, r in before.items() if n != slot[which]}
    assert {name: traces(wh, archive, name) for name in others} == held
    deliver(landing, extract(f"7,{DAN},{BORN[DAN]},0\n2,STAYS,,0\n", "loan,card,since\n"), FOURTH)
    take_in(wh, library, landing, archive, suppression=KEY)
    now = {row[1]: row[0] for row in people(wh, library)}
    assert now == {n: r for n, r in before.items() if n != slot[which]} | {DAN: "library:7#4"}


def test_all_holders_of_a_slot_go_one_by_one_and_its_key_with_the_last(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive
) -> None:
    for day, name in ((FIRST, ANN), (SECOND, BEN)):
        deliver(landing, extract(f"CARD77,{name},{BORN[name]},0\n2,STAYS,,0\n", "loan,card,since\n"), day)
    take_in(wh, library, landing, archive, suppression=KEY)
    gone(wh, library, archive, ["library:CARD77#1"])
    assert traces(wh, archive, "CARD77")
    gone(wh, library, archive, ["library:CARD77#2"])
    assert traces(wh, archive, "CARD77") == []
    assert people(wh, library) == [("library:2#1", "STAYS")]
    assert gone(wh, library, archive, ["library:CARD77#1"]).unknown == ["library:CARD77#1"]
    # neither comes back, and who is new takes the next number: nobody's record id is ever another's
    deliver(landing, extract(f"CARD77,{BEN},{BORN[BEN]},0\n2,STAYS,,0\n", "loan,card,since\n"), THIRD)
    deliver(landing, extract(f"CARD77,{CAT},{BORN[CAT]},0\n2,STAYS,,0\n", "loan,card,since\nL5,CARD77,\n"), FOURTH)
    take_in(wh, library, landing, archive, suppression=KEY)
    assert people(wh, library) == [("library:2#1", "STAYS"), ("library:CARD77#3", CAT)]
    assert [row[0] for row in wh.rows("SELECT loan FROM identity.staged.library__loan WHERE valid_to IS NULL")] == [
        "L5"
    ]
    gone(wh, library, archive, ["library:CARD77#3"])
    deliver(landing, extract(f"CARD77,{DAN},{BORN[DAN]},0\n", "loan,card,since\n"), date(2026, 11, 20))
    take_in(wh, library, landing, archive, suppression=KEY)
    assert ("library:CARD77#4", DAN) in people(wh, library)


def test_the_other_rows_of_an_archived_file_stay_byte_for_byte_and_keep_their_numbers(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive
) -> None:
    lines = ["2,STAYS,,0\n", f"7,{ANN},{BORN[ANN]},x1\n", '8,"TWO\nLINES",,0\n', f"9,{BEN},{BORN[BEN]},x2\n"]
    deliver(landing, extract("".join(lines), "loan,card,since\n"), FIRST, rows={"borrower.csv": 4, "loan.csv": 0})
    take_in(wh, library, landing, archive, suppression=KEY)
    assert wh.rows(f"SELECT value FROM {FAULT} ORDER BY 1") == [("x1",), ("x2",)]
    gone(wh, library, archive, ["library:7#1"])
    assert wh.rows(f"SELECT value FROM {FAULT} ORDER BY 1") == [("x2",)]
    lines[1] = ",,,\n"
    contents = [b"".join(archive.read(p.name)) for p in archive.folder.iterdir()]
    assert (HEAD + "".join(lines)).encode() in contents
    gone(wh, library, archive, ["library:9#1"])
    assert wh.rows(f"SELECT value FROM {FAULT}") == []


def test_a_line_that_could_not_be_split_goes_by_key_and_name(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive
) -> None:
    lines = f"7,{ANN},{BORN[ANN]},0\n7,{ANN},{BORN[ANN]},0,CANARY\n7,{BEN},{BORN[BEN]},0,more\n2,STAYS,,0\n"
    deliver(landing, extract(lines, "loan,card,since\n"), FIRST)
    take_in(wh, library, landing, archive, suppression=KEY)
    gone(wh, library, archive, ["library:7#1"])
    assert [row[0] for row in wh.rows(f"SELECT row_text FROM {FAULT}")] == [f"7,{BEN},{BORN[BEN]},0,more"]


CLUB = (
    head("club", "A club of households", "Households and who is in them.")
    + """\
tables:
  - name: household
    file: household.csv
    grain: one household
    why: who pays
    key: [house]
    columns:
      - {name: house, personal: identifier}
      - {name: payer, personal: name}
      - {name: payer_no, personal: identifier}
      - {name: phone, personal: contact}
      - {name: fee, type: integer, personal: none}
  - name: member
    file: member.csv
    grain: one member
    why: who comes
    key: [house, place]
    slot: {key: [house, place], name: [forename, surname], birth_date: born}
    columns:
      - {name: house, personal: identifier}
      - {name: place, personal: none}
      - {name: number, personal: identifier}
      - {name: forename, personal: name}
      - {name: surname, personal: name}
      - {name: born, type: date, personal: birth_date}
      - {name: phone, personal: contact}
  - name: locker
    file: locker.csv
    grain: one locker
    why: who has it
    key: [locker]
    columns:
      - {name: locker, personal: identifier}
      - {name: house, personal: identifier}
  - name: rent
    file: rent.csv
    grain: the rent of one locker
    why: what is owed
    key: [locker]
    columns:
      - {name: locker, personal: identifier, references: locker.locker}
      - {name: owed, type: integer, personal: sensitive}
"""
)
HOUSE, MEMBER = "house,payer,payer_no,phone,fee\n", "house,place,number,forename,surname,born,phone\n"


def club_of(day: int) -> dict[str, str | bytes]:
    return {
        "household.csv": HOUSE + f"H1,A CANARY,N1CANARY,0700 900001,{day}\nH2,B CANARY,N9,0700 900009,1\n",
        "member.csv": MEMBER + "H1,1,N1CANARY,ANNE,CANARY,01/01/1950,0700 900001\nH1,2,N2,BEN,CANARY,02/02/1960,\n"
        "H2,1,N9,BERT,CANARY,05/05/1955,0700 900009\n",
        "locker.csv": "locker,house\nK1,H1\nK2CANARY,H2\n",
        "rent.csv": "locker,owed\nK1,1\nK2CANARY,2\n",
    }


def test_a_row_that_others_share_loses_what_is_the_persons_and_stays(
    wh: Warehouse, tmp_path: Path, landing: Path, archive: Archive
) -> None:
    club = make_contract(tmp_path, CLUB, "club")
    for day, stands in ((FIRST, 1), (SECOND, 2)):
        deliver(landing, club_of(stands), day, source="club")
    take_in(wh, club, landing, archive, suppression=KEY)
    done = gone(wh, club, archive, ["club:H1/1#1"])
    assert (done.rows, done.emptied) == ({"member": 1}, {"household": 2})
    asked = "SELECT house, payer, payer_no, phone, fee FROM identity.staged.club__household WHERE valid_to IS NULL"
    stands = [("H1", None, None, None, 2), ("H2", "B CANARY", "N9", "0700 900009", 1)]
    assert wh.rows(f"{asked} ORDER BY 1") == stands
    for text in ("N1CANARY", "0700 900001", "A CANARY"):
        assert traces(wh, archive, text) == [], text
    deliver(landing, club_of(2), THIRD)
    take_in(wh, club, landing, archive, suppression=KEY)
    assert wh.rows(f"{asked} ORDER BY 1") == stands
    assert wh.rows("SELECT count(*) FROM identity.staged.club__household") == [(3,)]  # no change was seen
    for text in ("N1CANARY", "0700 900001", "A CANARY"):
        assert traces(wh, archive, text) == [], text
    assert [row[0] for row in people(wh, club, "member", "surname")] == ["club:H1/2#1", "club:H2/1#1"]


def test_what_is_theirs_through_a_row_that_is_theirs_goes_too(
    wh: Warehouse, tmp_path: Path, landing: Path, archive: Archive
) -> None:
    club = make_contract(tmp_path, CLUB, "club")
    deliver(landing, club_of(1), FIRST, source="club")
    take_in(wh, club, landing, archive, suppression=KEY)
    done = gone(wh, club, archive, ["club:H2/1#1"])
    assert done.rows == {"household": 1, "member": 1, "locker": 1, "rent": 1}
    assert traces(wh, archive, "K2CANARY") == traces(wh, archive, "N9") == []
    deliver(landing, club_of(2), SECOND, source="club")
    take_in(wh, club, landing, archive, suppression=KEY)
    assert traces(wh, archive, "K2CANARY") == traces(wh, archive, "N9") == []
    # a newcomer to the household has the locker again
    newcomer = club_of(3)
    newcomer["member.csv"] = str(newcomer["member.csv"]).replace("N9,BERT,CANARY,05/05/1955", "N8,CLEO,NEW,06/06/1966")
    deliver(landing, newcomer, THIRD, source="club")
    take_in(wh, club, landing, archive, suppression=KEY)
    assert ("K2CANARY", 2) in wh.rows("SELECT locker, owed FROM identity.staged.club__rent")
    assert ("club:H2/1#2", "NEW") in people(wh, club, "member", "surname")
    assert traces(wh, archive, "N9") == []


NAMELESS = (
    head("care", "Care of children who are not named", "Children by number.")
    + """\
tables:
  - name: child
    file: child.csv
    grain: one child
    why: who is helped
    key: [child]
    columns:
      - {name: child, personal: identifier}
      - {name: upn, personal: identifier}
  - name: need
    file: need.csv
    grain: one need
    why: what for
    key: [child, since]
    columns:
      - {name: child, personal: identifier}
      - {name: since, type: date, personal: sensitive}
"""
)


def test_of_a_source_that_names_nobody_what_a_number_leads_to_goes(
    wh: Warehouse, tmp_path: Path, landing: Path, archive: Archive
) -> None:
    care = make_contract(tmp_path, NAMELESS, "care")
    files = {
        "child.csv": "child,upn\nC1CANARY,A 123\nC2,B456\n",
        "need.csv": "child,since\nC1CANARY,01/02/2026\nC2,01/03/2026\n",
    }
    deliver(landing, files, FIRST, source="care")
    take_in(wh, care, landing, archive, suppression=KEY)
    assert not erase_numbered(wh, care, ["Z999"], KEY).rows
    assert erase_numbered(wh, care, ["A123"], KEY).rows == {"child": 1, "need": 1}
    assert erase_archived(wh, care, archive, KEY) == (2, 0)
    assert traces(wh, archive) == []
    deliver(landing, files, SECOND, source="care")
    take_in(wh, care, landing, archive, suppression=KEY)
    assert traces(wh, archive) == []
    assert wh.rows("SELECT child FROM identity.staged.care__need") == [("C2",)]


TWICE = (
    head("clients", "Clients, and what was done for them", "The same people in two tables.")
    + """\
tables:
  - name: event
    file: event.csv
    grain: one event
    why: what was done
    key: [event]
    slot: {key: [client], name: [name], birth_date: born}
    columns:
      - {name: event, personal: identifier}
      - {name: client, personal: identifier}
      - {name: name, personal: name}
      - {name: born, type: date, personal: birth_date}
  - name: person
    file: person.csv
    grain: one client
    why: who they are
    key: [client]
    slot: {key: [client], name: [name], birth_date: born}
    columns:
      - {name: client, personal: identifier}
      - {name: name, personal: name}
      - {name: born, type: date, personal: birth_date}
"""
)


def test_a_person_under_another_number_in_another_table_is_the_same_person(
    wh: Warehouse, tmp_path: Path, landing: Path, archive: Archive
) -> None:
    """Ben sat under the key before Ann, but only events say so: in the table of persons Ann is the first."""
    clients = make_contract(tmp_path, TWICE, "clients")
    ann, ben = f"{ANN},{BORN[ANN]}", f"{BEN},{BORN[BEN]}"
    person = f"client,name,born\n7,{ann}\n"
    for day, events in ((FIRST, f"E1,7,{ben}\n"), (SECOND, f"E2,7,{ann}\n")):
        files = {"event.csv": "event,client,name,born\n" + events, "person.csv": person}
        deliver(landing, files, day, source="clients")
    take_in(wh, clients, landing, archive, suppression=KEY)
    assert people(wh, clients, "person") == [("clients:7#1", ANN)]
    gone(wh, clients, archive, ["clients:7#1"])
    assert traces(wh, archive, ANN) == []
    assert people(wh, clients, "event") == [("clients:7#1", BEN)]
