"""What every statement of a contract is made of."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Stated(BaseModel):
    """Base of everything in a contract: frozen, and a word that isn't known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
