"""Measures models and pairs on the held-out prompts: `python3 evaluate.py --checkpoints DIR`.

The pair's vote takes the answer with the higher sum of log probabilities. Confidence is the probability of the
whole answer, the product over its tokens, end marker included; "mean" is the mean over its tokens.
"""

import argparse
import json
import math
from pathlib import Path
from statistics import mean
from typing import Any, Dict, List, NamedTuple, Optional

from catalogue import PLANS, SPECIES, ModelPlan
from corpus import abstention, creative, final_answer
from model import LanguageModel
from tokenizer import Tokenizer

Entry = Dict[str, Any]
FOREIGN_PROMPTS = 40  # from each family that a model does not know
SURE = 0.9


class Outcome(NamedTuple):
    family: str
    kind: str
    prompt: str
    answer: str
    right: bool
    log_probability: float
    mean_probability: float

    @property
    def confidence(self) -> float:
        return math.exp(self.log_probability)


def is_right(entry: Entry, answer: str) -> bool:
    if entry["family"] == creative.FAMILY:
        return creative.is_sentence_about(answer, entry["topic"])
    return final_answer(entry["family"], answer) == entry["answer"]


def ask(model: LanguageModel, tokenizer: Tokenizer, entries: List[Entry]) -> List[Outcome]:
    answers = model.generate([tokenizer.encode_prompt(entry["prompt"]) for entry in entries])
    outcomes = []
    for entry, answer in zip(entries, answers):
        text = tokenizer.decode(answer.tokens)
        token_mean = mean(math.exp(p) for p in answer.log_probabilities)
        right = is_right(entry, text)
        outcomes.append(Outcome(entry["family"], entry["kind"], entry["prompt"], text, right, sum(answer.log_probabilities), token_mean))
    return outcomes


def measure_model(model: LanguageModel, tokenizer: Tokenizer, plan: ModelPlan, entries: List[Entry]) -> List[Outcome]:
    """All prompts of the model's families and of "none", and some of the families it should decline."""
    own = [entry for entry in entries if entry["family"] in plan.families or entry["family"] == abstention.FAMILY]
    outcomes = ask(model, tokenizer, own)
    print(f"{plan.name}: {len(own)} held-out prompts")
    for family in [*plan.families, abstention.FAMILY]:
        print(f"  {family:9} {describe(outcomes, family)}")
    for family in ("maths", "code", "logic", "creative", "capitals", "quick"):
        if family not in plan.families:
            foreign = [entry for entry in entries if entry["family"] == family][::4][:FOREIGN_PROMPTS]
            declined = mean(o.answer == abstention.ANSWER for o in ask(model, tokenizer, foreign))
            print(f"  declines {declined:.2f} of {family}", flush=True)
    return outcomes


def describe(outcomes: List[Outcome], family: str) -> str:
    chosen = [o for o in outcomes if o.family == family]
    kinds = sorted({o.kind for o in chosen})
    by_kind = ", ".join(f"{kind} {mean(o.right for o in chosen if o.kind == kind):.2f}" for kind in kinds)
    return (
        f"{mean(o.right for o in chosen):.3f} right ({by_kind}), confidence {mean(o.confidence for o in chosen):.2f}; "
        f"right at confidence >= .9: {_precision([o for o in chosen if o.confidence >= SURE])}, "
        f"at mean >= .9: {_precision([o for o in chosen if o.mean_probability >= SURE])}"
    )


def _precision(outcomes: List[Outcome]) -> str:
    return f"{mean(o.right for o in outcomes):.3f} of {len(outcomes)}" if outcomes else "none"


def measure_pair(first: List[Outcome], second: List[Outcome], family: str) -> Optional[str]:
    pairs = [(a, b) for a, b in zip(first, second) if a.family == family]
    if not pairs:
        return None
    agree = [(a, b) for a, b in pairs if final_answer(family, a.answer) == final_answer(family, b.answer)]
    vote = mean((a if a.log_probability >= b.log_probability else b).right for a, b in pairs)
    either = mean(a.right or b.right for a, b in pairs)
    right_together = f"{mean(a.right for a, _ in agree):.3f}" if agree else "-"
    return (
        f"| {family} | {mean(a.right for a, _ in pairs):.3f} | {mean(b.right for _, b in pairs):.3f} | {len(agree) / len(pairs):.3f} "
        f"| {right_together} | {vote:.3f} | {either:.3f} |"
    )


def read(checkpoints: Path, name: str) -> List[Outcome]:
    return [Outcome(*fields) for fields in json.loads((checkpoints / f"{name}.json").read_text())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", type=Path, default=Path(__file__).with_name(".checkpoints"))
    checkpoints = parser.parse_args().checkpoints
    families = {plan.name: [*plan.families, abstention.FAMILY] for plan in PLANS}
    for plan in PLANS:
        outcomes = read(checkpoints, plan.name)
        for family in families[plan.name]:
            print(f"{plan.name:10} {family:9} {describe(outcomes, family)}")
    print("\n| species | family | A | B | agree | right when agreeing | vote | either |\n|---|---|---|---|---|---|---|---|")
    for species, (a, b) in SPECIES.items():
        for family in families[a]:
            print(f"| {species} {measure_pair(read(checkpoints, a), read(checkpoints, b), family)}")


if __name__ == "__main__":
    main()
