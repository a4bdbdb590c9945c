"""The commands of custody: `audit`, `requests`, `keys`, `reid`, `disclose`, `erase`, `scan`."""

from pathlib import Path

import click

from boroughlink.options import DATA, JSON, SOURCES, folder, show

_WHY = "Why, in a sentence that the second person can judge by."
REASON = click.option("--reason", help=_WHY)
REASON_NEEDED = click.option("--reason", required=True, help=_WHY)
READER = click.option("--to", "reader", required=True, metavar="AGE1...", help="The reader's public age key.")
REQUEST = click.option("--request", "request_id", help="The approved request.")
REQUEST_ID = click.argument("request_id", metavar="REQUEST")


@click.group()
def audit() -> None:
    """The chain of what was done."""


@audit.command("verify")
@DATA
@JSON
def audit_verify(data: str, as_json: bool) -> None:
    """Check the whole chain, also against the heads kept outside the store, and the rows that decide something; names
    the first bad entry and row."""
    from pipelines.custody.auditing import verified

    fine, answer = verified(folder(data))
    show(answer, as_json)
    raise SystemExit(0 if fine else 1)


@audit.command("person")
@DATA
@click.argument("person_id", metavar="ID")
@JSON
def audit_person(data: str, person_id: str, as_json: bool) -> None:
    """Who looked at this person: every entry about them, by any of their ids or records."""
    from pipelines.custody.auditing import looks_at

    show(looks_at(folder(data), person_id), as_json)


@audit.command("user")
@DATA
@click.argument("name", metavar="LOGIN")
@JSON
def audit_user(data: str, name: str, as_json: bool) -> None:
    """What this user did and saw."""
    from pipelines.custody.auditing import seen_by

    show(seen_by(folder(data), name), as_json)


@click.group(invoke_without_command=True)
@DATA
@click.option("--all", "every", is_flag=True, help="Also those that are over.")
@JSON
@click.pass_context
def requests(context: click.Context, data: str, every: bool, as_json: bool) -> None:
    """Acts that wait for a second person, or were answered."""
    if context.invoked_subcommand is None:
        from pipelines.custody.asking import listed

        show(listed(folder(data), every), as_json)


@requests.command("show")
@DATA
@REQUEST_ID
@JSON
def requests_show(data: str, request_id: str, as_json: bool) -> None:
    """One request: its reason and what exactly is asked. Noted in the audit."""
    from pipelines.custody.asking import shown

    show(shown(folder(data), request_id), as_json)


@requests.command("approve")
@DATA
@REQUEST_ID
def requests_approve(data: str, request_id: str) -> None:
    """Approve what another person asked for."""
    from pipelines.custody.asking import answered

    click.echo(answered(folder(data), request_id, yes=True))


@requests.command("refuse")
@DATA
@REQUEST_ID
def requests_refuse(data: str, request_id: str) -> None:
    """Turn down what another person asked for."""
    from pipelines.custody.asking import answered

    click.echo(answered(folder(data), request_id, yes=False))


@click.group()
def keys() -> None:
    """The keys of a data folder: never shown, wrapped by one key from outside."""


@keys.command("list")
@DATA
@JSON
def keys_list(data: str, as_json: bool) -> None:
    """Each key: what it opens, its state, whether it is in escrow, which kinds of process are given it."""
    from pipelines.custody.keyholding import listed

    show(listed(folder(data)), as_json)


@keys.command("rotate")
@DATA
@click.option("--new", help="A file for the next key-encryption key, outside the data folder; made if it isn't there.")
def keys_rotate(data: str, new: str | None) -> None:
    """Wrap every key under a new key-encryption key. No data is touched."""
    from pipelines.custody.keyholding import rotated

    click.echo(rotated(folder(data), Path(new) if new else None))


@keys.command("custodian")
@click.option("--out", required=True, help="The custodian's own key file; it stays with the custodian.")
def keys_custodian(out: str) -> None:
    """Make a custodian's key file, and print the recipient to give to `keys escrow --to`."""
    from pipelines.governance.escrow import make_custodian

    click.echo(make_custodian(Path(out)))


