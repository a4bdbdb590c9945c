"""Who acts: one canonical login for a person, however the person came in, and the roles that the council gave it.

On the command line the operating system says who it is (never a variable that anyone can set); in the app, the session.
Two spellings of a login are one person: case, a domain before it or a host after it make no difference, and neither do
the further logins that the settings name as the same person's.
"""

import os
import pwd
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.faults import BoroughlinkError
from pipelines.settings import DataFolder, Settings, load_settings

#: Plays another person, in a folder of invented people only: a trial of four eyes needs two.
PLAYED = "BOROUGHLINK_ACTOR"
_NO_LOGIN_UID = "4294967295"


@dataclass(frozen=True)
class Actor:
    """A person who acts. `names` are all canonical logins by which this process can be known, `login` among them; not
    `proven` is who could be anyone."""

    login: str
    roles: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    proven: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", self.names | {self.login})

    def is_one_of(self, names: frozenset[str]) -> bool:
        """Whether this is the same person as one who is known by any of these names."""
        return bool(self.names & names)


def canonical(login: str, settings: Settings | None = None) -> str:
    """The one spelling of a login: `COUNCIL\\Ann.Smith` and `ann.smith@council.gov.uk` are `ann.smith`.

    Raises BoroughlinkError when nothing is left to know anyone by.
    """
    text = unicodedata.normalize("NFKC", login).strip().casefold()
    text = text.rsplit("\\", 1)[-1].split("@", 1)[0].strip()
    if not text or not text.isprintable() or len(text) > 120:
        raise BoroughlinkError("A login of 1 to 120 printable characters is needed to know who acts.")
    for person, further in settings.logins.items() if settings else ():
        if text == canonical(person) or text in {canonical(name) for name in further}:
            return canonical(person)
    return text


def actor(login: str, settings: Settings) -> Actor:
    """The person of a login that the caller has authenticated (a session of the app)."""
    name = canonical(login, settings)
    roles = {role for role, held in settings.roles.items() if name in {canonical(one, settings) for one in held}}
    return Actor(name, frozenset(roles))


def acting(folder: DataFolder, settings: Settings | None = None) -> Actor:
    """The person at the command line.

    Raises BoroughlinkError when somebody plays another person over real data.
    """
    settings = settings or load_settings(folder)
    if played := os.environ.get(PLAYED):
        if settings.holds == "real":
            raise BoroughlinkError(f"{PLAYED} is for folders of invented people: over real data nobody plays another.")
        return actor(played, settings)
    known = actor(person(), settings)
    names = frozenset(canonical(name, settings) for name in _also_known())
    return Actor(known.login, known.roles, names, _user_ids_are_the_machines())


def person() -> str:
    """The login of whoever runs this process: that of the session, which sudo doesn't change, else the process's."""
    with suppress(OSError):
        uid = Path("/proc/self/loginuid").read_text().strip()
        if uid != _NO_LOGIN_UID:
            return _name_of(int(uid))
    return _name_of(os.getuid())


def _user_ids_are_the_machines() -> bool:
    """Whether user ids mean here what they mean on the machine. Anyone may open a user namespace in which theirs is
    another person's (`unshare --map-user`), and the login of the session is told in its terms too."""
    try:
        return Path("/proc/self/uid_map").read_text().split() == ["0", "0", _NO_LOGIN_UID]
    except OSError:  # no Linux: no user namespaces
        return True


def _also_known() -> set[str]:
    """Other names that this process goes by. They are never believed for a person; they only rule an approval out."""
    names = {_name_of(os.getuid()), _name_of(os.geteuid())}
    return names | {name for name in (os.environ.get("SUDO_USER"),) if name}


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
