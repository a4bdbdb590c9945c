"""Beside cluster review: one pair's evidence, finding another record, a fault in a source, the restricted queue."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from pipelines.source_faults import KINDS, report_fault
from review_app import choosing, evidence
from review_app.clusters import Cluster, NoSuchItem
from review_app.desk import At, Form, House, needs, said, slow_searches
from review_app.kin import kept_from
from review_app.records import FIELDS, Record, anchors, laid_out, load_records
from review_app.roles import User
from review_app.routes.review import Reviewer, may_be_found, names, opened, part_for
from review_app.searching import search
from review_app.security import Refused

router = APIRouter()
#: A line of the comparison -> the column of the source that it stands for, where it is one.
COLUMN_OF = {
    "former": "former_surname", "born": "birth_date", "sex": "sex", "stay": "from_date", "nino": "nino",
    "nhs": "nhs_number", "number": "person_number", "phone": "phone", "email": "email", "birth_place": "birth_place",
    "died": "death_date",
}  # fmt: skip
Guardian = Annotated[User, Depends(needs("review_restricted"))]


@router.get("/review/item/{item_id}/pair")
def pair(request: Request, held: At, user: Reviewer, item_id: str, left: str = "", right: str = "") -> Response:
    """Why two records of an item, told by their keyed names, were linked or not."""
    with held.read() as snapshot:
        cluster = opened(held, snapshot, user, item_id)
        shown = [*cluster.records, *cluster.beside]
        known = {held.named(record.record_id): record for record in shown}
        if left not in known or right not in known or left == right:
            raise NoSuchItem
        if part_for(held, cluster, user, "sample" if cluster.sample else "first") != "first":
            raise Refused(403, "Scores are hidden", "You answer this item blind, and so do others.")
        two = [known[left], known[right]]
        held.note(user, "pair viewed", item_id, run=snapshot.run_id, records=names(held, two))
        ids = {record.record_id for record in two}
        found = next((p for p in (*cluster.pairs, *cluster.beside_pairs) if {p.left, p.right} == ids), None)
        steps = evidence.steps(found, snapshot.model) if found and snapshot.model else []
        return held.page(
            request, "app/review/pair.html", cluster=cluster, left=known[left], right=known[right], pair=found,
            steps=steps, drawing=evidence.drawing(steps) if steps else None, link_weight=snapshot.link_weight,
        )  # fmt: skip


@router.get("/review/item/{item_id}/find")
def find(request: Request, held: At, user: Reviewer, item_id: str) -> Response:
    """Look for a record that belongs to this item and is not in it."""
    with held.read() as snapshot:
        cluster = opened(held, snapshot, user, item_id)
        held.note(user, "search opened", item_id, records=names(held, cluster.records[:1]))
        return _finding(request, held, cluster, [], _wanted(cluster.records[0]), False)


@router.post("/review/item/{item_id}/find")
def found(request: Request, held: At, user: Reviewer, item_id: str, form: Form) -> Response:
    """Look, or add a record that was found."""
    with held.read() as snapshot:
        cluster = opened(held, snapshot, user, item_id)
        if added := said(form, "add", 200):
            there = load_records(snapshot, [(added, "", "b")])
            own = {record.record_id for record in cluster.records}
            if not there or added in own or not may_be_found(held, snapshot, user, added):
                raise NoSuchItem
            held.verdicts.add_record(
                cluster, there[0], user.name, snapshot.run_id, snapshot.model_version,
                said(form, "note"),
            )  # fmt: skip
            request.session["flash"] = {"text": "Saved: that record is the same person. The next run joins it."}
            return RedirectResponse(f"/review/item/{item_id}", 303)
        wanted = {name: said(form, name, 80) for name in ("surname", "forename", "year", "postcode")}
        slow_searches(held, user)
        rows = search(snapshot, wanted, kept_from(held.operations, snapshot, user))
        held.note(user, "records searched", item_id, reason="find another record", records=names(held, rows))
        return _finding(request, held, cluster, rows, wanted, True)


def _finding(
    request: Request, held: House, cluster: Cluster, rows: list[Record], wanted: dict[str, str], asked: bool
) -> Response:
    own = {record.record_id for record in cluster.records}
    return held.page(
        request, "app/review/find.html", cluster=cluster, found=rows, own=own, wanted=wanted, asked=asked,
        anchors=anchors(laid_out(cluster.records)),
    )  # fmt: skip


def _wanted(record: Record) -> dict[str, str]:
    born = record.raw.get("birth_date")
    return {
        "surname": record.raw.get("surname") or "",
        "forename": (record.raw.get("forename") or "")[:3],
        "year": str(born.year) if born else "",
        "postcode": "",
    }


@router.get("/review/item/{item_id}/fault")
def fault(request: Request, held: At, user: Reviewer, item_id: str) -> Response:
    """Report a fault in a source."""
    with held.read() as snapshot:
        cluster = opened(held, snapshot, user, item_id)
        held.note(user, "fault opened", item_id, records=names(held, cluster.records))
        return held.page(
            request, "app/review/fault.html", cluster=cluster, fields=FIELDS, kinds=KINDS, error="", given={}
        )


@router.post("/review/item/{item_id}/fault")
def report(request: Request, held: At, user: Reviewer, item_id: str, form: Form) -> Response:
    """Keep the report for the source's owner; the item stays where it is."""
    given = {name: said(form, name) for name in ("record", "kind", "field", "note")}
    with held.read() as snapshot:
        cluster = opened(held, snapshot, user, item_id)
        ids = {record.record_id for record in cluster.records}
        if (
            given["record"] not in ids
            or given["field"] not in {"", *dict(FIELDS)}
            or given["kind"] not in KINDS
            or not given["note"]
        ):
            wrong = "Say which record, what in it is wrong, and what it should be."
            held.note(user, "fault opened", item_id, records=names(held, cluster.records))
            return held.page(
                request, "app/review/fault.html", 422, cluster=cluster, fields=FIELDS, kinds=KINDS, error=wrong,
                given=given,
            )  # fmt: skip
        record = next(record for record in cluster.records if record.record_id == given["record"])
        report_fault(
            held.operations, source=record.source, record_id=record.record_id, column=COLUMN_OF.get(given["field"]),
            kind=given["kind"], note=given["note"], by=user.name,
        )  # fmt: skip
    request.session["flash"] = {"text": "Reported to the owner of the source. The item still waits for your answer."}
    return RedirectResponse(f"/review/item/{item_id}", 303)


