"""Emails to staff: at once for call-backs, complaints and red flags, and a daily digest.

They say what kind, how many, and where to look; never what a visitor wrote or who it was.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from zoneinfo import ZoneInfo

from bot.model import utc_now
from bot.review_model import OPEN_STATES, TO_CALL
from bot.settings import Settings
from bot.store import notices
from bot.store.staff_store import StaffStore

logger = logging.getLogger(__name__)

GIVE_UP_AFTER = 40
"""Attempts; with the pauses between them, about three days."""

_LOOK_BACK = timedelta(days=2)
_TIMEOUT = 20.0

Send = Callable[[EmailMessage], None]

SUBJECTS = {
    notices.CALLBACK: ("1 person asked to be called back", "{} people asked to be called back"),
    notices.COMPLAINT: (
        "1 person asked for somebody of the clinic",
        "{} people asked for somebody of the clinic",
    ),
    notices.RED_FLAG: ("1 red flag in the questions", "{} red flags in the questions"),
    notices.DIGEST: ("The assistant's day", "The assistant's day"),
}
PAGES = {
    notices.CALLBACK: "/callbacks",
    notices.COMPLAINT: "/?reason=out_of_scope",
    notices.RED_FLAG: "/?reason=red_flag",
    notices.DIGEST: "/",
}


class Notifier:
    """Sends what is due. Does nothing while no SMTP server or no address is set.

    zone: the clinic's, for the hour of the digest. send: delivers one email; raises OSError or SMTPException.
    """

    def __init__(
        self, store: StaffStore, settings: Settings, zone: ZoneInfo, send: Send | None = None
    ) -> None:
        self._store = store
        self._settings = settings
        self._zone = zone
        self._send = send or (lambda message: send_by_smtp(settings, message))

    @property
    def is_on(self) -> bool:
        return bool(self._settings.smtp_host and self._settings.mail_to)

    def work(self, now: datetime | None = None) -> int:
        """Queues what is new, sends what is due; the number of emails sent."""
        if not self.is_on:
            return 0
        now = now or utc_now()
        self._store.spool_notices(now - _LOOK_BACK, now)
        local = now.astimezone(self._zone)
        if local.hour >= self._settings.digest_hour:
            self._store.spool_notice(notices.DIGEST, f"digest-{local.date().isoformat()}", now)
        sent = 0
        for kind, taken in self._store.take_notices(now).items():
            ids = [notice_id for notice_id, _ in taken]
            try:
                self._send(self.message(kind, len(ids)))
            except (OSError, smtplib.SMTPException) as error:
                attempts = max(attempts for _, attempts in taken) + 1
                retry = now + timedelta(seconds=min(30 * 2 ** min(attempts, 8), 7200))
                given_up = attempts >= GIVE_UP_AFTER
                self._store.finish_notices(ids, sent=False, retry_at=None if given_up else retry)
                logger.warning(
                    "An email to staff could not be sent (%s); attempt %d.", type(error).__name__, attempts
                )
            else:
                self._store.finish_notices(ids, sent=True)
                sent += 1
        return sent

    def message(self, kind: str, number: int) -> EmailMessage:
        """The email for so many things of a kind."""
        settings = self._settings
        one, many = SUBJECTS[kind]
        message = EmailMessage()
        message["Subject"] = one if number == 1 else many.format(number)
        message["From"] = settings.mail_from or settings.mail_to[0]
        message["To"] = ", ".join(settings.mail_to)
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain="staff.invalid")
        lines = [*(self._digest() if kind == notices.DIGEST else [str(message["Subject"]) + "."]), ""]
        lines += [
            f"See {staff_url(settings)}{PAGES[kind]}",
            "",
            "This message holds nothing that visitors wrote.",
        ]
        message.set_content("\n".join(lines))
        return message

    def _digest(self) -> list[str]:
        states = self._store.count_states()
        waiting = sum(states.get(state.value, 0) for state in OPEN_STATES)
        calls = len(self._store.callback_list(TO_CALL))
        lines = [f"Questions that wait for a decision: {waiting}", f"Call-backs that are not done: {calls}"]
        due = len(self._store.due_answers())
        return [*lines, f"Answers to look at again: {due}"] if due else lines


def staff_url(settings: Settings) -> str:
    """Where staff reach the staff app."""
    return settings.staff_url or f"http://{settings.staff_host}:{settings.staff_port}"


def send_by_smtp(settings: Settings, message: EmailMessage) -> None:
    """Hands one email to the server of the settings."""
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if settings.smtp_security == "tls":
        server = smtplib.SMTP_SSL(settings.smtp_host, settings.smtp_port, timeout=_TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=_TIMEOUT)
    with server:
        if settings.smtp_security == "starttls":
            server.starttls(context=context)
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password)
        server.send_message(message)
