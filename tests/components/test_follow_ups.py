"""What a few words ask after an answer."""

from __future__ import annotations

import pytest

from bot.components import follow_ups
from bot.components.follow_ups import follow_up
from tests.test_nlu_data import EXAMPLES


@pytest.mark.parametrize(
    ("topic", "text", "asks"),
    [
        ("ask_discount", "does it work on the moisturiser?", "ask_policy"),
        ("ask_discount", "is it for the scrub too", "ask_policy"),
        ("ask_policy", "can my sister use it as well", "ask_policy"),
        ("book_appointment", "is there a fee if i change it", "ask_policy"),
        ("ask_before_visit", "what about my retinol", "ask_before_visit"),
        ("ask_other_method", "so what do you do instead?", "faq/procedure"),
        ("ask_price", "just roughly", "ask_price"),
        ("ask_medical", "ok and after the baby", "ask_medical"),
        ("ask_baby", "and what about mine?", "faq/removal"),
        ("faq/pain", "even under the eyes?", "faq/pain"),
        ("faq/recovery", "and makeup?", "faq/aftercare"),
        ("ask_baby", "she's 3 weeks", "ask_baby"),
        ("ask_medical", "is that ok?", "ask_medical"),
        ("self_harm", "sorry", "self_harm"),
        ("self_harm", "never mind", "self_harm"),
        ("faq/squeeze", "why not?", "faq/squeeze"),
        ("ask_photo", "how come", "ask_photo"),
        ("faq/what_are_milia", "how long does it last", "faq/go_away"),
        ("faq/location", "and the scalp?", "faq/location"),
        ("ask_lookalike", "can you remove those too", "ask_lookalike"),
        ("ask_other_method", "which one is better", "ask_other_method"),
        ("ask_price", "that is ridiculous. why not?", "ask_price"),
        ("faq/home_remedies", "why won't any of it work", "faq/home_remedies"),
        ("faq/home_remedies", "so what does", "faq/removal"),
        ("faq/omega3", "how long before i see a difference", "faq/omega3"),
        ("faq/identify", "who can confirm that", "faq/identify"),
        ("faq/squeeze", "ok what then", "faq/removal"),
        ("faq/procedure", "and after that", "faq/aftercare"),
        ("faq/effective", "how come", "faq/effective"),
        ("faq/what_are_milia", "but why tho", "faq/causes"),
        ("self_harm", "i don't know who to talk to", "self_harm"),
    ],
)
def test_a_few_words_ask_about_what_was_answered(topic: str, text: str, asks: str) -> None:
    assert follow_up(text, topic) == asks
    assert follow_up(text, "book_appointment" if topic != "book_appointment" else "greet") is None, (
        "about nothing else"
    )


@pytest.mark.parametrize(
    ("topic", "text"),
    [
        (None, "does it work on the moisturiser"),
        ("ask_discount", "does removal hurt"),
        ("ask_price", "does it hurt"),
        ("self_harm", "sorry. how do i get rid of the bumps"),
        ("self_harm", "can i talk to somebody about my milia"),
        ("faq/pain", "even for my toddler?"),
        ("ask_baby", "what about the price"),
        ("ask_before_visit", "what about the price"),
        (
            "ask_discount",
            "i have had it on my cheek for years and years and wonder whether it is one of the ones",
        ),
    ],
)
def test_other_words_are_read_by_themselves(topic: str | None, text: str) -> None:
    assert follow_up(text, topic) is None


def test_the_table_names_topics_that_there_are() -> None:
    named = {topic for after, _, asks in follow_ups._FOLLOW_UPS for topic in (*after, asks) if topic}
    assert named <= set(EXAMPLES)
