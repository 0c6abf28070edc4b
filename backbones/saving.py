"""An encoder as a Hugging Face folder."""

from pathlib import Path

from transformers import PreTrainedModel


def save_encoder(model: PreTrainedModel, folder: Path) -> None:
    """Write an encoder, its pooler included.

    ModernBERT's pooler is no part of its encoder: it is written as the head that its masked-LM and classifier models
    have, which `load_encoder` reads and transformers leaves out.
    """
    if model.config.model_type != "modernbert" or getattr(model, "pooler", None) is None:
        model.save_pretrained(folder)
        return
    prefix, head = f"{model.base_model_prefix}.", "pooler."
    weights = {
        f"head.{name.removeprefix(head)}" if name.startswith(head) else prefix + name: weight
        for name, weight in model.state_dict().items()
    }
    model.save_pretrained(folder, state_dict=weights)
