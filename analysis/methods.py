"""How classes that several models predict are combined."""

from typing import Literal, get_args

Method = Literal["vote", "probability", "score"]
METHODS: tuple[Method, ...] = get_args(Method)