@router.get("/review/restricted")
def restricted(request: Request, held: At, user: Guardian) -> Response:
    """The queue of items that touch a protected person."""
    with held.read() as snapshot:
        items = list(choosing.waiting(held, snapshot, user, restricted=True))
        held.note(user, "restricted queue viewed", snapshot.run_id, items=len(items))
        return held.page(request, "app/review/restricted.html", items=items[:100], total=len(items))


@router.get("/review/restricted/{item_id}")
def restricted_item(request: Request, held: At, user: Guardian, item_id: str) -> Response:
    """An item of the restricted queue."""
    from review_app.routes.review import shown

    with held.read() as snapshot:
        cluster = opened(held, snapshot, user, item_id)
        return shown(request, held, snapshot, user, cluster, "first")


@router.get("/review/restricted/{item_id}/pair")
def restricted_pair(
    request: Request, held: At, user: Guardian, item_id: str, left: str = "", right: str = ""
) -> Response:
    """Why two records of an item of the restricted queue were linked or not."""
    return pair(request, held, user, item_id, left, right)


@router.post("/review/restricted/{item_id}")
def restricted_decide(request: Request, held: At, user: Guardian, item_id: str, form: Form) -> Response:
    """A verdict on the restricted queue."""
    from review_app.routes.review import decide

    return decide(request, held, user, item_id, form)
