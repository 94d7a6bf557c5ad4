"""What a candidate is made of: what staff decided, what that changes, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.answer_model import FEWEST_EXAMPLES, Answer, ResolvedQuestion
from bot.plain_text import same_words
from bot.release_model import Change, Decisions, TopicPart

NEW, EXAMPLES, GONE = "new", "examples", "gone"


def decisions_of(answers: Iterable[Answer], resolved: Iterable[ResolvedQuestion]) -> Decisions:
    """What staff decided, in a stable order. A visitor's own words are no part of it."""
    parts = {
        answer.topic: TopicPart(
            answer.topic, answer.title, answer.text, answer.next_steps, tuple(dict.fromkeys(answer.examples))
        )
        for answer in answers
    }
    for question in resolved:
        if question.example_allowed:
            part = parts.get(question.intent, TopicPart(question.intent))
            examples = tuple(dict.fromkeys((*part.examples, question.text)))
            parts[question.intent] = TopicPart(part.topic, part.title, part.text, part.next_steps, examples)
    return Decisions(tuple(part for _, part in sorted(parts.items())))


def changes_between(before: Decisions, after: Decisions, known: Iterable[str]) -> tuple[Change, ...]:
    """What a model learns anew with `after`. `known`: the topics of the repository's files."""
    old, new = _learned(before, known), _learned(after, known)
    titles = {part.topic: part.title for part in (*before.topics, *after.topics)}
    changes = []
    for topic in sorted({*old, *new}):
        added = tuple(sorted(set(new.get(topic, ())) - set(old.get(topic, ()))))
        removed = tuple(sorted(set(old.get(topic, ())) - set(new.get(topic, ()))))
        kind = NEW if topic not in old else GONE if topic not in new else EXAMPLES
        if added or removed or kind != EXAMPLES:
            changes.append(Change(kind, topic, titles.get(topic, ""), added, removed))
    return tuple(changes)


def _learned(decisions: Decisions, known: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Examples by topic; an edited text of a topic that the files have is nothing to learn."""
    files = set(known)
    return {topic: texts for topic, texts in decisions.learned.items() if texts or topic not in files}


def problems(decisions: Decisions, examples: Mapping[str, str], titles: Mapping[str, str]) -> list[str]:
    """Why no model can be made of the decisions, in words for staff; nothing when one can.

    examples: the repository's examples, their wording to their topic. titles: what its topics are called.
    """
    names = {**titles, **{part.topic: part.title for part in decisions.topics if part.title}}
    found = []
    owner: dict[str, str] = {}
    for part in decisions.topics:
        name = names.get(part.topic, part.topic)
        if part.topic not in titles and not part.topic.startswith("faq/"):
            found.append(f"“{name}” is not a topic that answers can be written for.")
        elif part.topic not in titles and len(part.examples) < FEWEST_EXAMPLES:
            found.append(
                f"“{name}” has {len(part.examples)} example questions. It needs {FEWEST_EXAMPLES} or more,"
                " so that it is found in other words too."
            )
        for text in part.examples:
            words = same_words(text)
            other = owner.setdefault(words, part.topic)
            if other == part.topic:
                other = examples.get(words, part.topic)
            if other != part.topic:
                found.append(
                    f"“{text}” is an example of “{name}” and of “{names.get(other, other)}”."
                    " One question can't have two answers: take it out of one of them."
                )
    return found
