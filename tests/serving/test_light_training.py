"""Training with what Rasa doesn't need left out comes to the same."""

from __future__ import annotations

import subprocess
import sys
import textwrap

PROGRAM = """
    import os
    from bot.serving import light_training, standin
    standin.install()
    os.environ["RASA_MAX_CACHE_SIZE"] = "0"
    from rasa.shared.nlu.training_data.message import Message
    from rasa.shared.nlu.training_data.training_data import TrainingData

    def merged():
        one = [Message.build("does it hurt", intent="faq/pain"), Message.build("hello", intent="greet")]
        more = [Message.build("does it hurt", intent="faq/pain"), Message.build("hello", intent="goodbye")]
        answers = [{"text": "No."}]
        whole = TrainingData(one, {"sore": "pain"}).merge(None, TrainingData(more, responses={"faq/pain": answers}))
        found = [(e.get("text"), e.get("intent"), e.get("intent_response_key")) for e in whole.training_examples]
        return found, whole.entity_synonyms, whole.responses, whole.fingerprint()

    before = merged()
    light_training.lighten()
    assert TrainingData.merge is light_training._merged
    assert merged() == before, merged()
    assert len(before[0]) == 3
"""


def test_merged_data_is_the_same() -> None:
    done = subprocess.run(  # in a process of its own: it changes Rasa
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(PROGRAM)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
