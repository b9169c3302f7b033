"""A byte-level BPE tokenizer in GPT-2's format, small enough to learn in seconds.

Sources: "Neural Machine Translation of Rare Words with Subword Units" (Sennrich et al. 2016) for the
merges, "Language Models are Unsupervised Multitask Learners" (Radford et al. 2019) for the bytes and the
splitting pattern. llama.cpp applies the same pattern under the name `gpt-2`.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Dict, Iterable, List, Sequence, Tuple

PAD, END, USER, BOT = 0, 1, 2, 3
SPECIAL = ["<|pad|>", "<|end|>", "<|user|>", "<|bot|>"]
MERGES = 720
RAREST_PAIR = 20
PATTERN = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+")
COMMITTED = Path(__file__).with_name("tokenizer.json")


def _byte_characters() -> Dict[int, str]:
    """GPT-2's table: printable bytes map to themselves, the others to characters from U+0100 on."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {byte: chr(byte) for byte in printable}
    table.update({byte: chr(256 + i) for i, byte in enumerate(others)})
    return table


CHARACTER_OF = _byte_characters()
BYTE_OF = {character: byte for byte, character in CHARACTER_OF.items()}


def _spell(word: str) -> List[str]:
    return [CHARACTER_OF[byte] for byte in word.encode()]


def _merge(symbols: Sequence[str], pair: Tuple[str, str]) -> List[str]:
    merged, i = [], 0
    while i < len(symbols):
        if i + 1 < len(symbols) and (symbols[i], symbols[i + 1]) == pair:
            merged.append(symbols[i] + symbols[i + 1])
            i += 2
        else:
            merged.append(symbols[i])
            i += 1
    return merged


def learn(texts: Iterable[str], merges: int = MERGES) -> "Tokenizer":
    """Learns merges from words without digits, so that each digit stays one token."""
    counts = Counter(word for text in texts for word in PATTERN.findall(text) if not re.search("[0-9]", word))
    words = {word: _spell(word) for word in counts}
    learned: List[Tuple[str, str]] = []
    while len(learned) < merges:
        pairs: Counter = Counter()
        for word, symbols in words.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += counts[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if pairs[best] < RAREST_PAIR:
            break
        learned.append(best)
        for word, symbols in words.items():
            if len(symbols) > 1:
                words[word] = _merge(symbols, best)
    return Tokenizer(learned)


class Tokenizer:
    def __init__(self, merges: Sequence[Sequence[str]]):
        self.merges = [(left, right) for left, right in merges]
        joined = dict.fromkeys(left + right for left, right in self.merges)
        self.tokens = SPECIAL + [CHARACTER_OF[byte] for byte in range(256)] + list(joined)
        self._id = {token: i for i, token in enumerate(self.tokens)}
        self._rank = {pair: rank for rank, pair in enumerate(self.merges)}
        self._words: Dict[str, List[int]] = {}

    @classmethod
    def load(cls, path: Path = COMMITTED) -> "Tokenizer":
        return cls(json.loads(path.read_text())["merges"])

    def save(self, path: Path = COMMITTED) -> None:
        path.write_text(json.dumps({"merges": self.merges}, ensure_ascii=False) + "\n")

    def encode(self, text: str) -> List[int]:
        return [token for word in PATTERN.findall(text) for token in self._encode_word(word)]

    def decode(self, tokens: Sequence[int]) -> str:
        data = bytes(BYTE_OF[character] for token in tokens if token > BOT for character in self.tokens[token])
        return data.decode("utf-8", "replace")

    def encode_prompt(self, prompt: str) -> List[int]:
        """The chat format of all models: `<|user|>` prompt `<|bot|>` answer `<|end|>`."""
        return [USER, *self.encode(prompt), BOT]

    def _encode_word(self, word: str) -> List[int]:
        known = self._words.get(word)
        if known is not None:
            return known
        symbols = _spell(word)
        while len(symbols) > 1:
            pair = min(zip(symbols, symbols[1:]), key=lambda pair: self._rank.get(pair, len(self._rank)))
            if pair not in self._rank:
                break
            symbols = _merge(symbols, pair)
        tokens = [self._id[symbol] for symbol in symbols]
        if len(self._words) < 50_000:
            self._words[word] = tokens
        return tokens
