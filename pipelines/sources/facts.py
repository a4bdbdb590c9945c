"""The fact tables: the one shape per kind of fact into which every source maps itself.

Nothing downstream of this file knows the name of a system. Each table has a fixed grain; every row also carries
`PROVENANCE`, so that any figure can be traced to an extract and a run.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of a fact table; `type` is a DuckDB type. A source's SQL may leave out an `optional` one."""

    name: str
    type: str
    meaning: str
    optional: bool = False


@dataclass(frozen=True)
class FactTable:
    """A fact table: its name, what one row is, and its columns in order (provenance excluded)."""

    name: str
    grain: str
    columns: tuple[Column, ...]

    @property
    def all_columns(self) -> tuple[Column, ...]:
        return self.columns + PROVENANCE


def _columns(text: str) -> tuple[Column, ...]:
    rows = [line.split("|") for line in text.strip().splitlines()]
    return tuple(
        Column(name.strip(), kind.strip(), meaning.strip(), meaning.strip().startswith("optional"))
        for name, kind, meaning in rows
    )


PROVENANCE = _columns("""
    source       | VARCHAR | source system, the name of its folder
    extract_date | DATE    | date of the newest extract that shows the row
    valid_from   | DATE    | date of the first extract that showed the row as it stands
    valid_to     | DATE    | date of the first extract that no longer did; null while it is current
    loaded_run   | VARCHAR | run that loaded the row
""")

PERSON_RECORD = FactTable(
    "person_record",
    "one mention of a person in a source (source, source_key, occupant)",
    _columns("""
    record_id   | VARCHAR | source:source_key#occupant, safe across reuse of a slot
    source_key  | VARCHAR | the source's own key of the mention, parts joined by /
    occupant    | INTEGER | 1 for the first person seen under the key, 2 for another person written over it, ...
    role        | VARCHAR | liable, claimant, partner, tenant, household, elector, client, deceased, holder, ...
    title       | VARCHAR | as given
    forename    | VARCHAR | as given, first forename where the source separates names
    middle      | VARCHAR | as given
    surname     | VARCHAR | as given
    name_text   | VARCHAR | the whole name, where the source holds one string only
    former_surname | VARCHAR | maiden or previous surname, where held
    birth_date  | DATE    | as given; placeholders are still in
    sex         | VARCHAR | M, F or null
    death_date  | DATE    | as held by this source
    nino        | VARCHAR | national insurance number as given
    nhs_number  | VARCHAR | as given
    phone       | VARCHAR | as given
    email       | VARCHAR | as given
    person_number | VARCHAR | optional: a number of any form that one person only bears, as given
    birth_place | VARCHAR | optional: as given
    occupation  | VARCHAR | optional: as given
    sensitivity | VARCHAR | null, or restricted, refuge, adoption, gender_recognition, staff
"""),
)

ADDRESS = FactTable(
    "address",
    "one address as a source holds it (source, address_key)",
    _columns("""
    address_id   | VARCHAR | source:address_key
    address_key  | VARCHAR | the source's own key of the address
    address_text | VARCHAR | lines joined by ', ', without the postcode; null where only a postcode is held
    postcode     | VARCHAR | as given
    uprn_given   | BIGINT  | UPRN as the source holds it, if it is a whole number
    xref_source  | VARCHAR | LLPG cross-reference source code that this system's references stand under
    xref_key     | VARCHAR | this system's property reference, as the LLPG would hold it
    no_home      | BOOLEAN | optional: true where a shop or office itself is meant, not the home above it
"""),
)

RESIDENCE = FactTable(
    "residence",
    "one stay of one record at one address, as the source believes it",
    _columns("""
    record_id  | VARCHAR | person_record
    address_id | VARCHAR | address
    from_date  | DATE    | first day, null if unknown
    to_date    | DATE    | last day, null while it lasts
    basis      | VARCHAR | liable, claim, tenancy, registration, care, school, death, contact
"""),
)

