"""A supervisor for the tests: `supervise.py LOGS NAME PORT COMMAND... [-- NAME PORT COMMAND...]`."""

import asyncio
import sys
from itertools import groupby
from pathlib import Path

from bot.supervisor import Policy, Service, Supervisor


def say(text):
    print(text, flush=True)


services = [
    Service(name, f"{name} server", command, "127.0.0.1", int(port), patience=20)
    for dashes, words in groupby(sys.argv[2:], lambda word: word == "--")
    if not dashes
    for name, port, *command in [list(words)]
]
policy = Policy(pauses=(0.05, 0.1), settled=60, deaths=4)
supervisor = Supervisor(services, Path(sys.argv[1]), say, lambda: say("all ready"), policy)
sys.exit(asyncio.run(supervisor.run()))
