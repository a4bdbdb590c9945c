"""Who is signed in, kept here and not in the cookie: a session that has ended can't be played back."""

import secrets
import threading
import time
from dataclasses import dataclass, field

from review_app.policy import policy
from review_app.roles import User


@dataclass
class Session:
    """`shown` is the flagged pair that was unmasked, and until when (monotonic seconds)."""

    user: User
    begun: float = field(default_factory=time.monotonic)
    seen: float = field(default_factory=time.monotonic)
    shown: tuple[str, float] = ("", 0.0)

    @property
    def ended(self) -> bool:
        moment, idle, longest = time.monotonic(), policy()["idle_minutes"] * 60, policy()["session_hours"] * 3600
        return moment > self.seen + idle or moment > self.begun + longest


class Sessions:
    """Sessions by the secret that their cookie holds; they end with the app."""

    def __init__(self) -> None:
        self._held: dict[str, Session] = {}
        self._lock = threading.Lock()

    def begin(self, user: User) -> str:
        secret = secrets.token_urlsafe(32)
        with self._lock:
            self._held = {key: held for key, held in self._held.items() if not held.ended}
            self._held[secret] = Session(user)
        return secret

    def find(self, secret: str) -> Session | None:
        """The session, which goes on from now; None if it has ended."""
        with self._lock:
            held = self._held.get(secret)
            if held is None or held.ended:
                self._held.pop(secret, None)
                return None
            held.seen = time.monotonic()
            return held

    def end(self, secret: str) -> None:
        with self._lock:
            self._held.pop(secret, None)
