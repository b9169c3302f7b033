"""Trains one model: the recipe, the batches and the loop."""

import random
import time
from pathlib import Path
from typing import List, Tuple

import torch
from torch import Tensor
from torch.nn import functional

from catalogue import ModelPlan
from corpus import Mixture
from model import LanguageModel
from muon import Muon
from tokenizer import END, Tokenizer

BATCH = 64
BATCHES_PER_CHUNK = 32
MUON_RATE, MUON_MOMENTUM = 0.01, 0.95
ADAM_RATE, ADAM_BETAS = 2e-3, (0.9, 0.98)
WEIGHT_DECAY = 0.02
WARM_UP_STEPS = 100
DECAY_SHARE = 0.6
LOWEST_RATE = 0.02
CLIP = 1.0

Encoded = Tuple[int, List[int]]  # start of the answer, and all tokens


def schedule(step: int, steps: int) -> float:
    """Linear warm-up, a plateau, and a linear decay over the last 60 % of the steps."""
    return min(1.0, (step + 1) / WARM_UP_STEPS) * max(LOWEST_RATE, min(1.0, (1 - step / steps) / DECAY_SHARE))


def batches(mixture: Mixture, tokenizer: Tokenizer, rng: random.Random) -> List[List[Encoded]]:
    """A chunk of batches, each of similar lengths, so that there is little padding."""
    encoded: List[Encoded] = []
    for _ in range(BATCHES_PER_CHUNK * BATCH):
        example = mixture.training_example(rng)
        prompt = tokenizer.encode_prompt(example.prompt)
        encoded.append((len(prompt), [*prompt, *tokenizer.encode(example.answer), END]))
    encoded.sort(key=lambda item: len(item[1]) + rng.random())
    chunk = [encoded[i : i + BATCH] for i in range(0, len(encoded), BATCH)]
    rng.shuffle(chunk)
    return chunk


def tensors(batch: List[Encoded]) -> Tuple[Tensor, Tensor]:
    """Padded tokens, and a mask of the answer's positions, whose loss counts."""
    length = max(len(tokens) for _, tokens in batch)
    padded = torch.tensor([tokens + [0] * (length - len(tokens)) for _, tokens in batch])
    mask = torch.tensor([[start <= i < len(tokens) for i in range(length)] for start, tokens in batch])
    return padded, mask


def train(plan: ModelPlan, tokenizer: Tokenizer, checkpoint: Path) -> LanguageModel:
    """Trains to `plan.steps` on one thread, so that the same torch gives the same weights."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(plan.seed)
    rng = random.Random(plan.seed)
    mixture = Mixture(plan.families)
    model = LanguageModel(plan.shape, len(tokenizer.tokens))
    muon = Muon(model, MUON_RATE, MUON_MOMENTUM, WEIGHT_DECAY)
    norms = [parameter for parameter in model.parameters() if parameter.dim() == 1]
    adam = torch.optim.AdamW(
        [{"params": [model.embedding.weight], "weight_decay": WEIGHT_DECAY}, {"params": norms, "weight_decay": 0.0}],
        lr=ADAM_RATE, betas=ADAM_BETAS, eps=1e-8,
    )
    chunk: List[List[Encoded]] = []
    started, mean_loss = time.monotonic(), 0.0
    for step in range(plan.steps):
        if not chunk:
            chunk = batches(mixture, tokenizer, rng)
        tokens, mask = tensors(chunk.pop())
        counts = mask[:, 1:]
        logits = model.logits(model.hidden(tokens[:, :-1])[counts])
        loss = functional.cross_entropy(logits, tokens[:, 1:][counts])
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        factor = schedule(step, plan.steps)
        for group in adam.param_groups:
            group["lr"] = ADAM_RATE * factor
        adam.step()
        muon.step(factor)
        mean_loss = loss.item() if step == 0 else 0.98 * mean_loss + 0.02 * loss.item()
        if (step + 1) % 200 == 0:
            print(f"{plan.name} step {step + 1}/{plan.steps} loss {mean_loss:.4f} {time.monotonic() - started:.0f} s", flush=True)
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), checkpoint)
    return model
