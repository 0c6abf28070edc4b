"""Where the time of a program goes: CPU seconds of PyTorch's operators, by group."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

# Operators by group; what is in none of them is `elementwise and others`.
GROUPS: Mapping[str, Sequence[str]] = {
    "products": ("mm", "addmm", "mkldnn_rnn_layer", "_int_mm", "linear"),
    "attention products": ("bmm", "baddbmm", "_scaled_dot_product_*"),
    "softmax": ("_softmax*", "_log_softmax*", "masked_fill*", "_masked_softmax*"),
    "dropout": ("random_*", "bernoulli*", "native_dropout*", "ge", "ge_*"),
    "GELU": ("gelu*",),
    "LayerNorm": ("native_layer_norm*",),
    "gather and scatter": ("index*", "scatter*", "gather*", "embedding*", "cat", "stack", "_unsafe_index*"),
    "casts and copies": ("_to_copy", "copy_", "_foreach_copy*", "clone"),
    "zeros": ("zeros*", "new_zeros", "zero_", "fill_*", "full*", "new_full"),
    "views and allocation": (
        *("view", "_unsafe_view", "_reshape_alias", "t", "transpose", "permute", "expand", "as_strided", "slice"),
        *("select", "split*", "unbind", "squeeze", "unsqueeze", "detach", "alias", "unfold", "empty*", "new_empty*"),
    ),
    "optimiser": ("_fused_adam*", "_foreach_*", "linalg_vector_norm", "_amp_*"),
}
REST, PYTHON = "elementwise and others", "Python and autograd"


class OperatorClock(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While entered, counts the CPU seconds of every operator, forward and backward.

    They are the process's CPU seconds around each operator: other programs on the machine do not enter, as they would
    into the profiler's clock on the wall. What an operator costs in Python before and after it is nobody's here.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._seconds: dict[str, float] = defaultdict(float)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator and count its time."""
        started = time.process_time()
        result = func(*args, **(kwargs or {}))
        self._seconds[func.overloadpacket.__name__] += time.process_time() - started
        return result

    def by_group(self) -> dict[str, float]:
        """Return the CPU seconds of each group."""
        found = dict.fromkeys([*GROUPS, REST], 0.0)
        for name, seconds in self._seconds.items():
            found[group_of(name)] += seconds
        return found


def group_of(operator: str) -> str:
    """Return the group of an operator.

    Example:
        >>> [group_of(name) for name in ("addmm", "_softmax_backward_data", "mul")]
        ['products', 'softmax', 'elementwise and others']
    """
    for group, patterns in GROUPS.items():
        if any(
            operator == pattern or (pattern[-1] == "*" and operator.startswith(pattern[:-1])) for pattern in patterns
        ):
            return group
    return REST


def with_python(seconds: Mapping[str, float], total: float) -> dict[str, float]:
    """Return the shares of a program's time by group; what no operator took is Python's and autograd's.

    Args:
        seconds: CPU seconds of the operators by group.
        total: CPU seconds of the same work without a clock.

    Example:
        >>> with_python({"products": 6.0, "softmax": 1.0}, 10.0)
        {'products': 0.6, 'softmax': 0.1, 'Python and autograd': 0.3}
    """
    shares = {group: took / total for group, took in seconds.items()}
    return {**shares, PYTHON: max(0.0, round(1 - sum(shares.values()), 12))}
