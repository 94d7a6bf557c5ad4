"""Works on the publish run that waits, as `python -m bot publish`, with the trainer and judge of models_double.py.

`publish_one.py PYTHON`: the program that is started in the place of Python.
"""

import sys

from bot.publishing.runner import main
from bot.settings import load_settings

sys.executable = sys.argv[1]
sys.exit(main(load_settings()))
