"""Finding records by what somebody knows of them: whole words against standardised names, never a listing."""

from review_app.published import Snapshot
from review_app.records import Record, load_records

MOST = 25


def search(snapshot: Snapshot, wanted: dict[str, str]) -> list[Record]:
    """Records that fit everything that is given, the closest names first; protected people are not among them.

    `wanted` has surname, forename (its beginning is enough), year, postcode; at least two are needed to find anybody.
    """
    given = {name: value.strip().upper() for name, value in wanted.items() if value.strip()}
    if len(given) < 2:
        return []
    where, params = ["r.sensitivity IS NULL", "r.is_person"], []
    if surname := given.get("surname"):
        where.append("(r.surname = ? OR r.former_surname = ? OR jaro_winkler_similarity(r.surname, ?) >= 0.92)")
        params += [surname, surname, surname]
    if forename := given.get("forename"):
        where.append("(starts_with(r.forename, ?) OR starts_with(r.forename_root, ?))")
        params += [forename, forename]
    if year := given.get("year"):
        if not year.isdecimal():
            return []
        where.append("r.birth_year = ?")
        params.append(str(int(year)))
    if postcode := given.get("postcode"):
        where.append("starts_with(r.postcode, ?)")
        params.append(postcode.replace(" ", ""))
    rows = snapshot.wh.rows(
        f"SELECT r.record_id FROM published.people.record AS r WHERE {' AND '.join(where)} "
        f"ORDER BY r.surname, r.forename, r.record_id LIMIT {MOST}",
        params,
    )
    return load_records(snapshot, [(record_id, "", "b") for (record_id,) in rows])
