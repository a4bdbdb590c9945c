"""The keys as their custodians handle them: listed, rotated, put in escrow, destroyed, restored. All of it audited."""

from collections.abc import Sequence
from pathlib import Path

from pipelines.custody.asking import waiting
from pipelines.custody.sealed_under import sealed_under
from pipelines.faults import BoroughlinkError
from pipelines.governance import approvals, audit, escrow
from pipelines.governance.actors import acting
from pipelines.governance.approvals import roles_needed
from pipelines.keys import keyring
from pipelines.keys.for_good import KEY_DESTROYED
from pipelines.keys.keyring import JOBS, OPENS, STANDING_KEYS, STORE, open_keyring
from pipelines.keys.keystore import STORE_FILE, Keystore
from pipelines.operations import Operations, standing_store
from pipelines.reading.answer import Answer
from pipelines.settings import DataFolder, load_settings

ESCROW, DESTRUCTION = "escrow of keys", KEY_DESTROYED.removesuffix(" done")
CUSTODIAN = "key_custodian"
_GONE = (
    "The key `{name}` is destroyed: {opens} can't be opened again. "
    "Copies of it lie in backups of keys/ and in the escrow: destroy those too."
)


def listed(folder: DataFolder) -> Answer:
    """Each key: what it opens, its state, and which kinds of process are given it; never a key."""
    ring = open_keyring(folder, load_settings(folder), ())
    store, noted = Keystore.read(folder.keys / STORE_FILE), escrow.noted(folder)
    rows = [
        (
            name,
            OPENS.get(name, ""),
            f"destroyed {entry.destroyed[:10]}" if entry.destroyed else "active",
            entry.created[:10],
            "yes" if noted and noted["of"].get(name, None) == entry.created and entry.wrapped else "no",
            "; ".join(job for job, held in JOBS.items() if name in held),
        )
        for name, entry in sorted(store.entries.items())
    ]
    made = f"made {noted['made'][:10]} for {' and '.join(noted['custodians'])}" if noted else "none"
    said = (f"The key that wraps these comes from {ring.origin}.", f"Escrow: {made}.")
    return Answer(said, [("Keys", ("key", "opens", "state", "made", "in escrow", "given to"), rows)])


def rotated(folder: DataFolder, new: Path | None) -> str:
    """Wrap the keys under a new key-encryption key."""
    with standing_store(folder) as operations:
        place = keyring.rotate(folder, load_settings(folder), new)
        audit.record(operations, acting(folder).login, "key-encryption key rotated", "keystore")
    return (
        f"Every key is wrapped anew; the key-encryption key is in {place}. Let BOROUGHLINK_KEK_FILE or your key vault "
        "give the new one from now on, and destroy the old."
    )


def ask_escrow(folder: DataFolder, custodians: Sequence[str], reason: str) -> str:
    """Ask for an escrow of all keys to these custodians: it takes a second person, for it is a copy of everything."""
    settings = load_settings(folder)
    named = escrow.parsed(custodians, settings.holds == "real", settings)
    with standing_store(folder) as operations:
        request = approvals.ask(
            operations, acting(folder), ESCROW, "+".join(sorted(named)), reason,
            particulars={"custodians": named}, roles=roles_needed(settings, CUSTODIAN),
        )  # fmt: skip
    return waiting(request, ESCROW)


def make_escrow(folder: DataFolder, request_id: str, out: Path) -> str:
    """Write the escrow that was approved."""
    with standing_store(folder, STANDING_KEYS) as operations:
        request = approvals.standing(operations, request_id, ESCROW)
        held = dict(operations.keyring.keys)
        written = escrow.seal(folder, held, request.said["custodians"], out)
        approvals.done(operations, acting(folder), request, files=[path.name for path in written])
    named = "\n".join(f"  {path}" for path in written)
    return (
        f"The keys are in escrow; each file opens with the key files of both custodians in its name:\n{named}\n"
        "Give them into safe keeping elsewhere, and say where in `key_escrow`."
    )


def ask_destruction(folder: DataFolder, name: str, reason: str) -> str:
    """Ask for a key's destruction. Raises BoroughlinkError for one that can't go alone."""
    if name in STORE:
        raise BoroughlinkError(
            f"Without `{name}` the audit could not tell of its destruction: it goes with the whole data folder."
        )
    if not (folder.keys / STORE_FILE).exists() or name not in Keystore.read(folder.keys / STORE_FILE).held:
        raise BoroughlinkError(f"There is no active key `{name}`; `boroughlink keys list` shows them.")
    settings = load_settings(folder)
    with standing_store(folder) as operations:
        if name in _end_again(folder, operations):
            return _GONE.format(name=name, opens=OPENS[name])
        request = approvals.ask(
            operations, acting(folder), DESTRUCTION, name, reason, particulars={"key": name},
            roles=roles_needed(settings, CUSTODIAN),
        )  # fmt: skip
    return waiting(request, DESTRUCTION)


def destroyed(folder: DataFolder, request_id: str) -> str:
    """Destroy the key whose destruction was approved; or was begun, and cut off."""
    with standing_store(folder) as operations:
        request = approvals.find(operations, request_id)
        if request.object not in _end_again(folder, operations):
            request = approvals.standing(operations, request_id, DESTRUCTION)
            approvals.done(operations, acting(folder), request)
            keyring.destroy(folder, request.object)
    return _GONE.format(name=request.object, opens=OPENS[request.object])


def _end_again(folder: DataFolder, operations: Operations) -> list[str]:
    """Destroy what the audit knows as destroyed and is there: a kill came between, or an older keystore is back."""
    back = sorted(operations.first_of(KEY_DESTROYED).keys() & set(Keystore.read(folder.keys / STORE_FILE).held))
    for name in back:
        keyring.destroy(folder, name)
        audit.record(operations, acting(folder).login, "key destroyed again", name)
    return back


def restored(folder: DataFolder, sealed: Path, custodians: Sequence[Path]) -> str:
    """Write the keystore anew from an escrow file, opened with its custodians' key files."""
    folder.make()
    settings = load_settings(folder)
    held = escrow.open_escrow(sealed, custodians)
    lacks = sorted(set(STANDING_KEYS) - set(held))
    keyring.restore(folder, settings, held, sealed_under(folder, lacks))
    with standing_store(folder) as operations:
        gone = _end_again(folder, operations)  # the escrow is older than its end
        back, new = sorted(set(held) - set(gone)), [name for name in lacks if name not in gone]
        audit.record(operations, acting(folder).login, "keys restored", "keystore", keys=back, stay_gone=gone, new=new)
    made = f" The escrow lacks {', '.join(new)}: made anew, for nothing lies sealed under it." if new else ""
    return (
        f"{len(back)} keys restored from {sealed.name}.{made} `boroughlink doctor` proves them; make a new escrow soon."
    )
