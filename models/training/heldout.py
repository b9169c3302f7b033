"""The held-out prompts: chosen once by seed, committed, and never trained on."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List

from corpus import FAMILIES, Example, abstention, final_answer

PATH = Path(__file__).resolve().parent.parent / "miniature" / "heldout.json"
SEED = 99
DRAWS = 300_000  # about as many as any model is trained on
WANTED = {
    "maths": {"multiplication": 100, "addition": 50, "subtraction": 60},
    "code": {"write": 70, "evaluate": 70, "debug": 60},
    "logic": {"comparison": 30, "parity": 30, "implication": 30, "boolean": 30, "order": 30, "kind": 30, "sequence": 30},
    "creative": {"sentence": 160},
    "capitals": {"capital": 120, "country": 50},
    "quick": {"comparison": 80, "arithmetic": 80},
    "none": {"greeting": 10, "word": 20, "request": 30, "question": 30, "statement": 20, "nonsense": 10},
}


def normalise(prompt: str) -> str:
    """A key that is equal for prompts that differ only in typing."""
    return " ".join(prompt.lower().replace("please ", "").split()).rstrip("?.! ")


def entry(example: Example) -> Dict[str, Any]:
    answer = None if example.family == "creative" else final_answer(example.family, example.answer)
    result = {"family": example.family, "kind": example.kind, "prompt": example.prompt, "answer": answer}
    if example.topic:
        result["topic"] = example.topic
    if example.tests:
        result["language"] = "javascript" if example.answer.startswith("const") else "python"
        result["tests"] = example.tests
    return result


def choose() -> List[Dict[str, Any]]:
    """Draws each family's examples and keeps held-out ones that no training example resembles."""
    entries: List[Dict[str, Any]] = []
    for family, sample in [*FAMILIES.items(), (abstention.FAMILY, abstention.example)]:
        rng = random.Random(SEED)
        trained, candidates = set(), {}
        for _ in range(DRAWS):
            example = sample(rng)
            text = normalise(example.prompt)
            if example.held_out:
                candidates.setdefault(text, example)
            else:
                trained.add(text)
        entries += _pick(family, (example for text, example in candidates.items() if text not in trained))
    entries += [
        {"family": abstention.FAMILY, "kind": "hand-written", "prompt": prompt, "answer": abstention.ANSWER}
        for prompt in abstention.HAND_WRITTEN
    ]
    return entries


def _pick(family: str, candidates: Iterator[Example]) -> List[Dict[str, Any]]:
    """Takes the first candidates of each kind, as many as wanted."""
    picked: List[Example] = []
    counts: Counter = Counter()
    for example in candidates:
        if counts[example.kind] < WANTED[family][example.kind]:
            counts[example.kind] += 1
            picked.append(example)
    missing = {kind: n for kind, n in WANTED[family].items() if counts[kind] < n}
    if missing:
        raise SystemExit(f"{family}: too few held-out prompts of {missing}; draw more or hold out more")
    return [entry(example) for example in sorted(picked, key=lambda example: example.kind)]


def save(entries: List[Dict[str, Any]]) -> None:
    lines = ",\n".join("  " + json.dumps(one, ensure_ascii=False) for one in entries)
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(f"[\n{lines}\n]\n")


def load() -> List[Dict[str, Any]]:
    return json.loads(PATH.read_text())