LIABILITY = FactTable(
    "liability",
    "one liable person of one council tax account",
    _columns("""
    account_ref | VARCHAR | council tax account
    record_id   | VARCHAR | person_record; null for companies and unnamed occupiers
    address_id  | VARCHAR | the dwelling
    position    | VARCHAR | owner, tenant, resident, leaseholder, freeholder, licensee, joint, other
    party_kind  | VARCHAR | person, company, executors, unnamed
    band        | VARCHAR | A to H
    from_date   | DATE    | liability from
    to_date     | DATE    | last day of liability, null while live
    is_live     | BOOLEAN | live at the extract date
"""),
)

DISCOUNT = FactTable(
    "discount",
    "one discount, disregard or exemption on one account for one period",
    _columns("""
    account_ref | VARCHAR | council tax account
    address_id  | VARCHAR | the dwelling
    kind        | VARCHAR | discount, disregard, exemption
    code        | VARCHAR | single_person, all_disregarded, student, smi, carer, hospital, ..., or a class letter
    record_id   | VARCHAR | the person it rests on, where known
    percent     | DECIMAL(5,2) | share of the bill taken off
    amount      | DECIMAL(10,2) | pounds a year taken off
    from_date   | DATE    |
    to_date     | DATE    | last day, null while it lasts
"""),
)

TENANCY = FactTable(
    "tenancy",
    "one person named on or living under one social tenancy",
    _columns("""
    tenancy_ref | VARCHAR | tenancy
    record_id   | VARCHAR | person_record
    address_id  | VARCHAR | the home let
    tenure      | VARCHAR | secure, introductory, assured_shorthold, flexible, temporary
    is_tenant   | BOOLEAN | named tenant (else a household member)
    from_date   | DATE    |
    to_date     | DATE    | last day, null while it lasts
"""),
)

CLAIM = FactTable(
    "claim",
    "one person on one benefit claim",
    _columns("""
    claim_ref    | VARCHAR | claim
    record_id    | VARCHAR | person_record
    address_id   | VARCHAR | the home claimed for, latest household
    role         | VARCHAR | claimant, partner, dependant, non_dependant
    kind         | VARCHAR | housing_benefit, council_tax_reduction, both
    is_live      | BOOLEAN | live at the extract date
    weekly_award | DECIMAL(10,2) | pounds a week
    account_ref  | VARCHAR | council tax account the reduction goes to, where held
    from_date    | DATE    |
    to_date      | DATE    | last day, null while it lasts
"""),
)

REGISTRATION = FactTable(
    "registration",
    "one entry in the electoral register",
    _columns("""
    elector_ref   | VARCHAR | elector
    record_id     | VARCHAR | person_record
    address_id    | VARCHAR | registered address
    franchise     | VARCHAR | marker as given, null for ordinary electors
    attainer_date | DATE    | eighteenth birthday of an attainer
    added_date    | DATE    | on the register since
"""),
)

DEATH = FactTable(
    "death",
    "one registered death",
    _columns("""
    registration_ref | VARCHAR | registration
    record_id        | VARCHAR | person_record
    address_id       | VARCHAR | usual address
    death_date       | DATE    |
    registered_date  | DATE    |
"""),
)

CARE_EPISODE = FactTable(
    "care_episode",
    "one event of one social care client",
    _columns("""
    event_ref      | VARCHAR | event
    record_id      | VARCHAR | person_record
    event_type     | VARCHAR | request, assessment, service, review
    service_type   | VARCHAR | as given, punctuation normalised
    component      | VARCHAR | service component as given
    support_reason | VARCHAR | primary support reason
    accommodation  | VARCHAR | accommodation status
    funding        | VARCHAR | client funding status
    outcome        | VARCHAR | event outcome
    from_date      | DATE    |
    to_date        | DATE    | last day, null while it lasts
    weekly_cost    | DECIMAL(10,2) | pounds a week where costed
"""),
)

PAYMENT = FactTable(
    "payment",
    "one payment for one person and one period",
    _columns("""
    payment_ref | VARCHAR | payment
    record_id   | VARCHAR | person_record
    kind        | VARCHAR | direct_payment, care_home
    payee_ref   | VARCHAR | who was paid, where it isn't the person
    from_date   | DATE    | first day paid for
    to_date     | DATE    | last day paid for
    amount      | DECIMAL(12,2) | pounds for the whole period
"""),
)

