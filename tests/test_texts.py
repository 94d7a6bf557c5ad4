"""Every text of domain.yml: says what its topic must say, follows the rules for wording, leads somewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.judge import Judge
from bot.clinic import load_clinic
from bot.components.decider import ASK_WHICH
from bot.model import Reply
from bot.nlg import SEVERAL
from bot.reply import to_reply
from bot.wording import breaches

DOMAIN: dict[str, Any] = yaml.safe_load(Path("domain.yml").read_text(encoding="utf-8"))
RESPONSES: dict[str, Any] = DOMAIN["responses"]
CLINIC = load_clinic(Path("clinic.yml"))
JUDGE = Judge.from_file()
GROUPS = ("faq", "actions", "not_published", "safety", "chat")
TOPICS = [topic for group in GROUPS for topic in JUDGE.topics[group]] + ["out_of_scope"]
FACTS = {
    "name": "Dana", "number": "0491 570 158", "when": "tomorrow", "reference": "CB-7F3KD", "what": "Dana",
    "part": "the rest",
    "day": "1 May 2026", "page": "1", "pages": "2",
}  # fmt: skip
OWN_FACTS = {
    "utter_messenger_deletion": {"code": "D-7F3KD"}
}  # `code` is the deletion's there, not the discount's
NOT_BUTTONS = {"utter_messenger_ice_breakers"}  # Messenger shows four of them, in full


def response_of(topic: str) -> str:
    return f"utter_faq/{topic}" if topic in JUDGE.topics["faq"] else f"utter_{topic}"


def reply_of(name: str) -> Reply:
    own = next((facts for prefix, facts in OWN_FACTS.items() if name.startswith(prefix)), {})
    return to_reply(RESPONSES[name][0], CLINIC, {**FACTS, **own})


@pytest.mark.parametrize("topic", TOPICS)
def test_says_what_the_topic_must_say(topic: str) -> None:
    reply = reply_of(response_of(topic))
    read = "\n".join([reply.text, *(link.target for link in reply.links)])
    missing = [each.pattern for each in JUDGE.expressions[topic] if not each.search(read)]
    assert not missing, f"{topic} does not say: {missing}"


@pytest.mark.parametrize("name", RESPONSES)
def test_follows_the_rules_for_wording(name: str) -> None:
    reply = reply_of(name)
    titles = () if name in NOT_BUTTONS else tuple(button.title for button in reply.next_steps)
    found = breaches(reply.text, titles, CLINIC.offer.code if CLINIC.offer else "")
    if name == "utter_ask_medical":  # names what it can't advise on
        found = [breach for breach in found if breach.rule != 5]
    assert not found, [breach.says for breach in found]


@pytest.mark.parametrize("name", RESPONSES)
def test_every_fact_in_braces_is_known(name: str) -> None:
    assert "{" not in reply_of(name).text


@pytest.mark.parametrize("name", RESPONSES)
def test_next_steps_lead_to_topics(name: str) -> None:
    intents = {i if isinstance(i, str) else next(iter(i)) for i in DOMAIN["intents"]}
    for button in reply_of(name).next_steps:
        intent, _, topic = button.payload.removeprefix("/").partition("/")
        assert intent in intents
        assert not topic or f"utter_{intent}/{topic}" in RESPONSES


def test_answers_offer_next_steps() -> None:
    for group in ("faq", "actions", "not_published"):
        for topic in JUDGE.topics[group]:
            assert reply_of(response_of(topic)).next_steps, topic


def test_the_phone_line_is_a_link_wherever_it_is_named() -> None:
    for name in RESPONSES:
        reply = reply_of(name)
        if CLINIC.phone in reply.text:
            assert CLINIC.phone_link in [link.target for link in reply.links], name


def test_every_topic_that_may_be_offered_has_a_title() -> None:
    for group in ("faq", "actions", "not_published"):
        for topic in JUDGE.topics[group]:
            title = RESPONSES[response_of(topic)][0]["metadata"]["title"]
            assert 0 < len(title) <= 20, topic


def test_every_intent_has_a_reply() -> None:
    rules = yaml.safe_load(Path("data/stories.yml").read_text(encoding="utf-8"))["rules"]
    answered = {step["intent"] for rule in rules for step in rule["steps"] if "intent" in step}
    intents = {i if isinstance(i, str) else next(iter(i)) for i in DOMAIN["intents"]}
    assert intents == answered
    assert {ASK_WHICH} <= intents
    assert SEVERAL not in RESPONSES, "it is made of other responses"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("We guarantee smooth skin.", 2),
        ("Removal costs $40 each.", 1),
        ("Our clients love it.", 3),
        ("It is definitely milia.", 4),
        ("Use a needle to lift the skin.", 5),
        ("Use miliagone now!", 6),
        ("Hurry, last chance.", 6),
        ("A rich moisturizer.", 10),
        ("x" * 451, 10),
    ],
)
def test_a_breach_is_named(text: str, rule: int) -> None:
    assert rule in [breach.rule for breach in breaches(text)]
