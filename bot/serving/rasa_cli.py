"""Rasa's own command line, run without TensorFlow: `python -m bot.serving.rasa_cli train ...`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bot.serving import light_training, quiet, standin


def main(arguments: Sequence[str]) -> None:
    """Run `rasa <arguments>` in this process; ends it as `rasa` would, with the same exit status."""
    quiet.quieten()
    standin.install()

    if arguments[:1] == ["train"]:
        light_training.lighten()

    import rasa.__main__
    import rasa.telemetry

    # It is switched off, but this writes a file that says it is on into the home folder.
    rasa.telemetry.initialize_telemetry = lambda: False
    sys.argv = ["rasa", *arguments]
    try:
        rasa.__main__.main()
    except Exception as error:
        cause: BaseException | None = error  # Rasa wraps what its components raise
        while cause is not None and not isinstance(cause, standin.AbsentPackageError):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise
        sys.exit(str(cause))


if __name__ == "__main__":
    main(sys.argv[1:])
