"""Rasa runs without TensorFlow, and whoever would use it is told so."""

import subprocess
import sys

import pytest

from bot.serving.standin import AbsentPackageError, install

install()


def in_a_new_process(code: str) -> str:
    """What a fresh Python prints: what is imported in this one says nothing about a start."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("serving", [False, True])
def test_rasa_imports_without_tensorflow(serving: bool) -> None:
    out = in_a_new_process(
        f"from bot.serving.standin import install; install(serving={serving})\n"
        "import rasa.core.agent, rasa.server, rasa.core.run, rasa.engine.graph, rasa.core.processor\n"
        "import sys; print(hasattr(sys.modules['tensorflow'], '__file__'))"
    )
    assert out.strip() == "False"


def test_training_validating_and_testing_import() -> None:
    in_a_new_process(
        "from bot.serving.standin import install; install()\n"
        "import rasa.model_training, rasa.validator, rasa.core.test, rasa.nlu.test, rasa.__main__\n"
        "import rasa.shared.importers.importer, rasa.engine.recipes.default_components"
    )


def test_attributes_can_be_subclassed_annotated_and_decorate() -> None:
    import tensorflow as tf  # type: ignore[import-not-found]
    from tensorflow.keras.utils import Sequence  # type: ignore[import-not-found]

    class Batches(Sequence):  # type: ignore[misc]
        def first(self) -> "tf.Tensor | None":
            return None

    @tf.function  # type: ignore[untyped-decorator]
    def double(number: int) -> int:
        return number * 2

    assert issubclass(Batches, Sequence)
    assert not isinstance(3, tf.Tensor)
    assert double(4) == 8


def test_real_use_names_the_decision() -> None:
    import tensorflow as tf

    class Model(tf.keras.Model):  # type: ignore[misc]
        """As Rasa's own models derive from one."""

    with pytest.raises(AbsentPackageError, match=r"not part of this project .*no-tensorflow\.md"):
        tf.constant([1, 2])
    with pytest.raises(AbsentPackageError, match=r"tensorflow\.keras\.Model"):
        Model()
    with pytest.raises(AbsentPackageError):
        Model(len)


def test_a_pipeline_with_diet_is_told_why() -> None:
    from rasa.nlu.classifiers.diet_classifier import DIET

    with pytest.raises(AbsentPackageError, match=r"TensorFlow is not part of this project"):
        DIET({}, {}, False, {})
