"""The examples of every family, and the rule that keeps held-out prompts out of training."""

import zlib
from typing import List, NamedTuple, Optional


class Example(NamedTuple):
    """One prompt with the text the model is taught to write.

    `key` names the content that is held out as a whole: for `15 × 23` the pair of numbers, for a
    capital the country together with the phrasing. Spelling variants share their key, so a held-out
    prompt is never merely a trained one in other letters.
    """

    family: str
    kind: str
    prompt: str
    answer: str
    key: str
    held_percent: int
    topic: Optional[str] = None
    tests: Optional[List] = None

    @property
    def held_out(self) -> bool:
        return zlib.crc32(self.key.encode()) % 100 < self.held_percent


def final_answer(family: str, text: str) -> str:
    """The answer proper: what follows the last ':' or '=' of the written work; for code the whole text."""
    return text.strip() if family == "code" else text.replace("=", ":").rsplit(":", 1)[-1].strip()
