"""What the names of columns give away: how personal each is, and what it tells of a person."""

import re
import unicodedata
from collections.abc import Mapping

from pipelines.sources.contracts import PersonalClass
from pipelines.sources.person_map import PersonMap
from pipelines.sources.shapes import Shape

#: How personal, the strictest first; what none fits is free text until somebody says otherwise.
_PERSONAL: tuple[tuple[PersonalClass, str], ...] = (
    (
        "sensitive",
        r"ethnic|(^|_)race|relig|disab|health|diagnos|sexual|gender|^sex|offen|conviction|nationality|asylum|benefit",
    ),
    (
        "birth_date",
        r"birth_?(date|day|year|month)|date_of_birth|dob|born|^yob$|^age$|fecha_(de_)?nac|naissance|nascita|nascimento"
        r"|geburt|geboorte|^edad$",
    ),
    ("contact", r"phone|mobile|tel($|_)|e?.?mail"),
    ("identifier", r"(^|_)id$"),
    (
        "address",
        r"addr|street|post.?code|postal|pcode|(^|_)zip|town|city|suburb|county|state(_|$)|house|flat|uprn|usrn|urn$"
        r"|locality|direcci|domicilio|^calle|municipio|poblaci|localidad|provincia|codigo_postal|^cp$|endereco|morada"
        r"|indirizzo|adresse|strasse|straat|anschrift|^plz$|postleitzahl|^ville$|^ort$",
    ),
    (
        "identifier",
        r"nino|ni_no|nhs|upn|uln|passport|ssn|soc_?sec|social_sec|(^|_)(id|ref|no|num|number|key|code|card)$|reference"
        r"|account",
    ),
    (
        "name",
        r"name|(^|_)title|initial|alias|nombre|apellido|nom$|prenom|cognome|nome$|sobrenome|naam|^(gen(eration(al)?)?_?)?suffix(_lbl)?$",
    ),
    ("free_text", r"note|comment|remark|descr|reason|detail|text"),
)

