"""In the place of Python for the processes that publishing starts: the trainer, the judge, the rehearsal.

A "model" is the JSON of the decisions that it was trained with. It answers the examples in it with their
topics, golden questions with their own, and nothing else; in a conversation it says the topic and the number
of the message, and ends at "die". `hold-STEP` in the project's folder stops it at that step for ever, after `at-STEP` with its process id was written; `fail-STEP` makes it end there.
"""

import json
import os
import pathlib
import sys
import time


def reach(step):
    if pathlib.Path(f"fail-{step}").exists():
        sys.exit(f"told to fail at {step}")
    if pathlib.Path(f"hold-{step}").exists():
        scratch = pathlib.Path(f"at-{step}.new")
        scratch.write_text(str(os.getpid()))
        scratch.rename(f"at-{step}")
        time.sleep(600)


def say(**line):
    print(json.dumps(line), flush=True)


def train(folder, name):
    say(step="validating")
    reach("validating")
    say(step="training")
    reach("training")
    decisions = pathlib.Path(os.environ["MILIA_DECISIONS_FILE"]).read_text()
    pathlib.Path(folder, f"{name}.tar.gz").write_text(decisions)


def judge():
    models = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if "load" in asked:
            topics = json.loads(pathlib.Path(asked["load"]).read_text())["topics"]
            models[asked["as"]] = {text: one["topic"] for one in topics for text in one["examples"]}
            say(loaded=asked["as"])
            continue
        knows = {"does it hurt": "faq/pain", **models[asked.get("of") or asked["to"]]}
        if "say" in asked:
            if "die" in asked["say"]:
                sys.exit("told to die")
            replies = [f"{knows.get(text, 'unknown')}, {place}" for place, text in enumerate(asked["say"], 1)]
            said = zip(asked["say"], replies, strict=True)
            say(turns=[{"said": text, "replies": [{"text": reply}]} for text, reply in said])
            continue
        reach("testing")
        say(done=1)
        found = [knows.get(text.lower().rstrip("?"), "") for text in asked["ask"]]
        outcomes = [
            {"kind": "topic" if topic else "refuses", "intents": [topic or "out_of_scope"]} for topic in found
        ]
        say(outcomes=outcomes)


module, *arguments = sys.argv[sys.argv.index("-m") + 1 :]
train(*arguments) if module == "bot.serving.trainer" else judge()
