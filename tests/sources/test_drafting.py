"""A contract drafted from a file of invented or public records is whole: what each column says of a person, a key."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.commit_point import Current
from pipelines.definitions import Place, execute
from pipelines.faults import BoroughlinkError
from pipelines.settings import DataFolder, write_settings
from pipelines.sources.contract_files import load_contract
from pipelines.sources.facts_build import build_fact
from pipelines.sources.intake import take_in
from pipelines.sources.shapes import Shape
from pipelines.stewardship.drafting import draft
from pipelines.stewardship.meanings import meanings_of
from pipelines.stewardship.proving import check
from pipelines.warehouse import Warehouse

DAY = date(2021, 6, 1)
VOTERS = (
    "first_name,midl_name,last_name,maiden_name,alias,age,sex,res_street_address,res_city_desc,zip_code,ssn,race_code\n"
    "ANN,B,LEE,POE,ROE,79,2,7 ELM RD,CARY,02738,123-45-6788,W\n"
    "BOB,,LEE,,,44,1,9 OAK LN,CARY,27381,,W\n"
    "BOB,,LEE,,,44,1,9 OAK LN,CARY,27381,,W\n"
)


def test_a_file_without_a_key_is_drafted_delivered_taken_in_and_mapped(
    wh: Warehouse, landing: Path, tmp_path: Path
) -> None:
    (tmp_path / "given.csv").write_text(VOTERS, encoding="utf-8")
    said = draft("voters", tmp_path / "given.csv", tmp_path / "mine", landing, DAY, synthetic=True)
    assert "the number of the row" in said and "run --sources" in said
    contract = load_contract(tmp_path / "mine" / "voters" / "contract.yaml")
    assert [intake.state for intake in take_in(wh, contract, landing, None)] == ["accepted"]
    for fact in contract.facts:
        assert build_fact(wh, fact, {"voters": contract}) == 3
    assert wh.rows(
        "SELECT source_key, forename, middle, surname, former_surname, birth_date, sex, person_number"
        " FROM identity.facts.person_record ORDER BY 1"
    ) == [
        ("1", "ANN", "B", "LEE", "POE ROE", date(1942, 1, 1), "F", "123-45-6788"),
        ("2", "BOB", None, "LEE", None, date(1977, 1, 1), "M", None),
        ("3", "BOB", None, "LEE", None, date(1977, 1, 1), "M", None),
    ]
    assert wh.rows("SELECT DISTINCT address_text, postcode FROM identity.facts.address ORDER BY 1") == [
        ("7 ELM RD, CARY", "02738"),
        ("9 OAK LN, CARY", "27381"),
    ]


AWKWARD = ["Order", "Group", "record_id", "备注", "1st line", "Phone No.", "Phone-No", "Any", "Forename", "Surname"]
AWKWARD += [f"{'How many of those who live with you ' * 2}{each}?" for each in ("work", "study")]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_headings_that_cannot_name_a_column_get_a_name_near_them(
    wh: Warehouse, landing: Path, tmp_path: Path, ending: str
) -> None:
    table = pl.DataFrame({heading: [f"{heading} {row}" for row in range(3)] for heading in AWKWARD})
    given = tmp_path / f"given.{ending}"
    table.write_csv(given) if ending == "csv" else table.write_excel(given)
    draft("odd", given, tmp_path / "mine", landing, DAY, synthetic=True)
    contract = load_contract(tmp_path / "mine" / "odd" / "contract.yaml")
    assert [each.name for each in contract.tables[0].columns] == AWKWARD
    staged = [each.staged for each in contract.tables[0].columns]
    seen = "column_order column_group column_record_id column_4 column_1st_line phone_no phone_no_7 column_any"
    assert staged[:8] == seen.split()
    assert len({*staged}) == len(AWKWARD)
    assert [intake.state for intake in take_in(wh, contract, landing, None)] == ["accepted"]


def test_a_column_of_dates_and_years_alone_is_drafted_and_taken_in_as_both(
    wh: Warehouse, landing: Path, tmp_path: Path
) -> None:
    born = [f"0{1 + day % 9}.02.1816" for day in range(20)] + ["1817"] * 4
    rows = [f"{place},Elín Jónsdóttir,{each},Hof" for place, each in enumerate(born, start=1)]
    (tmp_path / "given.csv").write_text("\n".join(["Nr,Nafn,Fæddur,Bær", *rows]), encoding="utf-8")
    draft("church_book", tmp_path / "given.csv", tmp_path / "mine", landing, DAY, synthetic=True)
    contract = load_contract(tmp_path / "mine" / "church_book" / "contract.yaml")
    assert [intake.state for intake in take_in(wh, contract, landing, None)] == ["accepted"]
    for fact in contract.facts:
        build_fact(wh, fact, {"church_book": contract})
    found = wh.rows("SELECT year(birth_date), count(*) FROM identity.facts.person_record GROUP BY ALL ORDER BY ALL")
    assert found == [(1816, 20), (1817, 4)]


def test_a_list_of_the_past_with_a_key_called_no_and_accented_headings_is_drafted_and_taken_in(
    wh: Warehouse, tmp_path: Path
) -> None:
    landing, given = tmp_path / "landing", tmp_path / "given.csv"
    given.write_text("No,Jméno,Příjmení,Pohlaví\n1,Jan,Novák,muž\n2,Anna,Nováková,žena\n", encoding="utf-8")
    draft("census", given, tmp_path / "mine", landing, date(1870, 12, 1), synthetic=True)
    contract = load_contract(tmp_path / "mine" / "census" / "contract.yaml")
    assert [each.staged for each in contract.tables[0].columns] == ["no", "jmeno", "prijmeni", "pohlavi"]
    assert [intake.state for intake in take_in(wh, contract, landing, None)] == ["accepted"]


def test_headings_in_other_letters_are_named_as_names_in_them_are(wh: Warehouse, tmp_path: Path) -> None:
    given = tmp_path / "given.csv"
    headings = "Nr,Fødselsdato,Straße,Æresnavn,Đorđe,Miejsce łąki,Þorp,Фамилия"
    given.write_text(f"{headings}\n1,1.2.1980,a,b,c,d,e,f\n", encoding="utf-8")
    draft("list", given, tmp_path / "mine", synthetic=True)
    staged = [each.staged for each in load_contract(tmp_path / "mine" / "list" / "contract.yaml").tables[0].columns]
    assert staged == ["nr", "fodselsdato", "strasse", "aeresnavn", "dorde", "miejsce_laki", "thorp", "familiya"]


@pytest.mark.parametrize(
    ("headings", "row", "said"),
    [
        ("编号,姓名,性别,出生日期,电话,地址", "7,王伟,男,1980-02-01,13912345678,北京市建国路9号",
         ("王伟", None, None, date(1980, 2, 1), "M")),
        ("الرقم,الإسم الاول,اسم العائلة,الجنس,تاريخ الميلاد", "7,سارة,المصري,أنثى,1980-02-01",
         (None, "سارة", "المصري", date(1980, 2, 1), "F")),
        ("č.,Jméno,Příjmení,Čp.", "7,Jan,Novák,12", (None, "Jan", "Novák", None, None)),
    ],
)  # fmt: skip
def test_headings_in_chinese_and_arabic_letters_say_what_they_are(
    wh: Warehouse, tmp_path: Path, headings: str, row: str, said: tuple[object, ...]
) -> None:
    given, landing = tmp_path / "given.csv", tmp_path / "landing"
    other = row.replace("7,", "8,", 1).replace("男", "女").replace("أنثى", "ذكر")
    given.write_text(f"{headings}\n{row}\n{other}\n", encoding="utf-8")
    draft("list", given, tmp_path / "mine", landing, DAY, synthetic=True)
    contract = load_contract(tmp_path / "mine" / "list" / "contract.yaml")
    maps = contract.tables[0].maps
    assert maps and maps.postcode is None
    assert [intake.state for intake in take_in(wh, contract, landing, None)] == ["accepted"]
    for fact in contract.facts:
        build_fact(wh, fact, {"list": contract})
    found = wh.rows(
        "SELECT name_text, forename, surname, birth_date, sex FROM identity.facts.person_record ORDER BY source_key"
    )
    assert found[0] == said


@pytest.mark.parametrize("written", ["%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%m-%d-%Y"])
def test_days_of_birth_written_as_in_east_asia_or_america_are_dates(
    wh: Warehouse, tmp_path: Path, written: str
) -> None:
    born = [date(1980, 2, day).strftime(written) for day in range(1, 29)]
    rows = "".join(f"{at},Ann,{each}\n" for at, each in enumerate(born))
    (tmp_path / "given.csv").write_text("id,name,born\n" + rows, encoding="utf-8")
    draft("list", tmp_path / "given.csv", tmp_path / "mine", tmp_path / "landing", DAY, synthetic=True)
    contract = load_contract(tmp_path / "mine" / "list" / "contract.yaml")
    assert [intake.state for intake in take_in(wh, contract, tmp_path / "landing", None)] == ["accepted"]
    build_fact(wh, "person_record", {"list": contract})
    days = "SELECT min(birth_date), max(birth_date), count(birth_date) FROM identity.facts.person_record"
    assert wh.rows(days) == [(date(1980, 2, 1), date(1980, 2, 28), 28)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id;name\n1;Ann\n".encode("utf-16"), "export it as UTF-8"),
        (b"Person;;Home\nid;name;street\n1;Ann;Elm Rd\n", "leave one line of names, and none above it"),
    ],
)
def test_a_sample_that_cannot_be_read_says_what_to_do(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "given.csv").write_bytes(content)
    with pytest.raises(BoroughlinkError, match=said):
        draft("list", tmp_path / "given.csv", tmp_path / "mine", synthetic=True)
    assert not (tmp_path / "mine").exists()


def test_a_table_that_maps_nothing_is_said_not_to_be_linked(tmp_path: Path) -> None:
    given, mine, landing = tmp_path / "given.csv", tmp_path / "mine", tmp_path / "landing"
    given.write_text("id,size\n1,big\n2,small\n", encoding="utf-8")
    draft("boxes", given, mine, landing, date(2026, 10, 1), synthetic=True)
    folder = DataFolder.at(tmp_path / "data").make()
    write_settings(folder, holds="synthetic", clock="2026-10-31", sources=str(mine), landing=str(landing))
    fine, said = check(folder, "boxes", str(mine), str(landing))
    assert not fine and "nothing of it will be linked: say which column is what in `maps`" in " ".join(said.said)
    assert execute(Place.of(folder.root, landing, mine), "test") == (True, [])
    run = Current.read(folder).published
    told = json.loads((folder.published / str(run) / "figures.json").read_text())["left_out"]
    assert any(gap["what"] == "All links of boxes" and "maps nothing" in gap["why"] for gap in told["rows"])
    assert "What this run made of these sources" in (folder.published / str(run) / "report.html").read_text()


def test_a_draft_of_a_council_s_file_stays_open_and_never_holds_a_value(tmp_path: Path) -> None:
    (tmp_path / "given.csv").write_text(VOTERS, encoding="utf-8")
    assert "Fill in by hand" in draft("voters", tmp_path / "given.csv", tmp_path / "mine")
    text = (tmp_path / "mine" / "voters" / "contract.yaml").read_text(encoding="utf-8")
    assert "# key: no column is unique" in text
    assert not [value for value in ("LEE", "CARY", "ELM", "27381", "6788") if value in text]
    with pytest.raises(BoroughlinkError, match="title: is empty"):
        load_contract(tmp_path / "mine" / "voters" / "contract.yaml")


@pytest.mark.parametrize(
    ("columns", "meanings"),
    [
        ("Given_Name surname dob:date soc_sec_id street_number address_1 suburb postcode state",
         "forename=given_name surname=surname birth_date=dob person_number=soc_sec_id"
         " address=street_number,address_1,suburb,state postcode=postcode"),
        ("first_name surname full_name dob:date birth_place postcode_fake gender occupation",
         "forename=first_name surname=surname birth_date=dob sex=gender birth_place=birth_place occupation=occupation"
         " postcode=postcode_fake"),
        ("fname_c1 fname_c2 lname_c1 by:integer bm:integer bd:integer person_id",
         "forename=fname_c1,fname_c2 surname=lname_c1 birth_date=by,bm,bd"),
        ("first_name middle_initial last_name age:integer street_number street_name unit_number city state zipcode sex",
         "forename=first_name middle=middle_initial surname=last_name age=age sex=sex"
         " address=street_number,street_name,unit_number,city,state postcode=zipcode"),
        ("fname lname byear:integer", "forename=fname surname=lname"),
        ("nom annee_naissance:integer lieu", "name_text=nom birth_year=annee_naissance address=lieu"),
        ("full_name birth_year:integer birth_month:integer birth_day:integer sex",
         "name_text=full_name birth_date=birth_year,birth_month,birth_day sex=sex"),
        ("nia nombre primer_apellido segundo_apellido sexo fecha_de_nacimiento:date domicilio código_postal municipio",
         "forename=nombre surname=primer_apellido,segundo_apellido birth_date=fecha_de_nacimiento sex=sexo"
         " address=domicilio,municipio postcode=código_postal"),
        ("prénom nom_de_famille date_naissance:date adresse code_postal ville", "forename=prénom surname=nom_de_famille"
         " birth_date=date_naissance address=adresse,ville postcode=code_postal"),
        ("jmeno prijmeni vek:integer pohlavi", "forename=jmeno surname=prijmeni age=vek sex=pohlavi"),
        ("stt ho ten_dem ten ngay_sinh:date gioi_tinh xa", "forename=ten middle=ten_dem surname=ho birth_date=ngay_sinh"
         " sex=gioi_tinh address=xa"),
        ("nr nafn fodurnafn kyn faedingarar:integer baer", "forename=nafn surname=fodurnafn birth_year=faedingarar"
         " sex=kyn address=baer"),
        ("nr nafn faeddur:date baer", "name_text=nafn birth_date=faeddur address=baer"),
        ("vorname nachname geburtsort strasse_und_hausnummer plz wohnort telefon", "forename=vorname surname=nachname"
         " phone=telefon birth_place=geburtsort address=strasse_und_hausnummer,wohnort postcode=plz"),
        ("first mi last dob:date ssn_last_4 mailing_address zip", "forename=first middle=mi surname=last birth_date=dob"
         " address=mailing_address postcode=zip"),
        ("schedule forename_s surname age:integer relation_to_head rank_profession_or_occupation", "forename=forename_s"
         " surname=surname age=age occupation=rank_profession_or_occupation"),
        ("name_of_beneficiary father_husband_name household_number village_name",
         "forename=name_of_beneficiary surname=father_husband_name"
         " address=household_number,village_name"),
        ("anrede name_des_teilnehmers anschrift postleitzahl e_mail_adresse", "title=anrede"
         " name_text=name_des_teilnehmers email=e_mail_adresse address=anschrift postcode=postleitzahl"),
        ("name_suffix_lbl last_name first_name", "forename=first_name surname=last_name,name_suffix_lbl"),
        ("voter_name suffix birth_year:integer", "name_text=voter_name,suffix birth_year=birth_year"),
        ("title manufacturer price:decimal", ""),
        ("id mothers_name mothers_dob:date", ""),
    ],
)  # fmt: skip
def test_what_names_of_columns_give_away(columns: str, meanings: str) -> None:
    shapes = {}
    for column in columns.lower().split():
        name, _, kind = column.partition(":")
        shapes[name] = Shape(kind or "text", "%Y-%m-%d" if kind == "date" else None, 9, 9, 9, 9)  # type: ignore[arg-type]
    wanted = {name: said.split(",") for name, said in (each.split("=") for each in meanings.split())}
    assert meanings_of(shapes) == wanted


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ("H M M", {"H": "male", "M": "female"}),  # hombre, mujer
        ("Mujer Hombre", {"Hombre": "male", "Mujer": "female"}),
        ("M W", {"M": "male", "W": "female"}),
        ("M F", None),
        ("M M", None),
        ("H X M", None),
    ],
)
def test_codes_of_a_sex_in_other_languages_are_stated(
    tmp_path: Path, values: str, codes: dict[str, str] | None
) -> None:
    rows = "".join(f"{at},Ana,{value}\n" for at, value in enumerate(values.split()))
    (tmp_path / "given.csv").write_text("id,nombre,sexo\n" + rows, encoding="utf-8")
    draft("list", tmp_path / "given.csv", tmp_path / "mine", tmp_path / "landing", DAY, synthetic=True)
    contract = load_contract(tmp_path / "mine" / "list" / "contract.yaml")
    assert contract.tables[0].columns[-1].codes == codes
