"""The escrow of the keys: a copy that any two of the named custodians can open together, and none alone.

For each pair of custodians one file in the age format (age-encryption.org), sealed for the one and then for the other:
the stock `age` opens it too. One custodian alone gets a copy only over invented data.
"""

import json
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from typing import Any

import pyrage

from pipelines.faults import BoroughlinkError
from pipelines.governance.actors import canonical
from pipelines.keys.age_keys import age_key
from pipelines.keys.keystore import STORE_FILE, KeyFault, Keystore
from pipelines.settings import DataFolder, Settings, now, write_atomically

NOTE = "escrow.json"


def make_custodian(out: Path) -> str:
    """Make a custodian's own key file, readable by its owner; returns the recipient, which may be known."""
    if out.exists():
        raise BoroughlinkError(f"{out} is there already; a key file is never written over.")
    identity = pyrage.x25519.Identity.generate()
    write_atomically(out, f"# public key: {identity.to_public()}\n{identity}\n".encode(), mode=0o400)
    return str(identity.to_public())


def parsed(given: Sequence[str], real: bool, settings: Settings | None = None) -> dict[str, str]:
    """`name=age1...` custodians of the command line, each a person by their one login. Raises BoroughlinkError."""
    found = {}
    for name, _, recipient in (one.partition("=") for one in given):
        found[canonical(name, settings)] = str(age_key(recipient, f"--to {name}=…"))
    for name in found:
        if not name.isidentifier() and not name.replace(".", "_").replace("-", "_").isidentifier():
            raise BoroughlinkError("--to: write NAME=RECIPIENT, NAME being a custodian's login.")
    if len(found) != len(given) or len(set(found.values())) != len(found):
        raise BoroughlinkError("--to: each custodian once, each with a recipient of their own.")
    if not found or (real and len(found) < 2):
        raise BoroughlinkError("Real data needs two custodians or more: `--to ann=age1… --to bob=age1…`.")
    return found


def seal(folder: DataFolder, keys: Mapping[str, bytes], custodians: Mapping[str, str], out: Path) -> list[Path]:
    """Write the escrow into a folder outside the data folder and note that it was made; returns the files."""
    target = out.expanduser().resolve()
    if target == folder.root or folder.root in target.parents:
        raise BoroughlinkError("An escrow lies outside the data folder: whoever takes the one must not have the other.")
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    package = json.dumps({"made": now().isoformat(), "keys": {name: key.hex() for name, key in keys.items()}}).encode()
    written = []
    for names in combinations(sorted(custodians), min(2, len(custodians))):
        sealed = package
        for name in names:
            sealed = pyrage.encrypt(sealed, [age_key(custodians[name])])
        path = target / f"boroughlink-keys-{'+'.join(names)}.age"
        write_atomically(path, sealed)
        written.append(path)
    note = {
        "made": now().isoformat(timespec="seconds"),
        "custodians": sorted(custodians),
        "of": Keystore.read(folder.keys / STORE_FILE).held,
    }
    write_atomically(folder.keys / NOTE, json.dumps(note, indent=1).encode())
    return written


def noted(folder: DataFolder) -> dict[str, Any] | None:
    """What is known of the last escrow: when, whose, and of which keys."""
    try:
        return dict(json.loads((folder.keys / NOTE).read_text()))
    except (OSError, ValueError):
        return None


def open_escrow(sealed: Path, custodians: Sequence[Path]) -> dict[str, bytes]:
    """The keys of an escrow file, opened with its custodians' key files, in any order. Raises KeyFault."""
    try:
        content = sealed.read_bytes()
    except OSError:
        raise KeyFault(f"{sealed} can't be read.") from None
    identities = list(_identities(custodians))
    while identities and content.startswith(b"age-encryption.org/"):
        for identity in identities:
            with suppress(pyrage.DecryptError):
                content = pyrage.decrypt(content, [identity])
                identities.remove(identity)
                break
        else:
            break
    try:
        return {name: bytes.fromhex(key) for name, key in json.loads(content)["keys"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KeyFault(
            f"{sealed} does not open with these key files: both custodians named in it are needed, or it is damaged."
        ) from None


def _identities(paths: Sequence[Path]) -> Iterator[Any]:
    for path in paths:
        if not path.is_file():
            raise KeyFault(f"The custodian's key file {path} is not there.")
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise KeyFault(f"{path} can be read by others: run `chmod 400 {path}`, and make a new one soon.")
        for line in path.read_text().splitlines():
            if line.startswith("AGE-SECRET-KEY-"):
                yield pyrage.x25519.Identity.from_str(line.strip())
