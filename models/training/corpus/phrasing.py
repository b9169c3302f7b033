"""Ways in which people type the same request."""

from random import Random


def vary(rng: Random, prompt: str, keep_case: bool = False) -> str:
    """Returns the prompt as a less careful writer might type it.

    `keep_case` protects prompts whose letters carry meaning (propositions, names to be answered).
    """
    if rng.random() < 0.30 and prompt[-1] in "?.":
        prompt = prompt[:-1]
    style = rng.random()
    if style < 0.20 and not keep_case:
        prompt = prompt.lower()
    elif style < 0.30 and prompt[1:2].islower():
        prompt = prompt[0].lower() + prompt[1:]
    if rng.random() < 0.04:
        prompt = prompt.replace(" ", "  ", 1)
    if rng.random() < 0.04:
        prompt = rng.choice(["Please ", "please "]) + prompt[0].lower() + prompt[1:]
    return prompt


def article(noun: str) -> str:
    """'a cat', 'an owl'."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun
