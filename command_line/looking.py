"""A command line some of whose commands train nothing: they get the data, and the model once they ask for it."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar, TypeVar

from jsonargparse import Namespace

from command_line.own_classes import explain_abstract, explain_uninitialised, refuse_untyped
from command_line.parser import failing_task, find_reason, name_task
from command_line.trainer_options import refusing_misconfiguration
from lightning_internals import OpenCLI, built_by_cli
from tasks import InputError

T = TypeVar("T")


class LookingCLI(OpenCLI):
    """OpenCLI with commands that look before a training.

    Attributes:
        looks: Their names, and the parameters of each that are no options: those that `given_to_look` names.
    """

    looks: ClassVar[Mapping[str, set[str]]] = {}

    def given_to_look(self) -> Mapping[str, Callable[[], Any]]:
        """Return what makes the parameters of looks that are no options."""
        return {"data": lambda: self.datamodule, "build_model": lambda: partial(self.build_model, self.built.model)}

    def instantiate_classes(self) -> None:
        """Build everything, for a look all but the model; what the user got wrong becomes an InputError."""
        settings = self.config[self.subcommand]
        refuse_untyped({"tasks": settings.get("tasks"), **vars(settings)})  # tasks first: model.tasks follows them
        if self.subcommand in self.looks:
            self.config_init = self.instantiate_deferred(self.config)
            self.datamodule = self.built["data"]
            return
        with self.refusing_settings():
            super().instantiate_classes()

    def instantiate_deferred(self, config: Namespace) -> Namespace:
        """Build everything but the model, in whose place is a function that builds it."""
        defer = partial(_defer, lambda: self.plain_settings(config)["model"])
        with self.refusing_settings():
            built: Namespace = self.parser.instantiate(config, instantiators=[(defer, self._model_class, False)])
        return built

    def build_model(self, build: Callable[[], T]) -> T:
        """Build a model that was deferred."""
        with self.refusing_settings():
            return build()

    @contextmanager
    def refusing_settings(self) -> Iterator[None]:
        """Turn what a class refuses into an InputError, with the name of the task where it is one's."""
        try:
            with refusing_misconfiguration():
                yield
        except (AttributeError, ValueError, OSError) as error:
            if (sentence := explain_uninitialised(error)) is not None:
                raise InputError(sentence) from error
            if isinstance(error, AttributeError):
                raise
            reason, task = str(find_reason(error)), failing_task(self.config[self.subcommand].get("tasks") or {})
            raise InputError(reason if task is None else name_task(task, reason)) from error
        except TypeError as error:
            if (sentence := explain_abstract(error)) is None:
                raise
            raise InputError(sentence) from error

    def run_command(self, command: str) -> None:
        """Run the command; a look's status is that of the process."""
        if command not in self.looks:
            super().run_command(command)
            return
        make = self.given_to_look()
        given = {name: make[name]() for name in self.looks[command]}
        options = {name: self.built[name] for name in self.own_options(command)}
        with refusing_misconfiguration():
            status = getattr(self.trainer_class, command)(**given, **options)
        if status:
            sys.exit(status)


def _defer(
    settings: Callable[[], dict[str, Any]],
    class_type: Callable[..., T],
    *args: Any,
    applied_instantiation_links: Any,
    **kwargs: Any,
) -> Callable[[], T]:
    """Return a function that builds a class; jsonargparse calls this in the place of the class itself.

    Args:
        settings: Gives the class's settings as plain data, its hyperparameters.
        class_type: The class.
        args: Its arguments, as kwargs.
        applied_instantiation_links: What jsonargparse adds.
        kwargs: Its arguments by name.
    """

    def build() -> T:
        with built_by_cli(settings()):
            return class_type(*args, **kwargs)

    return build
