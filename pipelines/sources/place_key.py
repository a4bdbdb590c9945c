"""What a row of a source about properties, streets or areas is keyed on."""

from typing import Literal

from pydantic import model_validator

from pipelines.sources.stated import Stated


class PlaceKey(Stated):
    """The column with the place of a row, by its staged name: a UPRN, a USRN, or the code of an area of a kind."""

    uprn: str | None = None
    usrn: str | None = None
    area: str | None = None
    kind: Literal["lsoa", "msoa", "ward", "authority", "postcode"] | None = None

    @model_validator(mode="after")
    def _one(self) -> "PlaceKey":
        if sum(column is not None for column in (self.uprn, self.usrn, self.area)) != 1:
            raise ValueError("a row is keyed on one of `uprn`, `usrn` and `area`; state one")
        if (self.area is None) != (self.kind is None):
            raise ValueError("`area` and `kind` go together: ward, lsoa, ...")
        return self

    @property
    def scheme(self) -> Literal["uprn", "usrn", "area"]:
        return "uprn" if self.uprn else "usrn" if self.usrn else "area"

    @property
    def column(self) -> str:
        return self.uprn or self.usrn or self.area or ""
