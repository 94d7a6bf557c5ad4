"""Runs a model's predict graph in an order worked out once; Rasa builds a dask graph for every message."""

from __future__ import annotations

from typing import Any

from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import ExecutionContext, GraphNode, GraphNodeHook, GraphSchema
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.storage import ModelStorage

Plan = list[tuple[str, GraphNode, tuple[str, ...]]]
"""Nodes in the order in which they run: name, node, and the names whose output it takes."""


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
        wanted = tuple(targets or self._schema.target_names)
        plan = self._plans.get(wanted)
        if plan is None:
            plan = self._plans[wanted] = self._plan(wanted)
        # Every output, as the pair of name and value that `GraphNode` takes and returns.
        outputs: dict[str, tuple[str, Any]] = {name: (name, value) for name, value in (inputs or {}).items()}
        for name, node, needs in plan:
            if name not in outputs:
                # A name that nobody gave is passed as it is: GraphNode says what is missing.
                outputs[name] = node(*(outputs.get(need, need) for need in needs))
        return dict(outputs[name] for name in wanted)

    def _plan(self, targets: tuple[str, ...]) -> Plan:
        plan: Plan = []
        done: set[str] = set()

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                raise GraphRunError(f"The graph has a cycle: {' -> '.join((*path, name))}.")
            if name in done or name not in self._nodes:  # an input has no node
                return
            needs = tuple(self._schema.nodes[name].needs.values())
            for need in needs:
                visit(need, (*path, name))
            done.add(name)
            plan.append((name, self._nodes[name], needs))

        for target in targets:
            visit(target, ())
        return plan
