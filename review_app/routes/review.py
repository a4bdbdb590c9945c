"""Cluster review: the queue, an item, a verdict, undo."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response

from review_app import choosing, evidence, gold, story, timeline
from review_app.answers import FIRM, VERDICTS, WORDS, Given, alike
from review_app.choosing import Next
from review_app.clustering import outcome_of
from review_app.clusters import SHOWN, Cluster, NoSuchItem
from review_app.desk import At, Form, House, needs, said
from review_app.dossier import Dossier, dossier, read_dossier
from review_app.flagged import flags
from review_app.gains import gain_curve
from review_app.kin import kept_from
from review_app.policy import policy
from review_app.preferences import preferences
from review_app.published import Snapshot
from review_app.records import Record, anchors, laid_out
from review_app.roles import User
from review_app.security import Refused
from review_app.verdicts import Stale, reopened

router = APIRouter()
Reviewer = Annotated[User, Depends(needs("review"))]
PARTS = ("first", "second", "adjudication", "gold", "sample")
REASONS_GIVEN = (
    "name and birth date fit",
    "address history fits",
    "a number settles it",
    "twins or siblings",
    "father and son, mother and daughter",
    "name changed",
    "other spelling of a name",
    "shared house, different people",
    "too little to say",
)


@router.get("/review")
def start(request: Request, held: At, user: Reviewer) -> Response:
    """What waits, how far it has come, where to begin."""
    with held.read() as snapshot:
        where = choosing.progress(held, snapshot, user)
        patterns = choosing.by_pattern(held, snapshot)
        for group in patterns:
            group["words"] = pattern_words(snapshot, group["levels"])
        sampled = choosing.next_sampled(held, snapshot, user)
        disputed = choosing.disputes(held, snapshot, user)
        return held.page(
            request, "app/review/start.html",
            run=snapshot.run_id, progress=where, patterns=patterns, sampled=sampled, disputed=len(disputed),
            curve=gain_curve(where.gain), enough=where.mine_today >= policy()["day_decisions"],
            tired=where.minutes_today >= policy()["break_minutes"], last=held.verdicts.last(user.name),
        )  # fmt: skip


@router.get("/review/next")
def following(request: Request, held: At, user: Reviewer, after: str = "", pattern: str = "") -> Response:
    """To the next item."""
    with held.read() as snapshot:
        here = snapshot.by_id.get(after)
        chosen = choosing.choose(held, snapshot, user, here.position if here else 0, pattern)
    request.session["pattern"] = pattern[:300]
    return _sent(request, address(chosen) if chosen else "/review/done")


@router.get("/review/sample")
def sample(held: At, user: Reviewer) -> Response:
    """To the next pair of the random sample."""
    with held.read() as snapshot:
        item_id = choosing.next_sampled(held, snapshot, user)
    return RedirectResponse(address(Next(item_id, "sample")) if item_id else "/review/done", 303)


@router.get("/review/disputes")
def disputes(held: At, user: Reviewer) -> Response:
    """To the next item on which two reviewers disagree."""
    with held.read() as snapshot:
        found = choosing.disputes(held, snapshot, user)
    return RedirectResponse(address(Next(found[0], "adjudication")) if found else "/review/done", 303)


@router.get("/review/done")
def done(request: Request, held: At, user: Reviewer) -> Response:
    """Nothing is left to answer here, or enough was done for today."""
    held.leases.let_go(user.name)
    with held.read() as snapshot:
        where = choosing.progress(held, snapshot, user)
    return held.page(request, "app/review/done.html", progress=where)


@router.get("/review/item/{item_id}")
def item(request: Request, held: At, user: Reviewer, item_id: str, part: str = "first") -> Response:
    """An item with its evidence."""
    with held.read() as snapshot:
        cluster = opened(held, snapshot, user, item_id, checks=True)
        page = shown(request, held, snapshot, user, cluster, part_for(held, cluster, user, part))
    if part == "first":
        page.background = BackgroundTask(read_ahead, held, user, cluster, request.session.get("pattern", ""))
    return page


def read_ahead(held: House, user: User, cluster: Cluster, pattern: str) -> None:
    """Have the item at hand that comes next, before the answer to this one is given."""
    with held.read() as snapshot:
        waiting = choosing.waiting(held, snapshot, user, after=cluster.item.position, pattern=pattern)
        if following := next(waiting, None):
            outcomes(held, snapshot, dossier(snapshot, following.item_id).cluster)


@router.post("/review/item/{item_id}")
def decide(request: Request, held: At, user: Reviewer, item_id: str, form: Form) -> Response:
    """Take a verdict, go to the next item."""
    verdict, part = said(form, "verdict"), said(form, "part") or "first"
    with held.read() as snapshot:
        cluster = opened(held, snapshot, user, item_id, checks=True)
        if verdict == "preview":
            part = part_for(held, cluster, user, part)
            return shown(request, held, snapshot, user, cluster, part, chosen=form.get("record", []))
        if verdict == "skip":
            held.leases.let_go(user.name, item_id)
            back = "/review/restricted" if cluster.item.is_restricted else f"/review/next?after={item_id}"
            return RedirectResponse(back, 303)
        if part_for(held, cluster, user, part) != part:  # opened before somebody gave the first answer: it is not blind
            why = "Somebody else has answered this item since you opened it."
            return held.page(request, "app/review/stale.html", 409, why=why, item_id=item_id)
        given = Given(
            verdict, user.name, said(form, "version"), tuple(form.get("record", [])), said(form, "reason"),
            said(form, "note"), _seconds(said(form, "seconds")), said(form, "blind") == "1",
        )  # fmt: skip
        if wrong := _wrong(cluster, given, part):
            return shown(request, held, snapshot, user, cluster, part, chosen=given.chosen, error=wrong, status=422)
        try:
            number = held.verdicts.give(cluster, snapshot.run_id, snapshot.model_version, given, part)
        except Stale as stale:
            return held.page(request, "app/review/stale.html", 409, why=stale.why, item_id=item_id)
        request.session["flash"] = _told(held, cluster, given, part, number)
        following_ = _after(held, snapshot, user, cluster, part, request.session.get("pattern", ""))
    return _sent(request, following_)


def _sent(request: Request, to: str) -> Response:
    """To the item that comes next; should a run be published on the way there and settle it, to another."""
    request.session["given"] = to.partition("?")[0]
    return RedirectResponse(to, 303)


@router.post("/review/undo")
def undo(request: Request, held: At, user: Reviewer, form: Form) -> Response:
    """Take back the last verdict, or the one that is named."""
    number = said(form, "number")
    last = held.verdicts.last(user.name)
    chosen = int(number) if number.isdecimal() and len(number) < 15 else (last["verdict_id"] if last else 0)
    item_id = held.verdicts.undo(user.name, chosen)
    if item_id is None:
        request.session["flash"] = {"text": "There is nothing of yours to take back, or a second answer stands on it."}
        return RedirectResponse("/review", 303)
    request.session["flash"] = {"text": "Taken back. Here is the item again, as if you had not answered."}
    part = last["part"] if last and last["verdict_id"] == chosen else "first"
    return RedirectResponse(address(Next(item_id, part)), 303)


def address(chosen: Next) -> str:
    return f"/review/item/{chosen.item_id}" + (f"?part={chosen.part}" if chosen.part != "first" else "")


def opened(held: House, snapshot: Snapshot, user: User, item_id: str, checks: bool = False) -> Cluster:
    """The item, or with `checks` an imported check too, if this user may see it. Raises NoSuchItem or Refused."""
    imported = item_id.startswith(gold.IMPORTED)
    if len(item_id) > 40 or (imported and not checks):
        raise NoSuchItem
    cluster = at_hand(held, snapshot, item_id).cluster
    if imported and not may_be_found(held, snapshot, user, *(record.record_id for record in cluster.records)):
        raise NoSuchItem
    if cluster.item.is_restricted and not user.may("review_restricted"):
        raise Refused(403, "This item is on the restricted queue", "Only those who work on that queue may open it.")
    if not cluster.item.is_restricted and not user.may("review"):
        raise Refused(403, "This item is on the open queue", "Reviewers work on it.")
    if not kept_from(held.operations, snapshot, user).isdisjoint(
        {*cluster.item.persons, *(record.person_id for record in (*cluster.records, *cluster.beside))}
    ):
        held.note(user, "item refused", item_id, why="declared")
        raise Refused(
            403,
            "This item is not for you",
            "It may concern you, somebody you live with, or somebody you named. A colleague will answer it.",
        )
    return cluster


def at_hand(held: House, snapshot: Snapshot, item_id: str) -> Dossier:
    """The dossier of an item of the run, or of a pair that was imported as a check. Raises NoSuchItem."""
    if item_id.startswith(gold.IMPORTED):
        return read_dossier(snapshot, gold.imported(held, snapshot, item_id))
    return dossier(snapshot, item_id)


def may_be_found(held: House, snapshot: Snapshot, user: User, *records: str) -> bool:
    """Whether records outside an item may be shown to this reviewer: of nobody protected, of none of their own."""
    return gold.open_to_all(snapshot, kept_from(held.operations, snapshot, user), records)


def part_for(held: House, cluster: Cluster, user: User, asked: str) -> str:
    """The part in which this reviewer meets the item: what stands there decides, not what the address asks for.

    A random pair is a random pair; a check is one only where its answer is known and never met; whoever may give the
    second look gets it blind; and nobody casts between answers of which one is their own. Raises NoSuchItem.
    """
    if asked not in PARTS or (asked == "sample") != (cluster.sample is not None):
        raise NoSuchItem
    if asked != "gold" and cluster.item.item_id.startswith(gold.IMPORTED):
        raise NoSuchItem
    if asked == "sample":
        return asked
    state = held.verdicts.states([cluster.item.item_id]).get(cluster.item.item_id)
    if asked == "gold" and not gold.is_gold(held, state, cluster.item, user):
        raise NoSuchItem
    if state is None or asked == "gold" or reopened(state, cluster.item.version):
        return asked
    own = user.name in (state["first_by"], state["second_by"])
    if state["state"] == "second" and asked == "first" and not own:
        return "second"
    if asked == "adjudication" and own:
        raise Refused(403, "Somebody else casts here", "One of the two answers is yours: a third person decides.")
    return asked


def shown(
    request: Request,
    held: House,
    snapshot: Snapshot,
    user: User,
    cluster: Cluster,
    part: str,
    chosen: Sequence[str] = (),
    error: str = "",
    status: int = 200,
) -> Response:
    """The page of an item; noted in the audit before it is built."""
    item_id, choices = cluster.item.item_id, preferences(held.operations, user)
    blind = part != "adjudication" and (part in ("second", "gold", "sample") or choices.blind)
    holder = held.leases.take(item_id, user.name) if part != "gold" else None
    about = at_hand(held, snapshot, item_id)
    roof, where, told = about.roof, about.stays, [] if blind else about.steps
    records = laid_out(cluster.records[:SHOWN])
    seen = [*records, *([] if blind else cluster.beside)]
    held.note(
        user, "item viewed", item_id, run=snapshot.run_id, blind=blind, records=names(held, seen),
        persons=[each["person"] for each in roof],
    )  # fmt: skip
    state = held.verdicts.states([item_id]).get(item_id)
    history = held.verdicts.history(item_id) if part in ("first", "adjudication") else []
    return held.page(
        request, "app/review/item.html", status,
        cluster=cluster, part=part, blind=blind, holder=holder, state=state, question=story.question(cluster),
        story=story.story(cluster, where, blind),
        stakes=[] if blind else stakes(held, snapshot, user, cluster),
        stays=where, times=timeline.drawing(where, snapshot.wh.as_of),
        household=roof,
        changes=[] if blind else about.changes,
        pair=cluster.decisive, steps=told, drawing=evidence.drawing(told) if told else None,
        pairs=[] if blind else ordered_pairs(cluster), anchors=anchors(records), records=records,
        grid=[] if blind else evidence.grid([record.record_id for record in records], cluster.pairs),
        neighbours=[] if blind else neighbours(cluster),
        outcomes=[] if blind else outcomes(held, snapshot, cluster, chosen),
        chosen=set(chosen), error=error, history=history, words=WORDS, keys=choices, link_weight=snapshot.link_weight,
        reasons=REASONS_GIVEN, left_out=len(cluster.records) - SHOWN, run=snapshot.run_id,
    )  # fmt: skip


def names(held: House, records: Sequence[Record]) -> list[str]:
    """What the audit calls records."""
    return sorted(held.named(record.record_id) for record in records)


def stakes(held: House, snapshot: Snapshot, user: User, cluster: Cluster) -> list[str]:
    """What else rests on the answer, in words, as far as the user's roles may know it."""
    told = []
    if cluster.flags and user.may("flagged"):
        live = {each.flag_id: each for each in flags(snapshot, held.operations, user) if each.case.state != "closed"}
        found = [live[flag_id] for flag_id in cluster.flags if flag_id in live]
        worth = sum(float(each.raw["expected_retained"] or 0) for each in found)
        if found:
            what = "a flagged pair" if len(found) == 1 else f"{len(found)} flagged pairs"
            told.append(f"Your answer decides {what} worth £{worth:,.0f} to the council.")
    if cluster.releases and user.may("approvals"):
        told.append(f"It may move a tier in release {', '.join(cluster.releases)}.")
    return told


