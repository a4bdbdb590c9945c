"""Help: first steps, worked examples, the accessibility statement. Open to everyone: they show nobody."""

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from review_app.desk import At
from review_app.security import Refused

router = APIRouter()
PAGES = {
    "first-steps": "First steps",
    "twins": "Twins",
    "father-and-son": "Father and son of one name",
    "name-change": "A name that changed",
    "transliteration": "A name written in another alphabet",
    "shared-house": "A shared house",
    "accessibility": "Accessibility statement",
}


@router.get("/help")
def contents(request: Request, held: At) -> Response:
    """What help there is."""
    return held.page(request, "app/help/contents.html", pages=PAGES)


@router.get("/help/{name}")
def page(request: Request, held: At, name: str) -> Response:
    """One page of help."""
    if name not in PAGES:
        raise Refused(404, "There is no such page", "Help has a list of its pages.")
    template = Path("app/help") / f"{name}.html"
    return held.page(request, str(template), pages=PAGES, title=PAGES[name], name=name)
