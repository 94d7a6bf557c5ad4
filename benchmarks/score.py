"""Prints how well the running assistant does: `make score`, or `python -m bot score FILE ...`.

The files have the shape of the samples. Each message goes to the REST channel as a visitor's would; the
reply is judged by its text (benchmarks/judge.py).
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks.judge import OUT_OF_SCOPE, Judge, Verdict, whole_text

SAMPLES = Path("tests/data/samples")
Say = Callable[[str, str], list[dict[str, Any]]]


@dataclass
class Score:
    """Counts of one file, and what went wrong in it."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    groups: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    misses: list[str] = field(default_factory=list)

    def share(self, verdict: str, group: str | None = None) -> float:
        """The share of a verdict, of all or of one group."""
        counts = self.groups[group] if group else self.counts
        return counts[verdict] / max(1, sum(counts.values()))

    def add(self, verdict: str, group: str, miss: str | None) -> None:
        self.counts[verdict] += 1
        self.groups[group][verdict] += 1
        if miss:
            self.misses.append(f"{verdict}: {miss}")


def score_questions(judge: Judge, say: Say, items: Sequence[dict[str, Any]]) -> Score:
    """Questions with the topics whose answer is right."""
    score = Score("questions")
    for item in items:
        replies = say(item["text"], uuid.uuid4().hex)
        verdict = judge.verdict(replies, [item["topic"], *item.get("also", ())])
        miss = None if verdict is Verdict.RIGHT else f"[{item['topic']}] {item['text']}  ->  {shown(replies)}"
        score.add(verdict.value, item["topic"], miss)
    return score


def score_out_of_scope(judge: Judge, say: Say, items: Sequence[dict[str, Any]]) -> Score:
    """Messages that must not be answered as a topic."""
    score = Score("out of scope")
    for item in items:
        replies = say(item["text"], uuid.uuid4().hex)
        verdict = judge.verdict(replies, item.get("also_ok", ()))
        verdict = Verdict.RIGHT if verdict is Verdict.DONT_KNOW else verdict
        if "topic" in item and judge.meets(whole_text(replies), item["topic"]):
            verdict = Verdict.RIGHT
        miss = None if verdict is Verdict.RIGHT else f"[{item['kind']}] {item['text']}  ->  {shown(replies)}"
        score.add(verdict.value, item["kind"], miss)
    return score


def score_multi(judge: Judge, say: Say, items: Sequence[dict[str, Any]]) -> Score:
    """Messages that ask several things: `all`, `some` or `none` of them answered."""
    score = Score("several questions")
    for item in items:
        replies = say(item["text"], uuid.uuid4().hex)
        met = [judge.meets(whole_text(replies), topic) for topic in item["topics"]]
        verdict = "all" if all(met) else "some" if any(met) else "none"
        missing = [topic for topic, ok in zip(item["topics"], met, strict=True) if not ok]
        miss = None if all(met) else f"{missing} {item['text']}  ->  {shown(replies)}"
        score.add(verdict, f"{len(item['topics'])} topics", miss)
    return score


def score_dialogues(judge: Judge, say: Say, items: Sequence[dict[str, Any]]) -> Score:
    """Conversations: each turn, and whole conversations."""
    score = Score("dialogues")
    for item in items:
        sender, right = uuid.uuid4().hex, True
        for turn in item["turns"]:
            replies = say(turn["user"], sender)
            verdict = judge.verdict(replies, turn["expects"])
            if verdict is Verdict.DONT_KNOW and OUT_OF_SCOPE in turn["expects"]:
                verdict = Verdict.RIGHT
            right = right and verdict is Verdict.RIGHT
            miss = (
                None
                if verdict is Verdict.RIGHT
                else f"[{item['name']}: {turn['expects']}] {turn['user']}  ->  {shown(replies)}"
            )
            score.add(verdict.value, "turns", miss)
        score.groups["whole conversations"]["right" if right else "wrong"] += 1
    return score


def score_file(judge: Judge, say: Say, path: Path) -> Score:
    """The score of a file, by its shape."""
    items = yaml.safe_load(path.read_text(encoding="utf-8"))
    first = items[0]
    if "turns" in first:
        return score_dialogues(judge, say, items)
    if "topics" in first:
        return score_multi(judge, say, items)
    if "kind" in first:
        return score_out_of_scope(judge, say, items)
    return score_questions(judge, say, items)


def shown(replies: Sequence[dict[str, Any]]) -> str:
    """The beginning of a reply, for the list of misses."""
    return " | ".join(reply.get("text", "") for reply in replies).replace("\n", " ")[:90]


def report(score: Score, path: Path, misses: bool) -> str:
    """A score in words."""
    total = sum(
        n for name, counts in score.groups.items() for n in counts.values() if name != "whole conversations"
    )
    lines = [f"{path}: {total} {score.name}"]
    lines.append(
        "  "
        + ", ".join(
            f"{name} {count} ({count / max(1, total):.1%})" for name, count in score.counts.most_common()
        )
    )
    shown_groups = {"out of scope", "several questions", "dialogues"}
    if score.name in shown_groups:
        for group, counts in sorted(score.groups.items()):
            best = "all" if score.name == "several questions" else "right"
            lines.append(f"    {group}: {counts[best] / sum(counts.values()):.1%} of {sum(counts.values())}")
    if misses:
        lines += [f"    {miss}" for miss in score.misses]
    return "\n".join(lines)


def rest(url: str) -> Say:
    """Talks to the REST channel of a running assistant."""

    def say(text: str, sender: str) -> list[dict[str, Any]]:
        body = json.dumps({"sender": sender, "message": text}).encode()
        request = urllib.request.Request(
            f"{url}/webhooks/rest/webhook", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            replies: list[dict[str, Any]] = json.load(response)
            return replies

    return say


def main(files: Sequence[Path], url: str, misses: bool = False) -> int:
    """Prints the scores of the files, or of the samples; with `misses`, what went wrong too."""
    paths = files or [SAMPLES / f"{name}.yml" for name in ("questions", "oos", "multi", "dialogues")]
    judge, say = Judge.from_file(), rest(url)
    try:
        for path in paths:
            print(report(score_file(judge, say, path), path, misses), flush=True)
    except urllib.error.URLError as error:
        print(
            f"Nothing answers at {url} ({error.reason}). Start the assistant with `make run` first.",
            file=sys.stderr,
        )
        return 1
    return 0
