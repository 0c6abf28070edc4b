"""One number from the tasks' metrics by the user's own formula."""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks import InputError

_OPERATORS: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
}
_FUNCTIONS: Mapping[str, Callable[..., float]] = {"min": min, "max": max}


@dataclass(frozen=True)
class Score:
    """A formula over `<task>.<metric>` with numbers, + - * /, brackets, min and max.

    Args:
        text: Such as `0.5 * sst.accuracy + 0.5 * (sts.pearson + 1) / 2`.
        metrics: Names of each task's metrics, those that the formula may name.

    Raises:
        InputError: If the formula is none, or names a task or metric that there is not.

    Example:
        >>> score = Score("0.5*sst.accuracy + 0.5*sts.pearson", {"sst": ["accuracy"], "sts": ["pearson"]})
        >>> score({"sst": {"accuracy": 0.5}, "sts": {"pearson": 0.8}}), score.tasks
        (0.65, ('sst', 'sts'))
    """

    text: str
    metrics: Mapping[str, Sequence[str]]

    def __post_init__(self) -> None:
        self._evaluate(self._tree, {task: dict.fromkeys(names, 1.0) for task, names in self.metrics.items()})

    @property
    def _tree(self) -> ast.expr:
        try:
            return ast.parse(self.text.strip(), mode="eval").body
        except SyntaxError as error:
            raise InputError(f"model.score {self.text!r}: not a formula ({error.msg})") from None

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that the formula needs, in order."""
        nodes = (node.value for node in ast.walk(self._tree) if isinstance(node, ast.Attribute))
        return tuple(dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name)))

    def __call__(self, values: Mapping[str, Mapping[str, float]]) -> float:
        """Return the score; NaN where a metric is undefined or a divisor 0.

        Args:
            values: Each task's metrics by name.
        """
        return self._evaluate(self._tree, values)

    def _evaluate(self, node: ast.expr, values: Mapping[str, Mapping[str, float]]) -> float:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return float(number)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._evaluate(operand, values)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
                numbers = self._evaluate(left, values), self._evaluate(right, values)
                if isinstance(operator, ast.Div) and numbers[1] == 0:
                    return float("nan")
                return _OPERATORS[type(operator)](*numbers)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS and arguments:
                return _first_nan_or(_FUNCTIONS[name], [self._evaluate(argument, values) for argument in arguments])
            case ast.Attribute(value=ast.Name(id=task), attr=metric):
                return self._look_up(task, metric, values)
        part: Any = ast.get_source_segment(self.text.strip(), node)
        raise InputError(
            f"model.score {self.text!r}: {part!r} cannot be used (expected <task>.<metric>, numbers, + - * /, "
            "brackets, min, max)"
        )

    def _look_up(self, task: str, metric: str, values: Mapping[str, Mapping[str, float]]) -> float:
        if task not in values:
            raise InputError(f"model.score {self.text!r}: no task {task!r} (expected one of {', '.join(values)})")
        if metric not in values[task]:
            raise InputError(
                f"model.score {self.text!r}: task {task} has no metric {metric!r} (expected one of "
                f"{', '.join(values[task])}; --tasks.{task}.metrics adds others)"
            )
        return float(values[task][metric])


def _first_nan_or(function: Callable[..., float], numbers: list[float]) -> float:
    undefined = [number for number in numbers if number != number]
    return undefined[0] if undefined else function(*numbers)
