"""The two ways out: mail by SMTP, and a webhook. Each within a deadline that no server can stretch.

What a notice needs to be let in (a password, a token, the webhook's address, which is one) comes from the environment
or a file that its owner alone may read, never from the settings.
"""

import os
import smtplib
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import urlsplit

from pipelines.faults import BoroughlinkError
from pipelines.given_secrets import given_secret
from pipelines.notices.occasions import Notice
from pipelines.settings import Settings

SMTP_PASSWORD, WEBHOOK_URL, WEBHOOK_TOKEN = (
    "BOROUGHLINK_SMTP_PASSWORD",
    "BOROUGHLINK_WEBHOOK_URL",
    "BOROUGHLINK_WEBHOOK_TOKEN",
)
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class NotSent(BoroughlinkError):
    """A notice did not go out; the text says why, without what the server said."""


@dataclass(frozen=True)
class Channel:
    """A way out and how to use it; `send` raises NotSent."""

    name: str
    send: Callable[[Notice], None]


def channels(settings: Settings) -> Iterator[Channel]:
    """The ways that are set up; none by default."""
    if settings.notices_to:
        yield Channel("mail", lambda notice: _mail(settings, notice))
    if os.environ.get(WEBHOOK_URL) or os.environ.get(WEBHOOK_URL + "_FILE"):
        yield Channel("webhook", lambda notice: _post(settings, notice))


def within(seconds: float, send: Callable[[], None]) -> None:
    """Send, or raise NotSent when the time is over: a server that dribbles its answer holds a thread, never the run."""
    failed: list[BaseException] = []

    def work() -> None:
        try:
            send()
        except BaseException as fault:  # noqa: BLE001 - told by the thread that waits
            failed.append(fault)

    thread = threading.Thread(target=work, daemon=True, name="notice")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise NotSent(f"no answer within {seconds:g} seconds")
    if failed:
        raise failed[0] if isinstance(failed[0], NotSent) else NotSent(type(failed[0]).__name__) from None


def secret(name: str) -> str | None:
    """As given_secret. Raises NotSent for a file that others may read, or that can't be read."""
    try:
        return given_secret(name)
    except BoroughlinkError as fault:
        raise NotSent(str(fault)) from None


def _mail(settings: Settings, notice: Notice) -> None:
    host, port = settings.smtp_host or "localhost", settings.smtp_port
    message = EmailMessage()
    message["Subject"] = f"Boroughlink: {notice.subject}"
    message["From"] = settings.notices_from or "boroughlink@localhost"
    message["To"] = settings.notices_to or ""
    message.set_content(notice.text)
    context = ssl.create_default_context()
    if settings.smtp_security == "none" and host not in _HERE:
        raise NotSent("smtp_security: none is for a mail server on this machine alone")
    try:
        if settings.smtp_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=settings.notices_timeout, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=settings.notices_timeout)
        with server:
            if settings.smtp_security == "starttls":
                server.starttls(context=context)
            if settings.smtp_user:
                server.login(settings.smtp_user, secret(SMTP_PASSWORD) or "")
            server.send_message(message)
    except smtplib.SMTPResponseException as fault:
        raise NotSent(f"the mail server answered {fault.smtp_code}") from None
    except (OSError, smtplib.SMTPException, ssl.SSLError) as fault:
        raise NotSent(f"the mail server can't be used ({type(fault).__name__})") from None


def _post(settings: Settings, notice: Notice) -> None:
    import httpx

    url = secret(WEBHOOK_URL) or ""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
        raise NotSent("the webhook's address must begin with https://")
    token = secret(WEBHOOK_TOKEN)
    told = {"event": notice.event, "subject": notice.subject, "text": notice.text, "mark": notice.mark}
    try:
        with httpx.stream(  # its body is never read: it may be of any size, and never end
            "POST",
            url,
            json=told,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=settings.notices_timeout,
            follow_redirects=False,
        ) as answer:
            pass
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        raise NotSent(f"the webhook can't be used ({type(fault).__name__})") from None
    if not answer.is_success:
        raise NotSent(f"the webhook answered {answer.status_code}")
