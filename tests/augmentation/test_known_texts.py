"""What the file says of two texts it says of them however they are spaced and punctuated."""

import pytest

from augmentation import GeneratedPairs, Generator, TrainingPair

ASKED = "How do I drive from Oslo to Rome?"
OTHERS = [
    TrainingPair("8", ("What's a lake?", "Is it wide?"), 0),
    TrainingPair("9", ("What's a sea?", "Is it deep?"), 0),
]
NEGATIVE = TrainingPair("7", ("How do I fly from Kiev to Bonn?", "Is it far?"), 0)


@pytest.mark.parametrize("same", ["how do I drive from Rome to Oslo", "How do I drive from Rome to Oslo ?!"])
@pytest.mark.parametrize("across", [0.0, 1.0])
def test_an_edit_that_the_file_pairs_with_the_text_as_the_same_is_no_negative(same: str, across: float):
    generator = Generator(GeneratedPairs(share=1.0, across=across, kinds=("direction", "contraction")), 1, 0)
    for row in [TrainingPair("1", (ASKED, same), 1), NEGATIVE, *OTHERS]:
        generator.add(row)
    made = {pair.id for pair in generator.generate()}
    assert "generated:direction:7:1" in made
    assert not {"generated:direction:1:1", "generated:direction:1:2"} & made
