"""Lets Rasa be imported without packages that this project never uses, TensorFlow above all.

Rasa imports TensorFlow wherever it starts, also for pipelines that never touch it. `install()` answers those
imports with empty modules: their attributes exist, can be subclassed, named in annotations and used as
decorators, and say what is wrong as soon as anything really calls one. docs/decisions/0001-no-tensorflow.md
says why, and what is lost.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import inspect
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

DECISION = "docs/decisions/0001-no-tensorflow.md"

NEVER = frozenset({"tensorflow", "tensorflow_text", "tensorflow_hub", "tensorflow_addons", "keras"})
"""Packages that no process of this project loads."""

NOT_WHEN_SERVING = frozenset(
    {
        # Training and its reports.
        "matplotlib", "scipy", "sklearn", "sklearn_crfsuite", "skops", "dask", "networkx", "pydot",
        # The terminal.
        "prompt_toolkit", "questionary", "colorclass",
        # Stores that the configuration does not use.
        "boto3", "botocore", "pymongo", "bson",
        # Rasa's channels for other services.
        "aiogram", "mattermostwrapper", "rocketchat_API", "slack_sdk", "twilio", "webexteamssdk",
    }
)  # fmt: skip
"""Packages that Rasa's server imports and ours never calls; training, validating and testing have them."""


class AbsentPackageError(RuntimeError):
    """Something of a package that is stood in for was really called."""


class _AbsentType(type):
    """Makes classes whose attributes are made on demand and that refuse to be called."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):  # Python's own questions ("__origin__", "__wrapped__") need a true "no".
            raise AttributeError(name)
        return _absent(f"{cls._absent_name}.{name}")

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        decorates = (
            len(args) == 1 and not kwargs and (inspect.isfunction(args[0]) or inspect.isclass(args[0]))
        )
        if decorates and "_absent_name" in vars(cls):  # not for Rasa's own classes that derive from one
            return args[0]
        raise AbsentPackageError(_refusal(cls._absent_name))


def _absent(name: str) -> _AbsentType:
    """The stand-in for one attribute, `name` being its full dotted name."""
    module, _, last = name.rpartition(".")
    # Rasa names some in `except (pymongo.errors.ConnectionFailure, ...)`, where Python takes exceptions only.
    bases = (Exception,) if last.endswith(("Error", "Exception", "Failure", "Warning")) else ()
    return _AbsentType(last, bases, {"_absent_name": name, "__module__": module})


def _refusal(name: str) -> str:
    package = name.partition(".")[0]
    if package in NEVER:
        return f"TensorFlow is not part of this project ({DECISION}): {name} was called."
    return f"{package} is left out of the server to keep it light ({DECISION}): {name} was called."


class _AbsentModule(ModuleType):
    """An empty package with every attribute that is asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = _absent(f"{self.__name__}.{name}")
        setattr(self, name, value)
        return value


class StandIn(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the packages in `names`, and everything inside them, as empty modules."""

    def __init__(self) -> None:
        self.names: frozenset[str] = frozenset()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in self.names:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _AbsentModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run: the module makes its attributes itself."""


def install(*, serving: bool = False) -> StandIn:
    """Answer imports of absent packages from now on in this process; call it before anything imports Rasa.

    `serving` also leaves out what only training, validating and testing need. Calling it again is harmless.
    """
    finder = next((found for found in sys.meta_path if isinstance(found, StandIn)), None)
    if finder is None:
        finder = StandIn()
        sys.meta_path.insert(0, finder)
    finder.names |= NEVER | (NOT_WHEN_SERVING if serving else frozenset())
    return finder
