"""Questions that need no thought: arithmetic with single digits and comparisons."""

from random import Random

from .example import Example
from .maths import ask
from .phrasing import vary

FAMILY = "quick"

COMPARISONS = {
    "greater": (["greater than", "bigger than", "larger than", "more than", ">"], lambda a, b: a > b),
    "less": (["less than", "smaller than", "<"], lambda a, b: a < b),
    "equal": (["equal to", "the same as"], lambda a, b: a == b),
}

DIGITS = 3


def compare_digits(a: int, b: int) -> str:
    """The first differing digit decides: '1=1,9>4'."""
    steps = []
    for x, y in zip(str(a).zfill(DIGITS), str(b).zfill(DIGITS)):
        steps.append(f"{x}{'=' if x == y else '>' if x > y else '<'}{y}")
        if x != y:
            break
    return ",".join(steps)


def compare(rng: Random, family: str, limit: int) -> Example:
    """'Is 7 greater than 3?', often with close or equal numbers."""
    name = rng.choice(list(COMPARISONS))
    words, holds = COMPARISONS[name]
    a = rng.randint(0, limit)
    b = rng.choice([rng.randint(0, limit), max(0, a + rng.randint(-3, 3))])
    if name == "equal" and rng.random() < 0.4:
        b = a
    prompt = vary(rng, f"Is {a} {rng.choice(words)} {b}?")
    answer = f"{compare_digits(a, b)}:{'yes' if holds(a, b) else 'no'}"
    return Example(family, "comparison", prompt, answer, f"{a} {name} {b}", 8)


def example(rng: Random) -> Example:
    if rng.random() < 0.65:
        return compare(rng, FAMILY, rng.choice([9, 20, 99]))
    operation = rng.choice(["mul", "add", "sub"])
    a, b = rng.randint(0, 9), rng.randint(0, 9)
    if operation == "sub" and a < b and rng.random() < 0.7:
        a, b = b, a
    result = {"mul": a * b, "add": a + b, "sub": a - b}[operation]
    wording = ask(rng, operation, a, b)
    return Example(FAMILY, "arithmetic", vary(rng, wording), str(result), wording, 12)
