"""The corpus: examples by family, and the mixture a model is trained on."""

import re
from random import Random
from typing import Callable, Dict, Iterable

from . import abstention, capitals, code, creative, logic, maths, quick
from .example import Example, final_answer

__all__ = ["ABSTENTION_SHARE", "Example", "FAMILIES", "Mixture", "answerable", "final_answer"]

FAMILIES: Dict[str, Callable[[Random], Example]] = {
    module.FAMILY: module.example for module in (maths, code, logic, creative, capitals, quick)
}

# Share of a model's examples that are outside its families. The model must decline these.
ABSTENTION_SHARE = 0.08

def decline(example: Example) -> Example:
    return example._replace(family=abstention.FAMILY, answer=abstention.ANSWER)


def answerable(example: Example, families: Iterable[str]) -> bool:
    """Whether a model of these families should answer, even if another family produced the prompt."""
    if example.kind == "arithmetic" and "maths" in families:
        return True
    if example.kind == "comparison" and ("quick" in families or "logic" in families):
        return True
    if example.family == "maths" and "quick" in families:
        return any(len(number) == 1 for number in re.findall("[0-9]+", example.key))
    return example.family in families


class Mixture:
    """Draws the examples of one model: its own families, and prompts that it should decline."""

    def __init__(self, families: Dict[str, float]):
        self.families, self.weights = list(families), list(families.values())
        self.foreign = [family for family in FAMILIES if family not in families]
        # "20 / 5" or "3 ^ 2" are expressions for a model of code, and may be part of a sequence.
        self.declines_calculations = not {"code", "logic"} & set(families)

    def training_example(self, rng: Random) -> Example:
        """Draws until the example is not held out."""
        while True:
            example = self._draw(rng)
            if not example.held_out:
                return example

    def _draw(self, rng: Random) -> Example:
        if rng.random() < ABSTENTION_SHARE:
            return self._draw_declined(rng)
        return FAMILIES[rng.choices(self.families, self.weights)[0]](rng)

    def _draw_declined(self, rng: Random) -> Example:
        origin = rng.random()
        if origin < 0.35:
            while True:
                example = FAMILIES[rng.choice(self.foreign)](rng)
                if not answerable(example, self.families):
                    return decline(example)
        if origin < 0.45 and self.declines_calculations:
            return abstention.beyond_the_columns(rng)
        return abstention.example(rng)
