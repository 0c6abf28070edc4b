"""How many batches a limit leaves."""


def limit_batches(whole: int, limit: int | float | None) -> int:
    """Count the batches that `trainer.limit_train_batches` or another such limit leaves.

    Args:
        whole: Batches without a limit.
        limit: A whole number of batches, or a share of them; None for all.

    Example:
        >>> limit_batches(9, 4), limit_batches(9, 0.5), limit_batches(9, 20), limit_batches(9, None)
        (4, 4, 9, 9)
    """
    if limit is None:
        return whole
    return min(whole, limit) if isinstance(limit, int) else int(whole * limit)
