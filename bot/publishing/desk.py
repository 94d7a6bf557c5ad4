"""What staff can do: see what is pending, publish it, take a difference, go back to a former release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bot.model_inputs import digest_of_inputs
from bot.publishing.candidate import changes_between, decisions_of
from bot.publishing.gate import key_of
from bot.release_model import Change, Decisions, PublishError, PublishRun, Release, Report
from bot.review_model import Who
from bot.store.staff_store import StaffStore
from bot.topics import Topics

LONGEST_WHY = 500


@dataclass(frozen=True)
class Pending:
    """What a publish would make live: staff's decisions, and what of them the live release hasn't learned."""

    decisions: Decisions
    changes: tuple[Change, ...]
    live: Release | None


class Publishing:
    """The use cases of publishing."""

    def __init__(self, store: StaffStore, topics: Callable[[], Topics]) -> None:
        self.store = store
        self._topics = topics

    @cached_property
    def inputs(self) -> str:
        """The files of the program that this process was started with."""
        return digest_of_inputs(Path.cwd())

    def pending(self) -> Pending:
        """What isn't live yet."""
        live = self.store.live_release(self.inputs)
        wanted = decisions_of(self.store.answers(), self.store.resolved_questions())
        files = {topic.intent for topic in self._topics().all() if topic.has_default}
        changes = changes_between(live.decisions if live else Decisions(), wanted, files)
        return Pending(wanted, changes, live)

    def start(self, who: Who, hold: bool = False) -> PublishRun:
        """Wants a candidate of everything that is pending; it goes live by itself unless it is held.

        Raises:
            PublishError: a run is under way, or there is no release to compare with.
        """
        pending = self.pending()
        if pending.live is None:
            raise PublishError(
                "There is no live release to compare with yet. It is registered when the assistant starts."
            )
        run = PublishRun(
            self.inputs,
            pending.decisions,
            pending.changes,
            hold=hold,
            wanted_by=who.name,
            wanted_by_id=who.id,
        )
        self.store.start_run(run)
        return run

    def accept(self, run_id: str, key: str, who: Who, why: str) -> None:
        """Takes one difference although it is worse; why is kept with it."""
        why = why.strip()[:LONGEST_WHY]
        if not why:
            raise PublishError("Say why this difference is right: it is kept in the history.")
        self.store.accept_difference(run_id, key, who, why)

    def publish(self, run_id: str, who: Who) -> None:
        """Makes a tested candidate live."""
        self.store.release_candidate(run_id, who)

    def roll_back(self, release_id: str, who: Who) -> Release:
        """Makes a former release live again."""
        return self.store.roll_back(release_id, who)

    def cancel(self, run_id: str, who: Who) -> None:
        """Stops a run."""
        self.store.cancel_run(run_id, who)

    def wordings(self, report: Report) -> Mapping[str, str]:
        """The texts of the questions in a report, by key; those that were erased since are missing."""
        texts = {one.key: one.key for one in report.differences if one.is_golden}
        if len(texts) < len(report.differences):
            texts.update({key_of(one.text): one.text for one in self.store.resolved_questions()})
        return texts
