"""What came of a soak: what people saw, compared with what they asked, message by message."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from bot.channels.messenger.events import METADATA_PREFIX
from bot.logs import DIGITS, turn_of
from tests.doubles.graph_api import Sent
from tests.visitors import Said, Wrong


@dataclass(frozen=True)
class Asked:
    """A message of somebody on Messenger. at: when they wrote it (seconds since 1970)."""

    mid: str
    text: str
    at: float


@dataclass(frozen=True)
class Found:
    """Something wrong, and the turn of the message with which it is; turns are named as in the logs."""

    wrong: Wrong
    turn: str
    who: str
    at: float
    seen: str

    def __str__(self) -> str:
        return f"{self.wrong.kind.upper()}: {self.who}, message {self.wrong.id}, turn {self.turn}: {self.wrong.what}"


@dataclass
class Figures:
    """by_phone_line: answered with the phone line, in the middle of a fault."""

    sent: int = 0
    answered: int = 0
    by_phone_line: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    refused_by_graph: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    reply_times: list[float] = field(default_factory=list)
    messenger_times: list[float] = field(default_factory=list)
    wrong: list[Found] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.out_of_order or self.refused_by_graph) and bool(
            self.sent
        )

    def __str__(self) -> str:
        return (
            f"sent {self.sent}, answered {self.answered} (with the phone line {self.by_phone_line}), lost {self.lost}, "
            f"doubled {self.doubled}, out of order {self.out_of_order}, refused by Graph {self.refused_by_graph}; "
            f"{self.seconds:.0f} s; first reply on the website {_times(self.reply_times)}, "
            f"on Messenger {_times(self.messenger_times)}; faults: "
            + ", ".join(f"{name} {number}" for name, number in sorted(self.faults.items()))
        )

    # ------------------------------------------------------------ counting

    def find(self, found: Found) -> None:
        """Counts something that is wrong."""
        self.wrong.append(found)
        kind = found.wrong.kind
        self.lost += kind == "lost"
        self.doubled += kind == "doubled"
        self.out_of_order += kind == "out of order"

    def count_website(
        self,
        conversation: str,
        messages: Sequence[Said],
        after_a_reload: Sequence[Wrong],
        answers: Mapping[str, str],
        trouble: str,
    ) -> None:
        """A visitor of the website: each message has one reply, and a reload of the page shows the same."""
        self.sent += len(messages)
        wrong = list(after_a_reload)
        for said in messages:
            texts = [reply["text"] for reply in said.replies]
            right = texts.count(answers[said.text])
            if right or trouble in texts:
                self.answered += 1
                self.by_phone_line += not right
                self.reply_times.append(said.seconds)
            else:
                wrong.append(Wrong("lost", said.id, f"was answered by {texts}"))
            if len(texts) > 1:
                wrong.append(Wrong("doubled", said.id, f"has {len(texts)} replies"))
        by_id = {said.id: said for said in messages}
        for one in wrong:
            said = by_id[one.id]
            seen = "; ".join(f"{clock(at)} {how}" for at, how in said.came)
            turn = turn_of(conversation, one.id)
            self.find(Found(one, turn, f"{conversation} on the website", said.came[0][0], seen))

    def count_messenger(
        self,
        conversation: str,
        asked: Sequence[Asked],
        got: Sequence[Sent],
        answers: Mapping[str, str],
        trouble: str,
        notice: str,
    ) -> None:
        """Somebody on Messenger: a notice before the first answer, and one answer to each message, in order."""
        self.sent += len(asked)
        turns = {turn_of(conversation, one.mid): one for one in asked}
        texts: dict[str, list[Sent]] = {turn: [] for turn in turns}
        wrong: list[tuple[str, str, str]] = []
        first_turn = next(iter(turns), "")
        for sent in got:
            if sent.text == notice:
                continue
            if _turn(sent) in texts:
                texts[_turn(sent)].append(sent)
            else:
                wrong.append(("doubled", first_turn, f"a message that answers nothing: {sent.text[:60]!r}"))
        for turn, one in turns.items():
            right = [sent for sent in texts[turn] if sent.text == answers[one.text]]
            helped = right or [sent for sent in texts[turn] if sent.text == trouble]
            if helped:
                self.answered += 1
                self.by_phone_line += not right
                self.messenger_times.append(helped[0].at - one.at)
            else:
                wrong.append(("lost", turn, f"was answered by {[sent.text for sent in texts[turn]]}"))
            if len(texts[turn]) > 1:
                wrong.append(("doubled", turn, f"has {len(texts[turn])} answers"))
        came = list(
            dict.fromkeys(_turn(sent) for sent in got if sent.text != notice and _turn(sent) in turns)
        )
        in_order = [turn for turn in turns if texts[turn]]
        if came != in_order:
            first = next(one for one, other in zip(in_order, came, strict=True) if one != other)
            wrong.append(("out of order", first, "was not answered when its turn was"))
        notices = sum(sent.text == notice for sent in got)
        if turns and notices != 1:
            kind = "doubled" if notices else "lost"
            wrong.append((kind, first_turn, f"the notice before it came {notices} times"))
        for kind, turn, what in wrong:
            one = turns[turn]
            seen = "; ".join(f"{clock(sent.at)} {sent.text[:40]!r}" for sent in got if _turn(sent) == turn)
            found = Wrong(kind, one.mid, what)
            self.find(Found(found, turn, conversation, one.at, seen or "nothing came"))


def _turn(sent: Sent) -> str:
    """Of which turn a message is, as its metadata says."""
    return str(sent.message.get("metadata", "")).removeprefix(METADATA_PREFIX)[:DIGITS]


def _times(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return "never"
    cuts = statistics.quantiles(seconds, n=100)
    return f"p50 {1000 * cuts[49]:.0f} ms, p99 {1000 * cuts[98]:.0f} ms, longest {max(seconds):.1f} s"


def clock(at: float) -> str:
    """The time of day, as servers log it."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%H:%M:%S.%f")[:-3]
