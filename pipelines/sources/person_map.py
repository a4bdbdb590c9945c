"""Which columns of a table with one person a row say what of the person."""

from pipelines.sources.stated import Names, Stated


class PersonMap(Stated):
    """What the columns of a table with one person a row are, by their staged names: its facts follow without SQL.

    Several columns for one part of a name or address are joined in their order; `former_surname` is any other surname,
    or several. `birth_date` is a date column, or three: year, month, day. Where it is empty, `birth_year` or `age` (at
    the extract date) stands for it, and the day counts as unknown. `sex` is read by its first letter, M or F, or by a
    code list that says male and female. `person_number` is a number of any form that one person only bears.
    """

    title: str | None = None
    forename: Names = ()
    middle: Names = ()
    surname: Names = ()
    name_text: Names = ()
    former_surname: Names = ()
    birth_date: Names = ()
    birth_year: str | None = None
    age: str | None = None
    sex: str | None = None
    death_date: str | None = None
    nino: str | None = None
    nhs_number: str | None = None
    person_number: str | None = None
    phone: str | None = None
    email: str | None = None
    birth_place: str | None = None
    occupation: str | None = None
    address: Names = ()
    postcode: str | None = None
    uprn: str | None = None

    def named(self, meaning: str) -> tuple[str, ...]:
        """The columns that are of a meaning."""
        value = getattr(self, meaning)
        return value if isinstance(value, tuple) else (value,) if value else ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that hold the name."""
        return tuple(column for part in ("forename", "middle", "surname", "name_text") for column in self.named(part))

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that follow."""
        return ("person_record", *(("address", "residence") if self.address or self.postcode or self.uprn else ()))