ACTIVITY = FactTable(
    "activity",
    "one spell, attendance or placement of one person with one service",
    _columns("""
    activity_ref   | VARCHAR | the source's own key of the row
    record_id      | VARCHAR | person_record; null where the source names nobody
    subject_scheme | VARCHAR | upn or nhs_number, where that is all that may lead to the person; else null
    subject_number | VARCHAR | the number in that scheme
    kind           | VARCHAR | school_attendance, sen_support, looked_after, child_in_need, emergency, ...
    detail         | VARCHAR | as given: placement, provision, need, setting
    quantity       | DECIMAL(12,2) | how much, in the unit
    unit           | VARCHAR | sessions_missed, days, pounds, ...
    from_date      | DATE    |
    to_date        | DATE    | last day, null while it lasts
"""),
)

IDENTIFIER = FactTable(
    "identifier",
    "one further number of one record (source, record_id, scheme, number)",
    _columns("""
    record_id  | VARCHAR | person_record
    scheme     | VARCHAR | upn, uln, ...
    number     | VARCHAR | as given
"""),
)

FORMER_KEY = FactTable(
    "former_key",
    "one key that a record bore before its system changed its keys (source, record_id, former_key)",
    _columns("""
    record_id  | VARCHAR | person_record, under the new key
    former_key | VARCHAR | the source_key of the mention under the old one
    changed_on | DATE    | when the system changed its keys
"""),
)

DEBT = FactTable(
    "debt",
    "one person who owes one debt, as recovery stands",
    _columns("""
    debt_ref   | VARCHAR | debt, of its source
    record_id  | VARCHAR | person_record; null where a company or nobody named owes it
    address_id | VARCHAR | the home that it arose at
    kind       | VARCHAR | council_tax, benefit_overpayment, rent
    amount     | DECIMAL(12,2) | pounds when it arose; null where only the balance is held
    balance    | DECIMAL(12,2) | pounds still owed by all who owe it together
    stage      | VARCHAR | reminder, notice, arrangement, deduction, summons, court_order, enforcement
    stage_date | DATE    | when it reached the stage
    from_date  | DATE    | when it arose
    to_date    | DATE    | day it was settled, null while anything is owed
"""),
)

APPLICATION = FactTable(
    "application",
    "one person on one application for a council home or for buying one",
    _columns("""
    application_ref | VARCHAR | application
    record_id       | VARCHAR | person_record
    address_id      | VARCHAR | where the applicants live
    kind            | VARCHAR | housing_register, right_to_buy
    role            | VARCHAR | applicant, joint, household
    status          | VARCHAR | open, suspended, granted, refused, withdrawn
    priority        | VARCHAR | band or stage as given
    from_date       | DATE    | applied
    to_date         | DATE    | decided or closed, null while it is open
"""),
)

PERMIT = FactTable(
    "permit",
    "one badge, permit or pass of one holder, each issue its own",
    _columns("""
    permit_ref | VARCHAR | number of the badge, permit or pass
    record_id  | VARCHAR | person_record of the holder
    address_id | VARCHAR | the address that it was issued to
    kind       | VARCHAR | blue_badge, resident_parking, older_persons_pass, disabled_persons_pass
    vehicle    | VARCHAR | registration mark, where it is for one vehicle
    is_live    | BOOLEAN | in force at the extract date
    from_date  | DATE    |
    to_date    | DATE    | last day of validity, or the day it was cancelled
"""),
)

FACTS: dict[str, FactTable] = {
    table.name: table
    for table in (
        PERSON_RECORD,
        ADDRESS,
        RESIDENCE,
        LIABILITY,
        DISCOUNT,
        TENANCY,
        CLAIM,
        REGISTRATION,
        DEATH,
        CARE_EPISODE,
        PAYMENT,
        ACTIVITY,
        IDENTIFIER,
        FORMER_KEY,
        DEBT,
        APPLICATION,
        PERMIT,
    )
}
