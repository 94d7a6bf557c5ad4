"""Trains a candidate in this process: `python -m bot.serving.trainer FOLDER NAME`, in the project's folder.

Says on stdout, in lines of JSON, how far it has come. The decisions to train with are those of
MILIA_DECISIONS_FILE.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from bot.serving import light_training, quiet, standin
from bot.serving.lines import Say, own_stdout

DATA = ("config.yml", "domain.yml", ["data"])


def main(folder: str, name: str) -> int:
    """Train FOLDER/NAME.tar.gz; the exit status is 0 when it is there."""
    say = own_stdout()
    quiet.quieten()
    standin.install()
    # Rasa's cache knows a component's own source, but not the modules that it uses: train all of it anew.
    os.environ[light_training.NO_CACHE] = "0"
    light_training.lighten()
    if os.getcwd() not in sys.path:  # where config.yml's classes are found
        sys.path.insert(0, os.getcwd())
    from rasa.shared.importers.importer import TrainingDataImporter

    say({"step": "validating"})
    importer = TrainingDataImporter.load_from_config(*DATA)
    return _train(importer, folder, name, say) if _is_valid(importer, say) else 1


def _is_valid(importer: Any, say: Say) -> bool:
    """Rasa's own checks of domain and examples; those of stories are the repository's tests."""
    from rasa.validator import Validator

    validator = Validator.from_importer(importer)
    valid = bool(validator.verify_domain_validity() and validator.verify_nlu(ignore_warnings=True))
    if not valid:
        say({"step": "invalid"})
    return valid


def _train(importer: Any, folder: str, name: str, say: Say) -> int:
    from rasa.model_training import _train_graph
    from rasa.shared.data import TrainingType

    say({"step": "training"})
    result = _train_graph(
        importer,
        training_type=TrainingType.BOTH,
        output_path=folder,
        fixed_model_name=name,
        force_full_training=True,
    )
    return int(result.code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
