"""What the reply to an intent says, judged as a visitor reads it (benchmarks/judge.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.judge import Judge
from benchmarks.stock import ROOT, intents, responses

CALLBACK = ("request_callback", "give_details")


@dataclass(frozen=True)
class Replies:
    """texts: by intent."""

    texts: Mapping[str, str]
    judge: Judge

    @classmethod
    def of_this_project(cls) -> Replies:
        """Those of domain.yml."""
        names = [name for name, _ in intents(ROOT / "data" / "nlu.yml")]
        texts = {name: responses(iter([name]))[f"utter_{name}"][0]["text"] for name in names}
        asked = responses(iter(["ask_callback_consent"]))["utter_ask_callback_consent"][0]["text"]
        return cls({**texts, **dict.fromkeys(CALLBACK, asked)}, Judge.from_file())

    def meet(self, intent: str, topics: Sequence[str]) -> bool:
        """Whether the reply to an intent says what an answer on one of the topics must say."""
        text = self.texts.get(intent, "")
        return any(self.judge.meets(text, topic) for topic in topics)
