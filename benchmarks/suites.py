"""Which programs a suite compares."""

from dataclasses import replace

from benchmarks.job import Job, Precision, Workload

OURS, PEERS = "benchmarks.ours", "benchmarks.peers"
REFERENCE = "HF Trainer default"
PLAIN, SORTED = "plain PyTorch, file order", "plain PyTorch, sorted"
PRODUCTS = {"fp32": "bare products, fp32", "onednn": "bare products, oneDNN fp32", "bf16": "bare products, bf16"}
ONE_TASK, THREE_TASKS, INT8 = "ours fp32", "ours fp32, three tasks", "ours int8"
ORT_INT8_SORTED = "ONNX Runtime int8, sorted"
MINILM = Workload(num_layers=6, hidden_size=384, num_heads=12, intermediate_size=1536)


def bare_products(*precisions: Precision, trains: bool) -> dict[str, Job]:
    """Return the programs that measure the limit in some precisions."""
    return {
        PRODUCTS[precision]: Job(program="benchmarks.products", precision=precision, trains=trains)
        for precision in precisions
    }


FAMILIES = {  # by suite
    "roberta": "roberta",
    "mpnet": "mpnet",
    "deberta": "deberta-v2",
    "modernbert": "modernbert",
    "deberta-v1": "deberta",
}


def encoder_suites(name: str, family: str) -> dict[str, dict[str, Job]]:
    """Return the suites that compare the encoder of a family, in training and in evaluation."""
    workload = Workload(family=family)
    return {
        name: {
            "ours fp32": Job(program=f"{OURS}.training", workload=workload),
            REFERENCE: Job(program=f"{PEERS}.training", workload=workload),
            "HF Trainer group_by_length": Job(program=f"{PEERS}.training", workload=workload, sorts_by_length=True),
        },
        f"{name}-evaluation": {
            "ours fp32": Job(program=f"{OURS}.evaluation", workload=workload),
            REFERENCE: Job(program=f"{PEERS}.evaluation", workload=workload),
            "HF Trainer sorted": Job(program=f"{PEERS}.evaluation", workload=workload, sorts_by_length=True),
        },
    }


# Programs by suite and name; our names begin with `ours`.
SUITES: dict[str, dict[str, Job]] = {
    "training": {
        "ours fp32": Job(program=f"{OURS}.training"),
        "ours oneDNN fp32": Job(program=f"{OURS}.training", precision="onednn"),
        "ours bf16-mixed": Job(program=f"{OURS}.training", precision="bf16"),
        "ours bf16-mixed, round_tokens 32": Job(program=f"{OURS}.training", precision="bf16", round_tokens=32),
        "ours bare loop": Job(program=f"{OURS}.bare_loop"),
        REFERENCE: Job(program=f"{PEERS}.training"),
        "HF Trainer oneDNN fp32": Job(program=f"{PEERS}.training", precision="onednn"),
        "HF Trainer group_by_length": Job(program=f"{PEERS}.training", sorts_by_length=True),
        "HF Trainer oneDNN fp32 group_by_length": Job(
            program=f"{PEERS}.training", precision="onednn", sorts_by_length=True
        ),
        "HF Trainer bf16": Job(program=f"{PEERS}.training", precision="bf16"),
        "HF Trainer bf16 group_by_length": Job(program=f"{PEERS}.training", precision="bf16", sorts_by_length=True),
        "HF Trainer compiled, bf16 group_by_length": Job(
            program=f"{PEERS}.training", precision="bf16", sorts_by_length=True, compiles=True
        ),
        "sentence-transformers CrossEncoderTrainer": Job(program=f"{PEERS}.cross_encoder"),
        "sentence-transformers CrossEncoderTrainer bf16": Job(program=f"{PEERS}.cross_encoder", precision="bf16"),
        **bare_products("fp32", "onednn", "bf16", trains=True),
    },
    "mlm": {
        "ours fp32": Job(program=f"{OURS}.masked_lm"),
        "ours bf16-mixed": Job(program=f"{OURS}.masked_lm", precision="bf16"),
        REFERENCE: Job(program=f"{PEERS}.masked_lm"),
        "HF Trainer group_by_length": Job(program=f"{PEERS}.masked_lm", sorts_by_length=True),
        "HF Trainer bf16": Job(program=f"{PEERS}.masked_lm", precision="bf16"),
        "HF Trainer bf16 group_by_length": Job(program=f"{PEERS}.masked_lm", precision="bf16", sorts_by_length=True),
    },
    "evaluation": {
        "ours fp32": Job(program=f"{OURS}.evaluation"),
        REFERENCE: Job(program=f"{PEERS}.evaluation"),
        "ours oneDNN fp32": Job(program=f"{OURS}.evaluation", precision="onednn"),
        "ours bf16-mixed": Job(program=f"{OURS}.evaluation", precision="bf16"),
        "HF Trainer sorted": Job(program=f"{PEERS}.evaluation", sorts_by_length=True),
        "HF Trainer bf16 sorted": Job(program=f"{PEERS}.evaluation", sorts_by_length=True, precision="bf16"),
        **bare_products("fp32", "onednn", "bf16", trains=False),
        "sentence-transformers CrossEncoder.predict": Job(program=f"{PEERS}.prediction"),
    },
    "frozen": {
        "ours, each vector once": Job(program=f"{OURS}.training", frozen=True),
        "ours, vectors at each step": Job(program=f"{OURS}.training", frozen=True, caches_vectors=False),
        REFERENCE: Job(program=f"{PEERS}.training", frozen=True),
    },
    "inference": {
        ONE_TASK: Job(program=f"{OURS}.prediction"),
        INT8: Job(program=f"{OURS}.prediction", precision="int8"),
        "ours bf16": Job(program=f"{OURS}.prediction", precision="bf16"),
        THREE_TASKS: Job(program=f"{OURS}.prediction", num_tasks=3),
        PLAIN: Job(program=f"{PEERS}.classifier"),
        SORTED: Job(program=f"{PEERS}.classifier", sorts_by_length=True),
        "HF pipeline": Job(program=f"{PEERS}.pipeline"),
        "sentence-transformers CrossEncoder": Job(program=f"{PEERS}.trained_cross_encoder"),
        "ONNX Runtime fp32, file order": Job(program=f"{PEERS}.onnx_runtime"),
        "ONNX Runtime fp32, sorted": Job(program=f"{PEERS}.onnx_runtime", sorts_by_length=True),
        "ONNX Runtime int8, file order": Job(program=f"{PEERS}.onnx_runtime", precision="int8"),
        ORT_INT8_SORTED: Job(program=f"{PEERS}.onnx_runtime", precision="int8", sorts_by_length=True),
    },
}
SUITES["minilm"] = {name: replace(job, workload=MINILM) for name, job in SUITES["training"].items()}
for _name, _family in FAMILIES.items():
    SUITES |= encoder_suites(_name, _family)
# What sorts by length in fp32, of which the fastest counts.
SORTED_PEERS = (SORTED, "sentence-transformers CrossEncoder", "ONNX Runtime fp32, sorted")
