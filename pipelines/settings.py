"""The council's settings, and where everything of one data folder lies.

Settings come, in rising order of precedence, from the defaults below, `boroughlink.yaml` in the data folder, and the
environment (`BOROUGHLINK_<NAME>`). Keys are never settings: see `pipelines.keys`.
"""

import difflib
import math
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from linkage_models.thresholds import BLOCKING_RECALL, CLUSTER_STOP, TARGET_PRECISION
from pipelines.faults import BoroughlinkError as BoroughlinkError

SHIPPED_SOURCES = Path(__file__).parent / "sources" / "shipped"
#: At the top of a checkout; a wheel carries it inside the package.
SHIPPED_DAGSTER = next(path for folder in Path(__file__).parents[:2] if (path := folder / "dagster.yaml").exists())
SETTINGS_FILE = "boroughlink.yaml"
#: Of real data these stand in the folder's own file alone: whoever starts a process chooses its environment.
NOT_FROM_OUTSIDE = (
    *("holds", "clock", "anchor", "roles", "logins", "dpia_reference", "key_escrow"),
    *("operations_url", "oidc_issuer", "oidc_client_id", "oidc_domains"),
)
_months: list[date] = []
MODEL_NAME = re.compile(r"[a-z][a-z0-9-]{0,59}")


class Settings(BaseModel):
    """What a council may set; `docs/settings.md` explains each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    council: str = "Southend-on-Sea City Council"
    timezone: str = "Europe/London"
    holds: Literal["synthetic", "real"] | None = None
    dpia_reference: str | None = None
    key_escrow: str | None = None
    anchor: Path | None = None
    roles: dict[str, tuple[str, ...]] = {}
    logins: dict[str, tuple[str, ...]] = {}
    clock: date | None = None
    memory_limit: str = Field("3GB", pattern=r"^\d+(\.\d+)? ?[KMGT]i?B$")
    threads: int = Field(default_factory=lambda: min(os.cpu_count() or 2, 8), ge=1)
    nightly_at: str = Field("02:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    export_days: int = Field(90, ge=1)
    notices_to: str | None = Field(None, pattern=r"^[^@\s,]+@[^@\s,]+(, ?[^@\s,]+@[^@\s,]+)*$")
    notices_from: str | None = Field(None, pattern=r"^[^@\s,]+@[^@\s,]+$")
    notices_timeout: int = Field(10, ge=1, le=60)
    smtp_host: str | None = None
    smtp_port: int = Field(587, ge=1, le=65_535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    operations_url: str | None = Field(None, pattern=r"^postgresql\+psycopg://")
    oidc_issuer: str | None = Field(None, pattern=r"^https?://")
    oidc_client_id: str | None = None
    oidc_domains: tuple[str, ...] | None = None
    target_precision: float = Field(TARGET_PRECISION, ge=0.5, le=0.9999)
    cluster_stop: float = Field(CLUSTER_STOP, gt=math.log2(1 - BLOCKING_RECALL))  # at a missing pair's weight all merge
    model: str = "shipped"
    landing: Path | None = None
    sources: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Whose contracts replace the shipped set is not the council of the shipped set, and says its own name."""
        return {"council": ""} | values if values.get("sources") else values

    @field_validator("model")
    @classmethod
    def _a_name(cls, name: str) -> str:
        if not MODEL_NAME.fullmatch(name):
            raise ValueError("is no model's name; write shipped, newest, or a name that `boroughlink models` lists")
        return name

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("is no timezone; write for instance Europe/London")
        return name

    @property
    def states_target(self) -> bool:
        """Whether somebody asks for `target_precision`: then persons are held to it, not pairs alone."""
        return "target_precision" in self.model_fields_set

    @property
    def declared(self) -> bool:
        """Whether somebody has said what the folder holds; until then only what says it is invented is taken in."""
        return self.holds is not None

    def today(self) -> date:
        """The day on which checks of age and freshness stand: `clock` if set, else today in the council's timezone."""
        return self.clock or datetime.now(ZoneInfo(self.timezone)).date()


@dataclass(frozen=True)
class DataFolder:
    """The one folder that holds everything of a council, as resolved absolute paths.

    With a `day`, readers see the reconstruction of that past day in place of the last published run.
    """

    root: Path
    day: date | None = None

    @classmethod
    def at(cls, path: Path | str, day: date | None = None) -> "DataFolder":
        return cls(Path(path).expanduser().resolve(), day)

    def standing(self) -> "DataFolder":
        """Itself: nothing is made for whoever mistypes its name. Raises BoroughlinkError where it isn't there."""
        if not self.root.is_dir():
            raise BoroughlinkError(f"There is no data folder at {self.root}.")
        return self

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def identity(self) -> Path:
        return self.root / "identity.duckdb"

    @property
    def attributes(self) -> Path:
        return self.root / "attributes.duckdb"

    @property
    def operations(self) -> Path:
        return self.root / "operations.sqlite"

    @property
    def published(self) -> Path:
        return self.reconstruction(self.day) if self.day else self.root / "published"

    def reconstruction(self, day: date) -> Path:
        """Where `run --as-of` publishes what was known on a past day."""
        return self.root / "as-of" / day.isoformat()

    @property
    def current(self) -> Path:
        return self.published / "CURRENT"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def exports(self) -> Path:
        return self.root / "exports"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def temp(self) -> Path:
        return self.root / "tmp"

    @property
    def dagster(self) -> Path:
        return self.root / ".dagster"

    @property
    def lock(self) -> Path:
        return self.root / "run.lock"

    def make(self) -> "DataFolder":
        """Create the folders, readable by their owner only."""
        os.umask(0o077)
        for folder in (
            self.root,
            self.landing,
            self.archive,
            self.keys,
            self.published,
            self.releases,
            self.exports,
            self.models,
            self.work,
            self.temp,
            self.dagster,
        ):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        return self


