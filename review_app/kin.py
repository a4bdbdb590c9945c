"""Whose records somebody must not be given: their own, their household's, those of relatives they have named."""

import sqlalchemy as sa

from pipelines.governance import approvals, audit
from pipelines.governance.actors import Actor
from pipelines.operations import Operations, timestamp
from review_app.published import Snapshot
from review_app.roles import User
from review_app.tables import declaration_table

WITHDRAWAL = "declaration withdrawal"
KINDS = {"self": "Myself", "household": "Somebody I live with", "relative": "A relative or close friend"}


def declare(operations: Operations, user: User, kind: str, record_id: str) -> None:
    with operations.begin() as db:
        row = {"who": user.name, "kind": kind, "record": operations.seal(db, record_id), "made_at": timestamp()}
        number = operations.write_rows(db, declaration_table, [row])
        audit.append(operations, db, user.name, "declared", named(number), kind=kind)


def named(number: int) -> str:
    """What the audit and a request call a declaration."""
    return f"declaration {number}"


def declared(operations: Operations, user: User) -> list[tuple[int, str, str]]:
    """(number, kind, record id) of what somebody declared. Raises RowChanged."""
    query = sa.select(declaration_table).where(declaration_table.c.who == user.name)
    rows = operations.rows(declaration_table, query)
    opened = [(row["declaration_id"], row["kind"], operations.reason(row["record"])) for row in rows]
    return [(number, kind, record) for number, kind, record in opened if record]


def withdrawals(operations: Operations, who: Actor) -> dict[str, approvals.Request]:
    """Newest request of somebody's to take a declaration off -> by what it is about; those that still count."""
    found = [each for each in approvals.requests(operations, WITHDRAWAL) if who.is_one_of(each.requested_as)]
    return {each.object: each for each in reversed(found) if each.state in ("waiting", "approved") and not each.expired}


def ask_to_withdraw(operations: Operations, who: Actor, number: int, reason: str) -> None:
    """Nobody opens the way to their own records alone. Raises BoroughlinkError without a reason."""
    approvals.ask(operations, who, WITHDRAWAL, named(number), reason, particulars={"of": who.login})


def withdraw(operations: Operations, user: User, who: Actor, number: int) -> None:
    """Take a declaration off, once another person has approved. Raises ApprovalRefused."""
    asked = withdrawals(operations, who).get(named(number))
    if asked is None:
        raise approvals.ApprovalRefused(f"{WITHDRAWAL.capitalize()}: nobody has approved it yet.")
    request = approvals.standing(operations, asked.request_id, WITHDRAWAL)
    approvals.done(operations, who, request)
    with operations.begin() as db:
        db.execute(
            sa.delete(declaration_table).where(
                declaration_table.c.declaration_id == number, declaration_table.c.who == user.name
            )
        )


def kept_from(operations: Operations, snapshot: Snapshot, user: User) -> frozenset[str]:
    """Persons whose records the user must not be given, in today's run: those declared, and who lives with them."""
    records = [record for _, _, record in declared(operations, user)]
    if not records:
        return frozenset()
    persons = sorted(set(snapshot.persons_of(records).values()))
    if not snapshot.has("published.linkage.household_member"):
        return frozenset(persons)
    table = "linkage.household_member"
    homes = sorted({home for (home,) in snapshot.found(table, "person_id", persons, "household_id")})
    return frozenset(persons) | {person for (person,) in snapshot.found(table, "household_id", homes, "person_id")}
