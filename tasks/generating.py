"""Generated pairs as examples of a task, behind the examples of its train split."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from augmentation import PREFIX, GeneratedPairs, Generator, TrainingPair
from heads import Label, LabelSpace, Scores
from runtime.errors import InputError
from tasks.reading import Example

PairLabel = int | float  # of a class or a score
NEGATIVE_SCORE = 0.3  # of the range of scores; see GeneratedPairs.different


def find_pair_labels(
    settings: GeneratedPairs, labels: LabelSpace, class_names: Sequence[str], parse: Callable[[str], Label]
) -> tuple[PairLabel, PairLabel]:
    """Return the label of generated pairs that mean the same, and of those that do not.

    Args:
        settings: The user's settings.
        labels: The task's labels.
        class_names: Its classes; none for scores.
        parse: Turns a label as the file has it into a label.

    Raises:
        ValueError: If the task's labels are sets, the settings leave open which label is meant, or it is none.
    """
    if labels.is_set:
        raise ValueError("generated_pairs is set, but a label is a set of classes (expected one class or a score)")
    if isinstance(labels, Scores):
        usual: tuple[PairLabel, PairLabel] = labels.high, labels.low + NEGATIVE_SCORE * (labels.high - labels.low)
    elif len(class_names) == 2:
        usual = 1, 0
    elif settings.same is None or settings.different is None:
        raise ValueError(
            "generated_pairs.same or .different is not set (expected the class of a pair that means the same, and of "
            f"one that does not, of {', '.join(class_names)})"
        )
    else:
        usual = 0, 0
    same = _parse("same", settings.same, usual[0], parse)
    different = _parse("different", settings.different, usual[1], parse)
    if same == different or (isinstance(labels, Scores) and same < different):
        expected = "a higher score for the same" if isinstance(labels, Scores) else "two classes"
        raise ValueError(f"generated_pairs.same and .different mean {same} and {different} (expected {expected})")
    return same, different


def _parse(name: str, value: str | float | None, usual: PairLabel, parse: Callable[[str], Label]) -> PairLabel:
    if value is None:
        return usual
    try:
        label = parse(str(value))
    except ValueError as error:
        raise ValueError(f"generated_pairs.{name} is {value!r} (expected {error})") from None
    assert not isinstance(label, tuple)  # of sets
    return label


def with_generated(
    examples: Iterable[Example],
    settings: GeneratedPairs,
    pair_labels: tuple[PairLabel, PairLabel],
    report: Callable[[str], None],
    made: Collection[str] | None = None,
) -> Iterator[Example]:
    """Yield the examples of a train split, then the pairs that are made of them.

    Args:
        examples: The examples.
        settings: What to make.
        pair_labels: Label of pairs that mean the same, and of those that do not.
        report: Called with a sentence on what was made.
        made: Ids of the pairs that were made of them before, to make those again; None to choose.

    Raises:
        InputError: If nothing could be made, an id of the file marks a generated pair, or the masked language model
            cannot be used.
    """
    generator = Generator(settings, *pair_labels)
    rows = 0
    for example in examples:
        if example.id.startswith(PREFIX):
            raise InputError(
                f"generated_pairs is set, but an example's id is {example.id!r} (expected none that begins with "
                f"{PREFIX}, which marks the pairs that are made)"
            )
        generator.add(TrainingPair(example.id, example.texts, example.label))
        rows += 1
        yield example
    try:
        pairs = generator.generate(made)
    except ValueError as error:
        raise InputError(str(error)) from None
    if not pairs:
        found = ", ".join(f"{kind} {count:,}" for kind, count in generator.count_candidates().items())
        raise InputError(
            f"generated_pairs: the rules made no pair from {rows:,} rows (expected a positive and a negative one at "
            f"least; edits found: {found}); they are for English"
        )
    counts = Counter(pair.kind for pair in pairs)
    wanted = round(settings.share * rows)
    fewer = f" of {wanted:,} asked for" if len(pairs) < wanted - 1 else ""
    report(
        f"{len(pairs):,} pairs{fewer} made by rule and trained on beside {rows:,} rows, half of them with the same "
        f"meaning ({', '.join(f'{kind} {count:,}' for kind, count in counts.items())})"
    )
    yield from (Example(pair.id, pair.texts, pair.label) for pair in pairs)
