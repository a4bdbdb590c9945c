"""What an erasure did, and what only others can do: whom to tell (Article 19), and what lies beyond this folder."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.faults import plural
from pipelines.reading.answer import Answer

Table = tuple[str, Sequence[str], Sequence[Sequence[Any]]]


def report(told: Mapping[str, Any]) -> Answer:
    """In words, with a table of the releases that hold the person and one of the files that may."""
    rewritten, removed = told["archive"]
    rows = sum(told["rows"].values())
    said = [
        f"Erased: {plural(rows, 'row')} of {plural(len(told['rows']), 'source')}, with all that followed from them in "
        f"facts, links, attributes and what is published; {plural(rewritten, 'archived file')} written anew, {removed} "
        f"removed whole; {plural(told['folders'], 'older run or past day', 'older runs and past days')} removed.",
        "The same person in a later extract is kept out. `boroughlink run` brings counts and households up to date.",
    ]
    held = [one for one in told["releases"] if one["copies"] or one["state"] not in ("revoked", "expired")]
    if held:
        said.append(
            "Not ours to take back: releases that were handed over. Tell each recipient that the person was erased "
            "(UK GDPR Article 19), or revoke the release."
        )
    if told["exports"]:
        said.append("Files with people by name left before: tell whoever holds one, if the person was in it.")
    if told["inbox"]:
        said.append(
            f"The inbox still holds deliveries as they came ({', '.join(told['inbox'])}): no run has taken them in."
        )
    said.append("A backup from before brings the person back: after restoring one, ask for this erasure again.")
    tables: list[Table] = []
    if told["releases"]:
        heads = ("release", "recipient", "state", "copies handed over", "delete after", "holds the person")
        found = [
            (one["release_id"], one["recipient"], one["state"], one["copies"], one["delete_after"],
             "yes" if one["certain"] else "may: its key or files are gone")
            for one in told["releases"]
        ]  # fmt: skip
        tables.append(("Releases", heads, found))
    if told["exports"]:
        listed = sorted({(each["what"], each["on"], each["by"]) for each in told["exports"]})
        tables.append(("Files that left", ("what", "on", "by"), listed))
    return Answer(said, tables)
