"""Makes one plain line out of whatever was typed, and says when there is nothing in it to understand."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.plain_text import normalise

UNREADABLE = "unreadable"  # message property: why there is nothing to understand
EMPTY, TOO_LONG, NOT_WORDS = "empty", "too_long", "not_words"

_WORD_JOINER = "\u2060"
_NEW_LINE = re.compile(r"(?<=\w)[^\S\r\n]*[\r\n]\s*(?=\w)")  # where a sign would stand on one line
_COMMAND = re.compile(r"^/\w|^/\s*$")
_CODE = re.compile(r"[{}<>\\\[\]|=^`~]|%\w|\.\./|\x22,\x22|;\s*$|\b(?:INFO|SYSTEM|script)\b")
# Emoji that say something when they stand alone.
_EMOJI_WORDS = {
    "👋": "hello", "🙋": "hello", "👍": "yes", "👌": "ok", "✅": "yes", "🆗": "ok", "👎": "no", "❌": "no",
    "🙏": "thank you", "❤": "thank you", "😍": "thank you", "🥰": "thank you", "😊": "thank you", "💯": "yes",
}  # fmt: skip


def spoken_emoji(text: str) -> str:
    """A message of nothing but emoji in words, where they have a meaning."""
    if text.isascii():
        return text
    symbols = {c for c in text if unicodedata.category(c) == "So"}
    if any(c.isalnum() for c in text) or len(symbols - _EMOJI_WORDS.keys()) > 1:
        return text
    return next((words for emoji, words in _EMOJI_WORDS.items() if emoji in text), text)


def unreadable_because(text: str, raw_length: int, limit: int) -> str | None:
    """Why a normalised text can't be understood; None when it can."""
    if raw_length > limit:
        return TOO_LONG
    if not any(unicodedata.category(c)[0] in "LNS" for c in text) and not re.search(r"[?!/]", text):
        return EMPTY
    if not any(c.isalpha() for c in text) or _COMMAND.match(text) or looks_like_code(text):
        return NOT_WORDS
    return None


def looks_like_code(text: str) -> bool:
    """Whether a text is markup, a template, a path or a log line rather than something said to a person."""
    return len(_CODE.findall(text)) >= 2


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER], is_trainable=False)
class TextNormaliser(GraphComponent):
    """Replaces the text of a message by its plain form; a typed command is disarmed here."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings in config.yml."""
        return {
            # Longest message, in characters, that is read. Raising it answers longer stories; lowering it
            # refuses more of them, politely.
            "max_characters": 2000,
        }

    def __init__(self, config: dict[str, Any]) -> None:
        self._limit: int = config["max_characters"]

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TextNormaliser:
        """Creates a new component (see parent class for full docstring)."""
        return cls(config)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Normalises every example as a message is."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Normalises incoming messages."""
        for message in messages:
            raw = message.get(TEXT)
            if raw is None:
                continue
            text = spoken_emoji(normalise(_NEW_LINE.sub(", ", raw[: 4 * self._limit]), self._limit))
            unreadable = unreadable_because(text, len(raw), self._limit)
            if unreadable:
                message.set(UNREADABLE, unreadable, add_to_output=True)
            # Rasa takes a text that begins with "/" for an intent; nobody may type one.
            message.set(TEXT, _WORD_JOINER + text if text.startswith("/") else text, add_to_output=True)
        return messages
