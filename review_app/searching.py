"""Finding records by what somebody knows of them: whole words against standardised names, never a listing."""

from collections.abc import Collection

from review_app.published import VIEW, Snapshot
from review_app.records import Record, load_records

MOST = 25


NOBODY = "Fill in two things or more, a surname or a whole postcode among them: less would list strangers."


def names_somebody(wanted: dict[str, str]) -> bool:
    """Whether this looks for somebody, rather than for whoever is there."""
    given = {name: value.strip() for name, value in wanted.items() if value.strip()}
    surname, postcode = given.get("surname", ""), given.get("postcode", "").replace(" ", "")
    return len(given) >= 2 and (len(surname) >= 2 or len(postcode) >= 5)


def search(snapshot: Snapshot, wanted: dict[str, str], away: Collection[str]) -> list[Record]:
    """Records that fit everything that is given, by name; none of protected people, none of the persons `away`.

    `wanted` has surname, forename (its beginning is enough), year, postcode.
    """
    given = {name: value.strip().upper() for name, value in wanted.items() if value.strip()}
    if not names_somebody(wanted):
        return []
    where, params = ["r.is_person"], [VIEW]
    if surname := given.get("surname"):
        where.append("(r.surname = ? OR r.former_surname = ? OR jaro_winkler_similarity(r.surname, ?) >= 0.92)")
        params += [surname, surname, surname]
    if forename := given.get("forename"):
        where.append("(starts_with(r.forename, ?) OR starts_with(r.forename_root, ?))")
        params += [forename, forename]
    if year := given.get("year"):
        if not year.isdecimal() or len(year) > 4:
            return []
        where.append("r.birth_year = ?")
        params.append(str(int(year)))
    if postcode := given.get("postcode"):
        where.append("starts_with(r.postcode, ?)")
        params.append(postcode.replace(" ", ""))
    rows = snapshot.wh.rows(
        "WITH fitting AS (SELECT m.person_id, r.* FROM published.people.record AS r JOIN published.linkage.membership "
        f"AS m ON m.view = ? AND m.record_id = r.record_id WHERE {' AND '.join(where)}) "
        # a person is protected by any of their records, not only by the one that fits
        "SELECT record_id, person_id FROM fitting WHERE person_id NOT IN (SELECT m.person_id FROM fitting "
        "JOIN published.linkage.membership AS m USING (person_id) JOIN published.people.record AS r "
        "ON r.record_id = m.record_id WHERE m.view = ? AND r.sensitivity IS NOT NULL) "
        "ORDER BY surname, forename, record_id",
        [*params, VIEW],
    )
    found = [(record_id, person, "b") for record_id, person in rows if person not in away]
    return load_records(snapshot, found[:MOST])
