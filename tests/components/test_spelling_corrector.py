"""The corrector as Rasa uses it: trained, kept in the model, loaded; the text itself stays as typed."""

from __future__ import annotations

from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.spelling_corrector import CORRECTED, SpellingCorrector
from tests.components.conftest import Make, message


def examples() -> TrainingData:
    texts = ["can i squeeze milia", "how to squeeze them", "i want to squeeze it"]
    return TrainingData([message(text, **{INTENT: "faq"}) for text in texts])


def test_what_it_learns_is_kept_in_the_model(make: Make) -> None:
    make(SpellingCorrector, known_words=5000).train(examples())
    (done,) = make(SpellingCorrector, loads=True).process([message("Can I sqeeze my MILLIA")])
    assert done.get(CORRECTED) == "can i squeeze my milia"
    assert done.get(TEXT) == "Can I sqeeze my MILLIA"


def test_examples_are_corrected_as_messages_are(make: Make) -> None:
    corrector = make(SpellingCorrector, known_words=5000)
    corrector.train(examples())
    data = corrector.process_training_data(TrainingData([message("wat r millia", **{INTENT: "faq"})]))
    assert data.training_examples[0].get(CORRECTED) == "what are milia"


def test_untrained_it_changes_nothing(make: Make) -> None:
    (done,) = make(SpellingCorrector).process([message("sqeeze")])
    assert done.get(CORRECTED) is None
