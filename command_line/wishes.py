"""Which flag a user meant who typed one that there is not."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# What other trainers and CS224N's starter code call our settings, by the last part of a flag's name.
OTHER_NAMES = {
    "model.optimizer.lr": ["learning_rate", "base_lr", "peak_lr", "learningrate"],
    "model.optimizer.weight_decay": ["wd"],
    "model.optimizer.warmup": ["warmup_ratio", "warmup_steps", "warmup_proportion", "num_warmup_steps"],
    "model.optimizer.betas": ["beta1", "beta2", "adam_beta1", "adam_beta2"],
    "model.optimizer.eps": ["epsilon", "adam_epsilon"],
    "model.optimizer.schedule": ["lr_scheduler", "lr_scheduler_type", "scheduler"],
    "model.backbone": [
        *["model_name", "model_name_or_path", "pretrained_model_name_or_path", "pretrained", "base_model"],
        *["bert_model", "encoder", "checkpoint_name"],
    ],
    "model.freeze_backbone": ["freeze", "fine_tune_mode", "finetune_mode", "option"],
    "model.backbone_dropout": ["dropout", "hidden_dropout_prob", "attention_probs_dropout_prob"],
    "model.backbone_config": ["hidden_size"],
    "model.surgery": ["pcgrad", "gradient_surgery"],
    "model.compile": ["torch_compile"],
    "trainer.max_epochs": ["epochs", "num_epochs", "n_epochs", "num_train_epochs", "train_epochs", "epoch"],
    "trainer.max_steps": ["steps", "num_steps", "train_steps", "num_train_steps", "total_steps"],
    "trainer.precision": ["fp16", "bf16", "amp", "mixed_precision", "dtype"],
    "trainer.accelerator": ["device", "use_gpu", "cuda", "no_cuda", "cpu", "gpu"],
    "trainer.devices": ["gpus", "num_gpus", "n_gpu", "gpu_ids", "nproc_per_node"],
    "trainer.accumulate_grad_batches": ["gradient_accumulation_steps", "accumulation_steps", "grad_accum"],
    "trainer.gradient_clip_val": ["max_grad_norm", "grad_clip", "clip", "clip_grad_norm", "gradient_clipping"],
    "trainer.val_check_interval": ["eval_steps", "eval_every", "evaluation_strategy", "eval_interval"],
    "trainer.log_every_n_steps": ["logging_steps", "log_interval", "log_every"],
    "trainer.logger.save_dir": ["output_dir", "out_dir", "output", "save_dir", "run_dir", "log_dir", "logging_dir"],
    "trainer.logger.name": ["run_name", "experiment_name", "exp_name"],
    "trainer.callbacks": ["early_stopping", "early_stopping_patience"],
    "checkpoint.every_n_train_steps": ["save_steps", "save_every", "checkpoint_every"],
    "data.batch_size": ["train_batch_size", "per_device_train_batch_size", "bs", "batchsize"],
    "data.tokens_per_batch": ["eval_batch_size", "per_device_eval_batch_size", "val_batch_size"],
    "data.max_length": ["max_seq_length", "max_seq_len", "seq_length", "max_len"],
    "data.root": ["data_dir", "data_path", "data_root", "dataset", "dataset_dir"],
    "data.num_workers": ["dataloader_num_workers", "workers"],
    "seed_everything": ["seed", "random_seed"],
    "ckpt_path": ["checkpoint_path", "resume", "resume_from_checkpoint", "resume_from", "load", "ckpt"],
    "averaging": ["ema", "swa", "use_ema"],
}
ALIASES = {other: name for name, others in OTHER_NAMES.items() for other in others}
NESTED = ("trainer.logger.save_dir", "trainer.logger.name")  # options of a class, which have no flag of their own


@dataclass(frozen=True)
class Flags:
    """The flags of a command.

    Args:
        names: Their names, with the dashes.
        links: Flags that follow another one, such as data.max_epochs: by name without dashes, the one that they follow.
        task_options: Names of the options of tasks.
    """

    names: Iterable[str] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    task_options: Iterable[str] = ()

    def settable(self) -> list[str]:
        """Return the flags that set something, without dashes."""
        long = [name[2:] for name in self.names if name.startswith("--")]
        other = ("help", "help_all", "print_config", "version", "config")
        return [
            name for name in long if name not in other and not name.endswith((".help", "+")) and name not in self.links
        ]

    def find(self, typed: str) -> str | None:
        """Return the flag that was meant, with its dashes; None if nothing is near.

        Args:
            typed: The flag as it was typed, with or without dashes.

        Example:
            >>> flags = Flags(["--help", "--trainer.max_epochs", "--model.optimizer.lr", "--data.batch_size"])
            >>> flags.find("--lr"), flags.find("--epochs"), flags.find("--data.batch"), flags.find("--tea")
            ('--model.optimizer.lr', '--trainer.max_epochs', '--data.batch_size', None)
        """
        name = typed.lstrip("-").replace("-", "_").lower()
        last = name.rpartition(".")[2]
        known = self.settable()
        if self.links.get(name) in known:
            return f"--{self.links[name]}"
        parts = name.split(".")
        if parts[0] == "tasks" and len(parts) > 2:
            close = difflib.get_close_matches(last, list(self.task_options), n=1)
            return f"--tasks.{parts[1]}.{close[0]}" if close else None
        same = [flag for flag in known if flag.rpartition(".")[2] == last]
        if same:
            return f"--{min(same, key=lambda flag: (-_shared(flag, name), len(flag)))}"
        if ALIASES.get(last) in (*known, *NESTED):
            return f"--{ALIASES[last]}"
        if last in self.task_options:
            return f"--tasks.NAME.{last}"
        begun = [flag for flag in known if flag.startswith(name)]
        if len(begun) == 1:
            return f"--{begun[0]}"
        return self._closest(name, last, known)

    def _closest(self, name: str, last: str, known: list[str]) -> str | None:
        """Return what is spelt nearly so: a whole name, its last part, or an option of tasks."""
        if close := difflib.get_close_matches(name, known, n=1, cutoff=0.8):
            return f"--{close[0]}"
        lasts = {flag.rpartition(".")[2]: flag for flag in reversed(known)}
        if close := difflib.get_close_matches(last, list(lasts), n=1, cutoff=0.8):
            return f"--{lasts[close[0]]}"
        if close := difflib.get_close_matches(last, list(ALIASES), n=1, cutoff=0.8):
            return f"--{ALIASES[close[0]]}" if ALIASES[close[0]] in known else None
        close = difflib.get_close_matches(last, list(self.task_options), n=1, cutoff=0.8)
        return f"--tasks.NAME.{close[0]}" if close else None


def _shared(flag: str, name: str) -> int:
    """Count the parts of a dotted name that another one has too."""
    return len(set(flag.split(".")) & set(name.split(".")))