def ordered_pairs(cluster: Cluster, most: int = 40) -> list[Any]:
    """Scored pairs, those across the two sides first, the weakest first."""
    across = cluster.across
    rest = [pair for pair in cluster.pairs if pair not in across]
    return [*across, *sorted(rest, key=lambda pair: (pair.weight, pair.left, pair.right))][:most]


def neighbours(cluster: Cluster) -> list[dict[str, Any]]:
    """The persons nearest to the item, with their strongest pair into it."""
    own = {record.record_id for record in cluster.records}
    found: dict[str, dict[str, Any]] = {}
    for record in cluster.beside:
        known = found.setdefault(record.person_id, {"person": record.person_id, "records": [], "best": None})
        known["records"].append(record)
    for near in found.values():
        ids = {record.record_id for record in near["records"]}
        touching = [
            pair
            for pair in cluster.beside_pairs
            if (pair.left in own and pair.right in ids) or (pair.right in own and pair.left in ids)
        ]
        near["best"] = max(touching, key=lambda pair: pair.weight, default=None)
    return [near for near in found.values() if near["best"]]


def outcomes(held: House, snapshot: Snapshot, cluster: Cluster, chosen: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What the next run would make of each answer, with the decisions that stand; kept while they do."""
    if cluster.sample:
        return []
    standing = held.verdicts.standing([record.record_id for record in (*cluster.records, *cluster.beside)])

    def told(*_: Any) -> list[dict[str, Any]]:
        wanted = ["same", "different"] if cluster.side("b") else ["same"]
        wanted += ["split"] if chosen else []
        stop = held.settings.cluster_stop if snapshot.raised_stop is None else snapshot.raised_stop
        return [outcome_of(cluster, verdict, chosen, standing, stop, snapshot.lone) for verdict in wanted]

    return told() if chosen else snapshot.recent(f"outcomes {cluster.item.item_id} {standing}", told)


def pattern_words(snapshot: Snapshot, levels: Sequence[tuple[str, int]]) -> list[str]:
    """What agrees in a pattern, in words."""
    if snapshot.model is None:
        return []
    return [f"{evidence.title(name)}: {snapshot.model.level_words(name, level)}" for name, level in levels]


def _seconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return min(value, 3600.0) if value >= 0 else None


def _wrong(cluster: Cluster, given: Given, part: str) -> str:
    ids = {record.record_id for record in cluster.records}
    if given.verdict not in VERDICTS:
        return "Choose one of the answers."
    if not set(given.chosen) <= ids:
        return "A record that you ticked is not in this item."
    if given.verdict == "split":
        if not given.chosen:
            return "Tick the records to split off, then choose Split off."
        if set(given.chosen) == ids:
            return "Leave at least one record: not all of them can be split off."
    if given.verdict == "evidence" and not given.note:
        return "Say in the note what evidence is needed, and from whom."
    return ""


def _told(held: House, cluster: Cluster, given: Given, part: str, number: int) -> dict[str, Any]:
    text = f"Saved: {WORDS[given.verdict].lower()}."
    if part == "gold" and given.verdict in FIRM:
        known = gold.known_answer(held, cluster.item.item_id)
        if known and not alike(known, given.verdict):
            who = "Its label says" if cluster.item.item_id.startswith(gold.IMPORTED) else "Two colleagues said"
            text += f" {who} “{WORDS[known].lower()}” of this one; it was a check."
    return {"text": text, "undo": number}


def _after(held: House, snapshot: Snapshot, user: User, cluster: Cluster, part: str, pattern: str) -> str:
    if part == "sample":
        return "/review/sample"
    if part == "adjudication":
        return "/review/disputes"
    if cluster.item.is_restricted:
        return "/review/restricted"
    after = cluster.item.position if part == "first" else 0
    chosen = choosing.choose(held, snapshot, user, after, pattern)
    return address(chosen) if chosen else "/review/done"
