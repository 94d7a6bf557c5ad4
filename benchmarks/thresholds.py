"""Fits what makes the assistant sure that it knows a message, on messages that nobody trained on:
`python -m benchmarks.thresholds`.

Reads tests/data/validation with the model that `make run` trained, fits `Certainty` by logistic regression in ten
folds, and prints what each threshold `answer` would do. The figures that it ends with go into config.yml or into the
defaults of bot/components/answer_decider.py, with the date.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import yaml

VALIDATION = Path("tests/data/validation")
MEASURES = ("topic", "out_of_scope", "nearness", "evidence", "other_subject")


def main() -> None:
    """Prints the fitted figures and the table."""
    from bot.serving import standin

    standin.install()
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    from benchmarks.understanding.pipeline import Pipeline

    pipeline = Pipeline.latest()
    rows, known, inside = [], [], []
    for item in yaml.safe_load((VALIDATION / "questions.yml").read_text(encoding="utf-8")):
        if item["topic"] in {"emergency", "self_harm", "out_of_scope"}:
            continue
        topic, measures = pipeline.measures(item["text"])
        rows.append(measures)
        known.append(pipeline.answers(topic, [item["topic"], *item.get("also", ())]))
        inside.append(True)
    for item in yaml.safe_load((VALIDATION / "oos.yml").read_text(encoding="utf-8")):
        if item["kind"].startswith("other_language"):
            continue
        topic, measures = pipeline.measures(item["text"])
        if pipeline.answers(topic, item.get("also_ok") or []):
            continue  # an answer would do no harm, nor would admitting not to know
        rows.append(measures)
        known.append(False)
        inside.append(False)
    table, right, questions = np.array(rows), np.array(known), np.array(inside)
    model = LogisticRegression(C=3)
    certainty = cross_val_predict(model, table, right, cv=10, method="predict_proba")[:, 1]
    print("answer   right   wrong topic   answered out of scope   (ten folds)")
    for answer in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7):
        given = certainty >= answer
        print(
            f"{answer:6.2f}  {np.mean(given[questions] & right[questions]):6.1%}  "
            f"{np.mean(given[questions] & ~right[questions]):12.1%}  {np.mean(given[~questions]):22.1%}"
        )
    model.fit(table, right)
    fitted: dict[str, Any] = {"bias": round(float(model.intercept_[0]), 2)}
    fitted |= {name: round(float(weight), 2) for name, weight in zip(MEASURES, model.coef_[0], strict=True)}
    print(f'"certainty": {fitted}')


def logs(probability: float, out_of_scope: float) -> tuple[float, float]:
    """The two logarithms of `bot.components.decider.Certainty`."""
    return math.log(probability + 1e-4), math.log(out_of_scope + 1e-3)


if __name__ == "__main__":
    main()