@keys.command("escrow")
@DATA
@click.option("--to", "custodians", multiple=True, metavar="NAME=RECIPIENT", help="A custodian; two or more.")
@REASON
@REQUEST
@click.option("--out", help="With --request: a folder outside the data folder.")
def keys_escrow(
    data: str, custodians: tuple[str, ...], reason: str | None, request_id: str | None, out: str | None
) -> None:
    """A spare copy of all keys that two custodians can open together, and none alone. Ask with --to and --reason; once
    another person has approved, make it with --request and --out."""
    from pipelines.custody.keyholding import ask_escrow, make_escrow

    if request_id and out:
        click.echo(make_escrow(folder(data), request_id, Path(out)))
    elif custodians and reason:
        click.echo(ask_escrow(folder(data), custodians, reason))
    else:
        raise click.UsageError("Give --to and --reason to ask, or --request and --out to make it.")


@keys.command("destroy")
@DATA
@click.argument("name", required=False)
@REASON
@REQUEST
def keys_destroy(data: str, name: str | None, reason: str | None, request_id: str | None) -> None:
    """Destroy a key for good. Ask with NAME and --reason; once another person has approved, do it with --request."""
    from pipelines.custody.keyholding import ask_destruction, destroyed

    if request_id:
        click.echo(destroyed(folder(data), request_id))
    elif name and reason:
        click.echo(ask_destruction(folder(data), name, reason))
    else:
        raise click.UsageError("Give NAME and --reason to ask, or --request to do it.")


@keys.command("restore")
@DATA
@click.argument("escrow", type=click.Path())
@click.option(
    "--custodian", "custodians", multiple=True, required=True, help="A custodian's key file; both are needed."
)
def keys_restore(data: str, escrow: str, custodians: tuple[str, ...]) -> None:
    """Write a lost keystore anew from an escrow file, under the key-encryption key at hand."""
    from pipelines.custody.keyholding import restored

    click.echo(restored(folder(data), Path(escrow), [Path(path) for path in custodians]))


@click.group()
def reid() -> None:
    """Name the people behind pseudonyms: asked for, approved by another person, sealed for one reader."""


@reid.command("request")
@DATA
@click.argument("release_id", metavar="RELEASE")
@click.argument("pseudonyms", nargs=-1, required=True)
@click.option("--basis", required=True, help="The legal basis on which they may be named.")
@REASON_NEEDED
def reid_request(data: str, release_id: str, pseudonyms: tuple[str, ...], basis: str, reason: str) -> None:
    """Ask who up to 50 people of a release are."""
    from pipelines.custody.reidentification import ask

    click.echo(ask(folder(data), release_id, pseudonyms, basis, reason))


@reid.command("approve")
@DATA
@REQUEST_ID
def reid_approve(data: str, request_id: str) -> None:
    """Consent, as another person than who asked."""
    from pipelines.custody.asking import answered
    from pipelines.custody.reidentification import KIND

    click.echo(answered(folder(data), request_id, yes=True, kind=KIND))


@reid.command("reveal")
@DATA
@REQUEST_ID
@READER
def reid_reveal(data: str, request_id: str, reader: str) -> None:
    """Write the answer, sealed for the reader and removed after seven days."""
    from pipelines.custody.reidentification import reveal

    click.echo(reveal(folder(data), request_id, reader))


@click.group()
def disclose() -> None:
    """What is held of one person's records: for the police, the person, about a debt; approved, and sealed."""


@disclose.command("request")
@DATA
@click.argument("records", nargs=-1, required=True, metavar="RECORD...")
@click.option("--purpose", required=True, help="For which purpose, such as police, debt or subject_access.")
@click.option(
    "--basis", required=True, help="The legal basis on which it may be told, and by which letter it was asked."
)
@REASON_NEEDED
def disclose_request(data: str, records: tuple[str, ...], purpose: str, basis: str, reason: str) -> None:
    """Ask for what the sources hold of up to 50 records, named by id: no link is followed."""
    from pipelines.custody.disclosure import ask

    click.echo(ask(folder(data), purpose, records, basis, reason))


