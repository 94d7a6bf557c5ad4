"""The flat runner gives what Rasa's own runner gives."""

from pathlib import Path
from typing import Any

import pytest
import rasa.core.processor
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.engine import loader
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.engine.exceptions import GraphComponentException, GraphRunError
from rasa.engine.graph import ExecutionContext, GraphComponent, GraphSchema, SchemaNode
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.shared.core.events import ActionExecuted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException

from bot.serving.runner import FlatGraphRunner

TEXTS = ["hello", "when are you open", "something else", "", "book a visit"]


def load(trained: Path, tmp_path: Path, runner: type[GraphRunner]) -> tuple[Any, GraphRunner]:
    folder = tmp_path / runner.__name__
    folder.mkdir()
    return loader.load_predict_graph_runner(
        folder, trained / "models/small.tar.gz", LocalModelStorage, runner
    )


def test_understanding_and_predictions_are_those_of_rasas_runner(trained: Path, tmp_path: Path) -> None:
    metadata, dask = load(trained, tmp_path, DaskGraphRunner)
    _, flat = load(trained, tmp_path, FlatGraphRunner)
    domain = metadata.domain

    for text in TEXTS:
        parsed = [
            runner.run(inputs={PLACEHOLDER_MESSAGE: [UserMessage(text)]}, targets=[metadata.nlu_target])[
                metadata.nlu_target
            ][0].as_dict()
            for runner in (dask, flat)
        ]
        for one in parsed:
            one.pop("message_id", None)  # random
        assert parsed[0] == parsed[1]

        tracker = DialogueStateTracker.from_events(
            "visitor",
            [ActionExecuted("action_listen"), UserUttered(text, intent=parsed[0].get("intent"))],
            slots=domain.slots,
        )
        ours, expected = (
            runner.run(inputs={PLACEHOLDER_TRACKER: tracker}, targets=[metadata.core_target])[
                metadata.core_target
            ]
            for runner in (flat, dask)
        )
        assert ours.probabilities == expected.probabilities
        assert (ours.policy_name, ours.events) == (expected.policy_name, expected.events)


