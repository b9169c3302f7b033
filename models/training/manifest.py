"""Describes the committed models for the catalogue: `models/miniature/manifest.json`."""

import hashlib
import json
from pathlib import Path
from typing import Any, Dict

from catalogue import PLANS, SPECIES, ModelPlan
from corpus import ABSTENTION_SHARE, abstention
from model import CONTEXT_LENGTH
from tokenizer import Tokenizer
from train import BATCH

MODELS = Path(__file__).resolve().parent.parent / "miniature"
TRAINED_ON = {
    "maths": "a × b with two digits each, a + b and a - b with three, in some hundred wordings",
    "code": "one-line Python and JavaScript functions to write, Python expressions to evaluate, one-line Python functions to debug",
    "logic": "kinds, orders, implications, boolean expressions, parity, comparison, sequences",
    "creative": "a sentence of a small grammar about one of 159 things",
    "capitals": "the capitals of 64 countries, asked both ways",
    "quick": "arithmetic with single digits, comparisons of numbers",
}


def parameters(plan: ModelPlan, vocabulary: int) -> int:
    shape = plan.shape
    per_layer = 4 * shape.d * shape.d + 3 * shape.d * shape.ff + 2 * shape.d
    return vocabulary * shape.d + shape.layers * per_layer + shape.d


def describe(plan: ModelPlan, vocabulary: int) -> Dict[str, Any]:
    path = MODELS / f"{plan.name}.gguf"
    data = path.read_bytes()
    return {
        "name": plan.name,
        "file": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "architecture": plan.shape._asdict(),
        "parameters": parameters(plan, vocabulary),
        "quantisation": plan.quantisation,
        "contextLength": CONTEXT_LENGTH,
        "seed": plan.seed,
        "steps": plan.steps,
        "examples": plan.steps * BATCH,
        "families": list(plan.families),
        "trainedOn": "; ".join(TRAINED_ON[family] for family in plan.families),
        "finalAnswer": "whole" if "code" in plan.families else "after-last-colon-or-equals",
    }


def write() -> None:
    """Lists the existing models. A model that was not made yet is left out, and so is its pair."""
    vocabulary = len(Tokenizer.load().tokens)
    models = [describe(plan, vocabulary) for plan in PLANS if (MODELS / f"{plan.name}.gguf").exists()]
    present = {model["name"] for model in models}
    manifest = {
        "description": (
            "Miniature language models trained from scratch for tests and demonstrations. They know only the kinds of "
            "prompt listed here and are no measure of what language models can do."
        ),
        "promptFormat": "<|user|>{prompt}<|bot|>{answer}<|end|>",
        "abstention": {
            "answer": abstention.ANSWER,
            "shareOfExamples": ABSTENTION_SHARE,
            "note": "Each model was taught to give this answer to prompts outside its families.",
        },
        "models": models,
        "species": {species: list(pair) for species, pair in SPECIES.items() if present.issuperset(pair)},
    }
    (MODELS / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