def load_settings(folder: DataFolder) -> Settings:
    """Read the settings of a data folder.

    Raises BoroughlinkError, naming file, line and setting, when the file can't be read as settings.
    """
    path = folder.root / SETTINGS_FILE
    values: dict[str, Any] = {}
    if path.exists():
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except yaml.YAMLError as fault:
            mark = getattr(fault, "problem_mark", None)
            where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
            raise BoroughlinkError(f"{path}{where}: not valid YAML; mend the file or remove it.") from None
        except (OSError, UnicodeDecodeError) as fault:
            raise BoroughlinkError(f"{path}: can't be read as UTF-8 text ({type(fault).__name__}).") from None
        except (ValueError, RecursionError):
            raise BoroughlinkError(f"{path}: holds a value that can't be, such as a day that no month has.") from None
        if not isinstance(values, dict):
            raise BoroughlinkError(f"{path}: a list of `name: value` lines is expected.")
    real = values.get("holds") == "real"
    if real and os.environ.get("BOROUGHLINK_DEBUG"):  # whose texts quote values, in Dagster's history too
        raise BoroughlinkError("--debug (BOROUGHLINK_DEBUG) is for invented people: this folder holds real ones.")
    for name in Settings.model_fields:
        if (given := os.environ.get(f"BOROUGHLINK_{name.upper()}")) is not None:
            if real and name in NOT_FROM_OUTSIDE and given != str(values.get(name)):
                raise BoroughlinkError(
                    f"BOROUGHLINK_{name.upper()} can't be said from outside over real data: `{name}` stands in {path}."
                )
            values[name] = given
    if folder.day or _months:
        values["clock"] = folder.day or _months[-1]
    try:
        return Settings(**values)
    except ValidationError as fault:
        first = fault.errors(include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            near = difflib.get_close_matches(name, Settings.model_fields, 1)
            meant = f"did you mean `{near[0]}`?" if near else "docs/settings.md lists them."
            raise BoroughlinkError(f"{path}: there is no setting `{name}`: {meant}") from None
        raise BoroughlinkError(f"{path}: setting `{name}`: {first['msg']}.") from None


@contextmanager
def standing_on(day: date) -> Iterator[None]:
    """Let the settings that are read inside say that this day is today."""
    _months.append(day)
    try:
        yield
    finally:
        _months.pop()


def write_settings(folder: DataFolder, **values: object) -> None:
    """Write `boroughlink.yaml` if the folder has none yet."""
    path = folder.root / SETTINGS_FILE
    if not path.exists():
        write_atomically(path, yaml.safe_dump(values, sort_keys=True).encode())


def remember(folder: DataFolder, **values: Path | str) -> None:
    """Set these settings in `boroughlink.yaml`, leaving its other lines as they are."""
    path = folder.root / SETTINGS_FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [line for line in lines if line.split(":")[0] not in values]
    new = [
        yaml.safe_dump({name: str(value)}, allow_unicode=True, width=10_000).strip() for name, value in values.items()
    ]
    write_atomically(path, ("\n".join([*kept, *new]) + "\n").encode())


def located(
    folder: DataFolder, landing: Path | str | None = None, sources: Path | str | None = None
) -> tuple[Path, Path]:
    """Where deliveries lie and where the contracts are: as given, else as the settings say, else the folder's own
    landing and the shipped set."""
    settings = load_settings(folder)
    inbox, contracts = landing or settings.landing or folder.landing, sources or settings.sources or SHIPPED_SOURCES
    return Path(inbox).expanduser().resolve(), Path(contracts).expanduser().resolve()


def write_atomically(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file whole or not at all: beside, flushed to disk, renamed; durable when this returns.

    A pipe or a device (`/dev/stdout`) is written to, never replaced. Raises BoroughlinkError at a folder.
    """
    if path.is_dir():
        raise BoroughlinkError(f"{path} is a folder; name a file.")
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        beside.chmod(mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def now() -> datetime:
    """The wall clock, for logs and timings only; figures stand on `Settings.today`."""
    return datetime.now(UTC)