#: What of the person, by the whole name of a column; several columns of one meaning stand in the order of the file.
_MEANINGS = {
    "forename": r"(first|fore|given|christian)(_?n(a?me?|m)s?)?(_?\d)?|f_?name(_c?\d)?"
    r"|prenoms?|vornamen?|voornaam|nombres?|nome_proprio|jmeno|imie|imiona|fornavne?|fornamn"
    r"|ten|eiginnafn|etunimi",
    "middle": r"(mid(dle|l)?|second|other_given)(_?(n(a?me?|m)s?|init(ial)?s?))?|m_?name"
    r"|ten_(dem|lot)|millinafn|mi",
    "surname": r"(sur|last|family)(_?n(a?me?|m)s?)?(_?\d)?|l_?name(_c?\d)?"
    r"|nachname|familienname|achternaam|apellidos?(_?\d)?|(primer|segundo)_apellido|nom_(de_)?famille"
    r"|cognome|sobrenome|apelidos?|prijmeni|nazwisko|efternavn|etternavn|efternamn"
    r"|ho|fodurnafn|kenninafn|sukunimi|apellido_(paterno|materno)",
    "name_text": r"(full|whole|person|resident|patient|voter|member|customer|client|pupil|student|child|passenger)?"
    r"_?names?(_of_person)?|nom|naam|nome|name_text"
    r"|names?_of_(the_)?[a-z]+|name_de[sr]_[a-z]+|ho_(va_)?ten|nafn|(elector|applicant|beneficiary)_?s?_?name|nombre_completo|nombre_y_apellidos",
    "former_surname": r"(maiden|birth|previous|former|married|prior)_?(sur|last_?|family_?)?name|nee|alias(es)?(_.*)?"
    r"|also_known_as|aka",
    "title": r"title|salutation|honorific|anrede|name_?(prefix|title)|prefix",
    "birth_date": r"(d_?o_?b|b_?day|(date_of_|day_of_)?birth(_?da(te|y))?|born(_on)?|birth_?dt|geburtsdatum"
    r"|geboortedatum|date_(de_)?naissance|fecha_(de_)?nac(imiento)?|data_(di_)?nascita|data_(de_)?nascimento"
    r"|datum_narozeni|data_urodzenia|fodelsedatum)(_.*)?"
    r"|(ngay_(thang_nam_)?sinh|faeddur|faedingardagur|syntymaaika)",
    "birth_year": r"y_?o_?b|year_(of_birth|born)|(birth|born)_?(year|yr)|annee_(de_)?naissance|geburtsjahr"
    r"|geboortejaar"
    r"|nam_sinh|faedingarar|syntymavuosi|rok_(narozeni|urodzenia)|ano_(de_)?nac(imiento)?",
    "age": r"(birth_)?age(_(years?|yrs|at_.*|in_years?|last_birthday))?|years_old|alter|leeftijd|edad"
    r"|eta|idade|vek|wiek"
    r"|tuoi|aldur|ika|alder",
    "sex": r"(sex|gender)(_(code|cd|desc|at_birth))?|geschlecht|geslacht|sexe|sexo|sesso|pohlavi|plec"
    r"|gioi_tinh|kyn|sukupuoli|kon|kjonn",
    "death_date": r"d_?o_?d|date_of_death|death_?date|died(_on)?",
    "nino": r"nino|ni_(no|num|number)|national_insurance(_(no|number))?",
    "nhs_number": r"nhs(_(no|num|number))?",
    "person_number": r"s_?s_?n|soc(ial)?_?sec(urity)?(_?(id|no|num|number|nbr))?|passport(_(no|number))?"
    r"|(national|citizen|identity)_(id|no|number|code)|personal_(no|number|code)|medicare(_(no|number))?|medical_record_(no|number)",
    "phone": r"(full_|home_|mobile_?|cell_|work_|tele)?(phone|tel|mobile|cell)(_?(no|num|number))?(_?1)?"
    r"|(so_)?dien_thoai|telefon(o|nummer)?|telefone|mobil|movil|celular|puhelin",
    "email": r"e_?mail(_?(addr(ess)?|adresse?))?(_?1)?",
    "birth_place": r"birth_?place|place_of_birth|pob|born_(in|at)|(town|city|parish|county|country|state)_of_birth"
    r"|birth_(town|city|parish|county|country|state)"
    r"|lugar_(de_)?nac(imiento)?|lieu_(de_)?naissance|luogo_(di_)?nascita|geburtsort|rodiste|miejsce_urodzenia|fode(sted|ort)|noi_sinh|where_born",
    "occupation": r"(rank_)?(profession_or_)?occupations?|profession|job(_title)?|trade|beruf"
    r"|povolani|zawod|ocupacion|profesion|oficio|professione|profissao|erhverv|yrke|nghe_nghiep",
    "postcode": r"(res_|residen(ce|tial)_|home_)?(post_?codes?|postal_?code|pcode|zip(_?code)?|plz|postleitzahl)(_.*)?"
    r"|(codigo|code|cod)_postal|cp|cap|cep",
    "uprn": r"uprn",
    "address": r"(res_|residen(ce|tial)_|home_|street_|postal_|house_|mailing_)?addr(ess)?(_?(line)?_?\d)?"
    r"|(house|household|flat|door|street|apartment|apt|unit|building)(_?(no|num|number|name|type|nbr|address))?|addr_.*|street_.*|house_.*|(res_)?street(_address)?|res_street_address"
    r"|(res_|residen(ce|tial)_|home_)?(suburb|town|city|locality|village|parish|county|state|province)(_(name|desc|cd|code))?"
    r"|anschrift|strasse|straat|rue|ville|ort|woonplaats|plaats|lieu|adresse|direccion|domicilio|calle|municipio|poblacion|localidad"
    r"|provincia|indirizzo|comune|endereco|morada|localidade"
    r"|commune|tehsil|taluka|mandal|xa|phuong|quan|huyen|tinh|dia_chi|thon|baer|heimili|obec|ulice|wohnort|haus(nummer|nr)|strasse_(und_|u_)?(hausnummer|hausnr|hnr|nr)|kommune|gade|gata|barrio|parroquia",
}
#: Jr and Sr in a column of their own belong behind the family name, whatever stands first in the file.
_SUFFIX = re.compile(r"(name_?|gen(eration(al)?)?_?)?suffix(_lbl)?")
#: Of "Forename(s)".
_NAMES = re.compile("_s$")
_NAME = re.compile(r"names?|nome|nafn")
_FATHER_OR_HUSBAND = re.compile(r"(name_of_)?father(_?s)?_(or_)?husband(_?s)?(_name)?")
_NUMBERS = ("birth_year", "age")
_DATES = ("birth_date", "death_date")
_PARTS = tuple(
    re.compile(rf"(d_?o_?b|birth|born|b)_?{part}|{part}_?(of_birth|of_dob|birth|born)")
    for part in ("y(ea)?r?", "m(onth)?", "d(ay)?")
)


def class_of(staged: str) -> PersonalClass | None:
    """How personal a column is by its name; None where that does not show."""
    return next((kind for kind, pattern in _PERSONAL if re.search(pattern, without_accents(staged))), None)


