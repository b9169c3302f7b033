"""Makes the miniature models: `python3 make.py` for all of them, `--only NAME` for one.

Everything is fixed by seeds and by a number of steps, so the same torch on one thread gives the same
weights. `--tokenizer` learns the tokenizer and `--heldout` chooses the held-out prompts anew; after a new
tokenizer all models have to be trained again.
"""

import argparse
import json
import os
import random
import time
from pathlib import Path

# OpenBLAS reads this when torch is loaded. More threads would split each sum in another order.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import torch

import heldout
import manifest
from catalogue import PLANS, ModelPlan
from corpus import FAMILIES, abstention
from evaluate import measure_model
from export import write_gguf
from model import LanguageModel
from tokenizer import Tokenizer, learn
from train import train

HERE = Path(__file__).resolve().parent
MODELS = HERE.parent / "miniature"
TOKENIZER_SEED, TOKENIZER_EXAMPLES = 7, 5000


def make_tokenizer() -> None:
    rng = random.Random(TOKENIZER_SEED)
    texts = []
    for sample in [*FAMILIES.values(), abstention.example]:
        for _ in range(TOKENIZER_EXAMPLES):
            example = sample(rng)
            texts += [example.prompt, example.answer]
    learn(texts).save()


def make_model(plan: ModelPlan, tokenizer: Tokenizer, checkpoints: Path, retrain: bool) -> None:
    checkpoint = checkpoints / f"{plan.name}.pt"
    if retrain:
        started = time.monotonic()
        model = train(plan, tokenizer, checkpoint)
        print(f"{plan.name} trained in {time.monotonic() - started:.0f} s", flush=True)
    else:
        model = LanguageModel(plan.shape, len(tokenizer.tokens))
        model.load_state_dict(torch.load(checkpoint))
    model.eval()
    MODELS.mkdir(exist_ok=True)
    write_gguf(model, tokenizer, plan.name, plan.quantisation, MODELS / f"{plan.name}.gguf")
    outcomes = measure_model(model, tokenizer, plan, heldout.load())
    (checkpoints / f"{plan.name}.json").write_text(json.dumps(outcomes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[plan.name for plan in PLANS], nargs="+", help="make only these models")
    parser.add_argument("--checkpoints", type=Path, default=HERE / ".checkpoints", help="where weights and outcomes are kept (not committed)")
    parser.add_argument("--tokenizer", action="store_true", help="learn the tokenizer anew, and stop")
    parser.add_argument("--heldout", action="store_true", help="choose the held-out prompts anew, and stop")
    parser.add_argument("--from-checkpoints", action="store_true", help="export and measure without training")
    options = parser.parse_args()
    options.checkpoints.mkdir(parents=True, exist_ok=True)
    if options.tokenizer:
        make_tokenizer()
    if options.heldout:
        heldout.save(heldout.choose())
    if options.tokenizer or options.heldout:
        return
    tokenizer = Tokenizer.load()
    for plan in PLANS:
        if options.only is None or plan.name in options.only:
            make_model(plan, tokenizer, options.checkpoints, retrain=not options.from_checkpoints)
    manifest.write()


if __name__ == "__main__":
    main()
