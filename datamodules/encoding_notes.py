"""What is worth telling about texts as tokens, with counts."""

from collections import Counter
from collections.abc import Sequence

from transformers import PreTrainedTokenizerFast

from runtime.counts import counted


class EncodingNotes:
    """Counts examples that lost something on the way from text to tokens.

    Args:
        tokenizer: The tokenizer.
        max_length: Tokens a sequence at most.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, max_length: int) -> None:
        self._max_length = max_length
        ends = {tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id}
        self._meaningless = {*ends, tokenizer.unk_token_id}
        self._special = () if tokenizer.split_special_tokens else tuple(tokenizer.all_special_tokens)
        self._cut = self._unknown = self._marked = 0
        self._tokens = Counter[str]()

    def count(self, texts: Sequence[str], input_ids: Sequence[int], *, cut: bool) -> None:
        """Count an example.

        Args:
            texts: Its one or two texts.
            input_ids: Token ids of its sequences.
            cut: Whether tokens were cut to fit the longest length.
        """
        found = [token for token in self._special if any(token in text for text in texts)]
        self._cut += cut
        self._unknown += self._meaningless.issuperset(input_ids)
        self._marked += bool(found)
        self._tokens.update(found)

    def lines(self) -> list[str]:
        """Return a sentence for each kind of loss, to stand behind the path of the source."""
        counts = ", ".join(f"{token} {count}" for token, count in self._tokens.most_common())
        lines = [
            (self._cut, f"cut to {self._max_length} tokens"),
            (self._unknown, "without a word that the tokenizer knows"),
            (
                self._marked,
                f"with special tokens, which the model reads as such: {counts} "
                "(--data.special_tokens_as_text true reads them as text)",
            ),
        ]
        return [f": {counted(count, 'example')} {what}" for count, what in lines if count]