async def test_whole_conversations_are_the_same(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replies = []
    for runner in (DaskGraphRunner, FlatGraphRunner):
        monkeypatch.setattr(rasa.core.processor, "DaskGraphRunner", runner)
        agent = Agent.load(trained / "models/small.tar.gz")
        assert agent.processor is not None
        assert type(agent.processor.graph_runner) is runner
        replies.append([await agent.handle_text(text, sender_id="visitor") for text in TEXTS if text])
    assert replies[0] == replies[1]
    assert any(replies[0])


class Node:
    """Stands for a `GraphNode`: joins what it is given and notes that it ran."""

    _eager, _hooks = False, ()

    def __init__(self, name: str, ran: list[str]) -> None:
        self.name, self.ran = name, ran

    def __call__(self, *inputs: tuple[str, str]) -> tuple[str, str]:
        self.ran.append(self.name)
        return self.name, f"{self.name}({','.join(value for _, value in inputs)})"


def runner_of(needs: dict[str, list[str]], ran: list[str]) -> FlatGraphRunner:
    schema = GraphSchema(
        {
            name: SchemaNode(
                needs={need: need for need in wanted},
                uses=Node,  # type: ignore[arg-type]
                constructor_name="create",
                fn="run",
                config={},
                is_target=name == "end",
            )
            for name, wanted in needs.items()
        }
    )
    return FlatGraphRunner(schema, {name: Node(name, ran) for name in needs})  # type: ignore[misc]


def test_each_node_that_is_needed_runs_once_after_what_it_needs() -> None:
    ran: list[str] = []
    runner = runner_of(
        {"end": ["left", "right"], "left": ["start"], "right": ["start"], "start": ["given"], "idle": []}, ran
    )
    assert runner.run(inputs={"given": "x"}) == {"end": "end(left(start(x)),right(start(x)))"}
    assert sorted(ran) == ["end", "left", "right", "start"]
    assert runner.run(inputs={"given": "y"}, targets=["left"]) == {"left": "left(start(y))"}


def test_several_inputs_take_each_step_together() -> None:
    ran: list[str] = []
    runner = runner_of({"end": ["start"], "start": ["given"]}, ran)
    found = runner.run_together([{"given": "x"}, {"given": "y"}])
    assert found == [{"end": "end(start(x))"}, {"end": "end(start(y))"}]
    assert ran == ["start", "start", "end", "end"]


def test_an_error_of_one_input_is_not_the_others() -> None:
    ran: list[str] = []
    nothing, found = runner_of({"end": ["start"], "start": ["given"]}, ran).run_together([{}, {"given": "x"}])
    assert isinstance(nothing, Exception)
    assert found == {"end": "end(start(x))"}
    assert ran.count("end") == 1


class Preparing(GraphComponent):
    """Notes what it was told to prepare, of which it refuses some, and what it ran on."""

    def __init__(self) -> None:
        self.prepared: list[list[str]] = []
        self.ran: list[list[str]] = []

    @classmethod
    def create(cls, *_args: Any, **_kwargs: Any) -> "Preparing":
        return cls()

    def prepare(self, messages: list[str]) -> None:
        self.prepared.append(messages)
        if "refused" in messages:
            raise ValueError("refused")

    def process(self, messages: list[str]) -> list[str]:
        self.ran.append(messages)
        return [f"done with {message}" for message in messages]


def runner_of_one(
    uses: type[GraphComponent], fn: str, needs: dict[str, str], folder: Path
) -> FlatGraphRunner:
    """A runner whose only node runs a method of a component."""
    node = SchemaNode(
        needs=needs, uses=uses, constructor_name="create", fn=fn, config={}, eager=True, is_target=True
    )
    schema = GraphSchema({"end": node})
    return FlatGraphRunner.create(schema, LocalModelStorage(folder), ExecutionContext(schema))


def test_a_component_is_told_the_messages_of_all_inputs_before(tmp_path: Path) -> None:
    runner = runner_of_one(Preparing, "process", {"messages": "given"}, tmp_path)
    [component] = runner.components(Preparing)

    assert runner.run({"given": ["alone"]}) == {"end": ["done with alone"]}
    assert component.prepared == []

    found = runner.run_together([{"given": ["x", "y"]}, {"given": ["z"]}])
    assert found == [{"end": ["done with x", "done with y"]}, {"end": ["done with z"]}]
    assert component.prepared == [["x", "y", "z"]]

    found = runner.run_together([{"given": ["refused"]}, {}, {"given": ["x"]}])
    assert [found[0], found[2]] == [{"end": ["done with refused"]}, {"end": ["done with x"]}]
    assert isinstance(found[1], Exception)
    assert component.ran[-2:] == [["refused"], ["x"]]


def test_a_cycle_is_named() -> None:
    with pytest.raises(GraphRunError, match="end -> other -> end"):
        runner_of({"end": ["other"], "other": ["end"]}, []).run()


class Failing(GraphComponent):
    """Raises what it is given; as a component it is made at once and has no hooks."""

    @classmethod
    def create(cls, *_args: Any, **_kwargs: Any) -> "Failing":
        return cls()

    def fail(self, error: Exception) -> None:
        raise error


@pytest.mark.parametrize(
    ("given", "raised"),
    [
        ({"error": ValueError("x")}, GraphComponentException),
        ({"error": RasaException("x")}, RasaException),
        ({}, GraphRunError),
    ],
)
def test_errors_are_those_of_rasas_nodes(
    given: dict[str, Exception], raised: type[Exception], tmp_path: Path
) -> None:
    runner = runner_of_one(Failing, "fail", {"error": "error"}, tmp_path)
    with pytest.raises(raised):
        runner.run(inputs=given)