@disclose.command("reveal")
@DATA
@REQUEST_ID
@READER
def disclose_reveal(data: str, request_id: str, reader: str) -> None:
    """Once another person has approved: write the answer, sealed for the reader and removed after seven days."""
    from pipelines.custody.disclosure import reveal

    click.echo(reveal(folder(data), request_id, reader))


@click.group()
def erase() -> None:
    """The right to erasure: a person taken out of every store, approved by another, or refused on a ground."""


@erase.command("request")
@DATA
@click.argument("named", metavar="RECORD|PERSON")
@click.option("--basis", required=True, help="The ground, by its short name; a wrong one shows the list.")
@REASON_NEEDED
def erase_request(data: str, named: str, basis: str, reason: str) -> None:
    """Ask that a record, or every record of a person, be erased."""
    from pipelines.erasure.asking import ask

    click.echo(ask(folder(data), named, basis, reason))


@erase.command("approve")
@DATA
@REQUEST_ID
def erase_approve(data: str, request_id: str) -> None:
    """Consent, as another person than who asked."""
    from pipelines.custody.asking import answered
    from pipelines.governance.erasure_grounds import KIND

    click.echo(answered(folder(data), request_id, yes=True, kind=KIND))


@erase.command("refuse")
@DATA
@REQUEST_ID
@click.option("--exemption", required=True, help="The ground, by its short name; a wrong one shows the list.")
@click.option("--reason", required=True, help="Why, in a sentence that the person can be told.")
def erase_refuse(data: str, request_id: str, exemption: str, reason: str) -> None:
    """Turn it down on a ground of the law (Article 17(3)), as another person than who asked."""
    from pipelines.erasure.asking import refuse

    click.echo(refuse(folder(data), request_id, exemption, reason))


@erase.command("run")
@DATA
@REQUEST_ID
@SOURCES
@JSON
def erase_run(data: str, request_id: str, sources: str | None, as_json: bool) -> None:
    """Carry out an approved erasure everywhere, and say whom to tell. After a kill, the same command completes it."""
    from pipelines.erasure.carrying_out import carry_out

    show(carry_out(folder(data), request_id, sources), as_json)


@erase.command("list")
@DATA
@JSON
def erase_list(data: str, as_json: bool) -> None:
    """Every erasure that was asked for: its ground, its state, until when it must be done."""
    from pipelines.erasure.asking import listed

    show(listed(folder(data)), as_json)


@click.command()
@click.argument("path", type=click.Path())
@click.option("--canaries", help="A file of planted values, one a line: found in any case, encoding or plain hash.")
@click.option("--except", "exceptions", help="A file of names below PATH that may hold people, one a line, with why.")
@click.option("--no-patterns", is_flag=True, help="Look for the canaries alone.")
@click.option("--keys-of", help="A data folder whose keys open what is encrypted. Noted in its audit.")
@JSON
def scan(
    path: str, canaries: str | None, exceptions: str | None, no_patterns: bool, keys_of: str | None, as_json: bool
) -> None:
    """Find identifiers in any folder, database or archive. Says where and how many, never which.

    Exit 0: nothing found. Exit 1: something found, or a file that should open doesn't. What is encrypted and whose key
    is not at hand is counted and named, and is no failure: its bytes show nothing; --keys-of looks into it.
    """
    from pipelines.custody.scan_answer import scanned

    named = folder(keys_of) if keys_of else None
    planted, passed = (Path(name) if name else None for name in (canaries, exceptions))
    fine, answer = scanned(Path(path), planted, passed, not no_patterns, named)
    show(answer, as_json)
    raise SystemExit(0 if fine else 1)