#: Headings that are lost when written in Latin letters (or that then mean something else), as `in_english` knows them.
_TRANSLATED = {
    "full_name": "姓名 名字 全名 患者姓名 客户姓名 学生姓名 氏名 名前 이름 성명"
    " الاسم الاسم_الكامل الاسم_الرباعي الاسم_الثلاثي",
    "forename": "名 الاسم_الأول الاسم_الشخصي",
    "middle_name": "اسم_الأب الاسم_الأوسط",
    "surname": "姓 姓氏 اسم_العائلة اللقب الكنية",
    "former_name": "曾用名",
    "sex": "性别 性別 성별 الجنس النوع",
    "birth_date": "出生日期 出生年月日 出生年月 生日 生年月日 생년월일 تاريخ_الميلاد",
    "birth_year": "出生年份 出生年 سنة_الميلاد",
    "age": "年龄 年齡 年齢 나이 العمر السن",
    "phone": "电话 電話 电话号码 電話號碼 電話番号 手机 手机号 手机号码 联系电话 전화번호"
    " الهاتف رقم_الهاتف الجوال رقم_الجوال الموبايل",
    "email": "邮箱 电子邮箱 电子邮件 電子郵件 البريد_الإلكتروني",
    "national_id_no": "身份证 身份证号 身份证号码 公民身份号码 الرقم_القومي الرقم_الوطني رقم_الهوية",
    "birth_place": "出生地 籍贯 مكان_الميلاد",
    "occupation": "职业 職業 직업 المهنة",
    "postcode": "邮编 邮政编码 郵遞區號 郵便番号 우편번호 الرمز_البريدي",
    "address": "地址 住址 家庭住址 家庭地址 通讯地址 住所 주소 العنوان عنوان_السكن",
    "city": "城市 المدينة",
    "village": "村 القرية",
    "street": "街道 الشارع",
    "record_no": "编号 序号 病历号 番号 번호 الرقم رقم_الملف رقم_السجل",
    "house_number": "čp č_p číslo_popisné",
}


def _plain(heading: str) -> str:
    """A heading without the signs and the marks of alef, ya and ta marbuta that writers leave out."""
    words = re.sub(r"[\W_]+", "_", unicodedata.normalize("NFKC", heading).lower()).strip("_")
    return words.translate(str.maketrans("أإآةى", "اااهي"))


_ENGLISH = {_plain(heading): english for english, headings in _TRANSLATED.items() for heading in headings.split()}


def in_english(heading: str) -> str:
    """A heading in Chinese, Arabic, Japanese or Korean letters in English words, where it is known; else as it is."""
    return _ENGLISH.get(_plain(heading), heading)


#: Letters that are no other letter with a mark.
_LETTERS = str.maketrans({"đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "ß": "ss", "ı": "i"})


def without_accents(text: str) -> str:
    text = text.lower().translate(_LETTERS)
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))


def meanings_of(shapes: Mapping[str, Shape]) -> dict[str, list[str]]:
    """What `maps` may say of columns with these names and shapes: meaning -> columns. Empty where no name shows."""
    found: dict[str, list[str]] = {}
    held = {staged: shape for staged, shape in shapes.items() if shape.filled}
    if parts := _three_parts(held):
        found["birth_date"] = parts
    for staged, shape in held.items():
        for meaning, pattern in _MEANINGS.items():
            if (
                re.fullmatch(pattern, _NAMES.sub("s", without_accents(staged)))
                and staged not in parts
                and _suits(meaning, shape)
            ):
                if not found.get(meaning) or _takes_many(meaning):
                    found.setdefault(meaning, []).append(staged)
                break
    if found.get("surname") or found.get("forename"):
        whole = found.pop("name_text", [])
        # a column called no more than `name` beside the surname holds the rest
        if "forename" not in found and (rest := [each for each in whole if _NAME.fullmatch(without_accents(each))]):
            found["forename"] = rest
    if found.get("name_text") and (of := [each for each in held if _FATHER_OR_HUSBAND.fullmatch(each)]):
        # what a family shares where there are no surnames, and what tells those of one name apart
        found["forename"], found["surname"] = found.pop("name_text"), of[:1]
    behind = [staged for staged in held if _SUFFIX.fullmatch(staged)]
    if last := next((meaning for meaning in ("surname", "name_text") if meaning in found), None):
        found[last] += behind
    if "birth_date" in found:
        # of several dates one is the day of birth; ages and years say less
        found["birth_date"] = found["birth_date"][: 3 if parts else 1]
    named = any(found.get(name) for name in ("forename", "surname", "name_text"))
    return {meaning: found[meaning] for meaning in PersonMap.model_fields if meaning in found} if named else {}


def _takes_many(meaning: str) -> bool:
    return PersonMap.model_fields[meaning].default == ()


def _three_parts(held: Mapping[str, Shape]) -> list[str]:
    """The columns of year, month and day of birth, if there are all three."""
    parts = [[s for s, shape in held.items() if each.fullmatch(s) and shape.type == "integer"] for each in _PARTS]
    return [part[0] for part in parts] if all(parts) else []


def _suits(meaning: str, shape: Shape) -> bool:
    if meaning in _DATES:
        return shape.type == "date"
    return shape.type == "integer" if meaning in _NUMBERS else True
