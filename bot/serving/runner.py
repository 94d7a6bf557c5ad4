"""Runs a model's predict graph in an order worked out once; Rasa builds a dask graph for every message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from rasa.engine.exceptions import GraphComponentException, GraphRunError
from rasa.engine.graph import ExecutionContext, GraphNode, GraphNodeHook, GraphSchema
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.exceptions import RasaException

T = TypeVar("T")

Step = Callable[[dict[str, Any]], Any]
"""Runs a node on the outputs of those before it, by name, and gives its own output."""
Prepare = Callable[[Sequence[dict[str, Any]]], None]
"""Tells a component what its step will be run on, for several inputs."""
Plan = list[tuple[str, Step, Prepare | None]]
"""The nodes' names and steps in the order in which they run."""


class FlatGraphRunner(GraphRunner):
    """A `GraphRunner` with the results of `DaskGraphRunner`."""

    def __init__(self, schema: GraphSchema, nodes: dict[str, GraphNode]) -> None:
        self._schema = schema
        self._nodes = nodes
        self._plans: dict[tuple[str, ...], Plan] = {}

    @classmethod
    def create(
        cls,
        graph_schema: GraphSchema,
        model_storage: ModelStorage,
        execution_context: ExecutionContext,
        hooks: list[GraphNodeHook] | None = None,
    ) -> FlatGraphRunner:
        nodes = {
            name: GraphNode.from_schema_node(name, node, model_storage, execution_context, hooks)
            for name, node in graph_schema.nodes.items()
        }
        return cls(graph_schema, nodes)

    def run(self, inputs: dict[str, Any] | None = None, targets: list[str] | None = None) -> dict[str, Any]:
        """The output of each of `targets`, by name; of the schema's own targets when none are named."""
        [found] = self.run_together([inputs or {}], targets)
        if isinstance(found, Exception):
            raise found
        return found

    def run_together(
        self, several: Sequence[dict[str, Any]], targets: list[str] | None = None
    ) -> list[dict[str, Any] | Exception]:
        """For each of several inputs what `run` gives, or the error that it raises.

        They take each step one after the other: what it reads of weights and examples, megabytes that the
        next step drives out of the processor's own memory, is fetched once for all of them. A component that
        computes several at once in less time has a method `prepare`, which is given all their messages before
        and remembers what came out.
        """
        wanted = tuple(targets or self._schema.target_names)
        plan = self._plans.get(wanted)
        if plan is None:
            plan = self._plans[wanted] = self._plan(wanted)
        every = [dict(inputs) for inputs in several]
        failed: dict[int, Exception] = {}
        for name, step, prepare in plan:
            if prepare and len(every) > 1:
                prepare([outputs for number, outputs in enumerate(every) if number not in failed])
            for number, outputs in enumerate(every):
                if name in outputs or number in failed:
                    continue
                try:
                    outputs[name] = step(outputs)
                except Exception as error:
                    failed[number] = error
        return [
            failed.get(number) or {name: outputs[name] for name in wanted}
            for number, outputs in enumerate(every)
        ]

    def components(self, kind: type[T]) -> list[T]:
        """The components of a class."""
        made = (node._component for node in self._nodes.values())
        return [component for component in made if isinstance(component, kind)]

    def _plan(self, targets: tuple[str, ...]) -> Plan:
        plan: Plan = []
        done: set[str] = set()

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                raise GraphRunError(f"The graph has a cycle: {' -> '.join((*path, name))}.")
            if name in done or name not in self._nodes:  # an input has no node
                return
            needs = self._schema.nodes[name].needs
            for need in needs.values():
                visit(need, (*path, name))
            done.add(name)
            node = self._nodes[name]
            plan.append((name, _step(node, needs), _prepare(node, needs)))

        for target in targets:
            visit(target, ())
        return plan


def _step(node: GraphNode, needs: dict[str, str]) -> Step:
    """What `GraphNode.__call__` does, for a component that is made already and has no hooks: without writing
    log lines for nobody, which with its other checks is two thirds of a run beside the components.

    needs: by the name of each argument, that of the node or input which gives it.
    """

    def as_rasa_does(outputs: dict[str, Any]) -> Any:
        # A name that nobody gave is passed as it is: GraphNode says what is missing.
        given = ((need, outputs[need]) if need in outputs else need for need in needs.values())
        return node(*given)[1]

    def directly(outputs: dict[str, Any]) -> Any:
        try:
            arguments = {name: outputs[need] for name, need in needs.items()}
        except KeyError:
            return as_rasa_does(outputs)
        try:
            return run(**arguments)
        except RasaException:
            raise
        except Exception as error:
            raise GraphComponentException(
                f"Error running graph component for node {node._node_name}."
            ) from error

    if not node._eager or node._hooks:
        return as_rasa_does
    run = partial(node._fn, node._component)
    return directly


def _prepare(node: GraphNode, needs: dict[str, str]) -> Prepare | None:
    """What has a component prepare for several messages, if it does such a thing."""
    prepare = getattr(getattr(node, "_component", None), "prepare", None)
    if prepare is None:
        return None
    need = needs["messages"]

    def together(several: Sequence[dict[str, Any]]) -> None:
        # An error is not one of all: the step that is at fault raises it again.
        with suppress(Exception):
            prepare([message for outputs in several for message in outputs[need]])

    return together
