"""The trained pipeline without a server: what it makes of a text, at every step."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.training_data.message import Message

from benchmarks.judge import Judge
from bot.clinic import load_clinic
from bot.components.answer_decider import AnswerDecider
from bot.components.decider import Certainty, Decider, Thresholds
from bot.components.other_subjects import OTHER_SUBJECT
from bot.components.topic_classifier import READINGS
from bot.reply import to_reply
from bot.settings import load_settings


class Pipeline:
    """Runs the NLU graph of a model and gives its messages with all their properties."""

    def __init__(self, model: Path) -> None:
        self._processor = Agent.load(str(model)).processor
        config = next(
            step
            for step in yaml.safe_load(Path("config.yml").read_text())["pipeline"]
            if "AnswerDecider" in step["name"]
        )
        settings = {**AnswerDecider.get_default_config(), **config}
        names = Thresholds.__dataclass_fields__
        self.decider = Decider(
            Certainty(**settings["certainty"]),
            Thresholds(**{n: settings[n] for n in names}),
            settings["families"],
        )
        self.judge = Judge.from_file()

    @classmethod
    def latest(cls) -> Pipeline:
        """That of the newest model."""
        return cls(max(load_settings().models_dir.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime))

    def read(self, text: str) -> Message:
        """A message as the last component leaves it."""
        tracker = DialogueStateTracker.from_events("benchmark", [])
        target = self._processor.model_metadata.nlu_target
        inputs = {PLACEHOLDER_MESSAGE: [UserMessage(text)], PLACEHOLDER_TRACKER: tracker}
        message: Message = self._processor.graph_runner.run(inputs=inputs, targets=[target])[target][0]
        return message

    def measures(self, text: str) -> tuple[str, list[float]]:
        """The likeliest topic of a text, and the measures of `Certainty`."""
        from benchmarks.thresholds import logs

        message = self.read(text)
        reading = message.get(READINGS)[0]
        topic, probability, _ = self.decider.best(reading)
        unknown = reading.probability("out_of_scope")
        other = float(bool(message.get(OTHER_SUBJECT)))
        return topic, [*logs(probability, unknown), reading.nearness, reading.evidence, other]

    def answers(self, intent: str, topics: list[str]) -> bool:
        """Whether the reply to an intent says what one of the topics needs."""
        text = self._replies.get(intent, "")
        return any(self.judge.meets(text, topic) for topic in topics)

    @cached_property
    def _replies(self) -> dict[str, str]:
        clinic = load_clinic(load_settings().clinic_file)
        responses: dict[str, Any] = yaml.safe_load(Path("domain.yml").read_text(encoding="utf-8"))[
            "responses"
        ]
        replies = {
            name.removeprefix("utter_"): to_reply(variants[0], clinic) for name, variants in responses.items()
        }
        replies["request_callback"] = replies["give_details"] = replies["ask_callback_consent"]
        return {
            name: "\n".join([reply.text, *(link.target for link in reply.links)])
            for name, reply in replies.items()
        }
