"""Low-rank updates of the backbone's matrices, by peft."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import nn
from transformers import PreTrainedModel

from backbones.adapter import Adapter, Part, release

Target = Literal["query", "key", "value", "attention_output", "intermediate", "output"]
# What families call each matrix of a layer; ModernBERT's Wqkv is queries, keys and values in one.
_PLACES: dict[Target, str] = {
    "query": r"attention\.(self\.)?(in_proj|query|query_proj|q_lin)|attention\.attn\.q|self_attn\.q_proj|attn\.Wqkv",
    "key": r"attention\.(self\.)?(in_proj|key|key_proj|k_lin)|attention\.attn\.k|self_attn\.k_proj|attn\.Wqkv",
    "value": r"attention\.(self\.)?(in_proj|value|value_proj|v_lin)|attention\.attn\.v|self_attn\.v_proj|attn\.Wqkv",
    "attention_output": r"attention\.(output\.)?dense|attention\.out_lin|attention\.attn\.o|self_attn\.o_proj|attn\.Wo",
    "intermediate": r"intermediate\.dense|ffn\.lin1|ffn|mlp\.(gate|up)_proj|mlp\.Wi|mlp\.fc1",
    "output": r"output\.dense|ffn\.lin2|ffn_output|mlp\.down_proj|mlp\.Wo|mlp\.fc2",
}
_LAYER = r"(.*\.)?(layers?|albert_layers)\.\d+"


@dataclass(frozen=True)
class Lora(Adapter):
    """W x becomes W x + (alpha / r) B A x with trained A (r, in) and B (out, r) and a frozen W; B starts at 0.

    The backbone's own weights are frozen, shared by all tasks; heads train as usual. Prefer Pals where tasks disturb
    each other: there each has its own. Rates about ten times those of full training are usual.

    Args:
        r: Rank.
        alpha: Numerator of the scale; the update is multiplied by alpha / r.
        dropout: Dropout on what A reads.
        targets: The matrices of every layer that get an update.
        bias: Which biases train: `none`, those of the targets (`lora_only`) or `all`.
        dora: Train the length of each row of W apart from its direction.
        also_train: Parts of the backbone that train along.

    Raises:
        ValueError: If a value is out of range, or (from attach) if the backbone lacks a part.

    Source: Hu et al. 2021, https://arxiv.org/abs/2106.09685; dora: Liu et al. 2024, https://arxiv.org/abs/2402.09353
    """

    training_options: ClassVar[tuple[str, ...]] = ("dropout", "bias", "also_train")
    r: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    targets: tuple[Target, ...] = ("query", "value")
    bias: Literal["none", "all", "lora_only"] = "none"
    dora: bool = False
    also_train: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        if self.r < 1 or self.alpha <= 0 or not 0 <= self.dropout < 1:
            raise ValueError(
                f"adapter Lora: r is {self.r}, alpha {self.alpha}, dropout {self.dropout} "
                "(expected r of 1 or more, alpha above 0, dropout in [0, 1))"
            )
        if not self.targets:
            raise ValueError("adapter Lora: targets is empty (expected at least one matrix)")

    def attach(self, bert: PreTrainedModel, tasks: Sequence[str]) -> None:
        """Wrap the target matrices; see `Adapter.attach`."""
        from peft import LoraConfig, inject_adapter_in_model  # here, since importing it takes seconds

        matrices = [name for name, module in bert.named_modules() if isinstance(module, nn.Linear)]
        chosen: list[str] = []
        for target in self.targets:
            found = [name for name in matrices if re.fullmatch(rf"{_LAYER}\.({_PLACES[target]})", name)]
            if not found:
                raise ValueError(f"adapter Lora: {bert.config.model_type} models have no matrix called {target}")
            chosen += found
        config = LoraConfig(
            r=self.r,
            lora_alpha=self.alpha,  # type: ignore[arg-type]  # a float does too
            lora_dropout=self.dropout,
            target_modules="|".join(map(re.escape, chosen)),  # by name: DistilBERT's `ffn` is a module of two
            bias=self.bias,
            use_dora=self.dora,
        )
        inject_adapter_in_model(config, bert)
        release(bert, self.also_train)


def merge_lora(bert: PreTrainedModel) -> None:
    """Add the updates to the matrices and leave a plain model, changed in place."""
    from peft.tuners.lora import LoraLayer

    for name, module in list(bert.named_modules()):
        if isinstance(module, LoraLayer):
            module.merge(safe_merge=True)
            parent, _, child = name.rpartition(".")
            base = module.get_base_layer()
            assert isinstance(base, nn.Linear)
            setattr(bert.get_submodule(parent), child, base)
