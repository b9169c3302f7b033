"""Multiplication to two digits each, addition and subtraction to three, with the work written out.

A model this small cannot guess a product, but it can carry out a written algorithm in which every
step looks at few characters ("Show Your Work: Scratchpads for Intermediate Computation with Language
Models", Nye et al. 2021). Intermediate numbers are reversed and padded with zeros, so that the digit
of a column always stands at the same distance and carries travel in writing order.
"""

from random import Random
from typing import Tuple

from .example import Example
from .phrasing import vary

FAMILY = "maths"

SIGNS = {
    "mul": ["×", "×", "*", "x", "X", "times", "multiplied by"],
    "add": ["+", "+", "plus"],
    "sub": ["-", "-", "−", "minus"],
}
FRAMES = [
    "{e} = ?", "{e} =", "{e}", "{e}?", "What's {e}?", "Calculate {e}.", "Compute {e}.", "How much is {e}?",
    "Work out {e}.", "Solve {e}.", "Find {e}.", "Tell me {e}.", "What does {e} equal?", "What is the result of {e}?",
    "Can you calculate {e}?", "How much does {e} make?",
]
SENTENCES = {
    "mul": ["Multiply {a} by {b}.", "Multiply {a} and {b}.", "What is the product of {a} and {b}?"],
    "add": ["Add {a} and {b}.", "Add {a} to {b}.", "What is the sum of {a} and {b}?"],
    "sub": ["Subtract {b} from {a}.", "Take {b} away from {a}.", "Take {b} from {a}."],
}
NEVER_HELD = "15×23"  # the demo's own question is trained like any other


def ask(rng: Random, operation: str, a: int, b: int) -> str:
    """One of some hundred ways to ask for the result of a simple operation."""
    if rng.random() < 0.12:
        return rng.choice(SENTENCES[operation]).format(a=a, b=b)
    sign = rng.choice(SIGNS[operation])
    gap = "" if len(sign) == 1 and rng.random() < 0.25 else " "
    frame = "What is {e}?" if rng.random() < 0.35 else rng.choice(FRAMES)
    return frame.format(e=f"{a}{gap}{sign}{gap}{b}")


def reverse_padded(number: int, width: int) -> str:
    return str(number).zfill(width)[::-1]


def add_columns(a: int, b: int, width: int) -> str:
    """The school method, units first: '8+5=13,4+1+1=6'."""
    steps, carry = [], 0
    for x, y in zip(reverse_padded(a, width), reverse_padded(b, width)):
        total = int(x) + int(y) + carry
        steps.append(f"{x}+{y}{'+1' if carry else ''}={total}")
        carry = total // 10
    return ",".join(steps)


def subtract_columns(a: int, b: int, width: int) -> str:
    """As above with borrowing, for a >= b: '13-5=8,4-1-1=2'."""
    steps, borrow = [], 0
    for x, y in zip(reverse_padded(a, width), reverse_padded(b, width)):
        top = int(x) + (10 if int(x) - int(y) - borrow < 0 else 0)
        digit = top - int(y) - borrow
        steps.append(f"{top}-{y}{'-1' if borrow else ''}={digit}")
        borrow = int(top > 9)
    return ",".join(steps)


def multiply(a: int, b: int) -> str:
    """Two partial products and their sum by columns, or one product if a factor has one digit."""
    if a < 10 or b < 10:
        return f"{a}*{b}:{reverse_padded(a * b, 4)}:{a * b}"
    tens, units = b // 10 * 10, b % 10
    return (
        f"{a}*{units}:{reverse_padded(a * units, 4)} {a}*{tens}:{reverse_padded(a * tens, 4)} "
        f"{add_columns(a * tens, a * units, 4)}:{a * b}"
    )


def add(a: int, b: int) -> str:
    return f"{reverse_padded(a, 3)}+{reverse_padded(b, 3)} {add_columns(a, b, 3)}:{a + b}"


def subtract(a: int, b: int) -> str:
    """For a negative result, writes the sign first and subtracts the other way round."""
    sign, high, low = ("", a, b) if a >= b else ("-", b, a)
    return (
        f"{sign}{reverse_padded(high, 3)}-{reverse_padded(low, 3)} "
        f"{subtract_columns(high, low, 3)}:{a - b}"
    )


def operands(rng: Random, operation: str) -> Tuple[int, int]:
    if operation == "mul":
        size = rng.random()
        if size < 0.10:
            return rng.randint(0, 9), rng.randint(0, 99)
        if size < 0.20:
            return rng.randint(10, 99), rng.randint(0, 9)
        return rng.randint(10, 99), rng.randint(10, 99)
    limit = rng.choice([9, 99, 999, 999])
    a, b = rng.randint(0, limit), rng.randint(0, limit)
    if operation == "sub" and a < b and rng.random() < 0.7:
        a, b = b, a
    return a, b


def example(rng: Random) -> Example:
    operation = rng.choices(["mul", "add", "sub"], [9, 4, 7])[0]
    a, b = operands(rng, operation)
    prompt = vary(rng, ask(rng, operation, a, b))
    if operation == "mul":
        key = f"{min(a, b)}×{max(a, b)}"
        held = 0 if key == NEVER_HELD or a < 10 or b < 10 else 5
        return Example(FAMILY, "multiplication", prompt, multiply(a, b), key, held)
    if operation == "add":
        return Example(FAMILY, "addition", prompt, add(a, b), f"{min(a, b)}+{max(a, b)}", 5)
    return Example(FAMILY, "subtraction", prompt, subtract(a, b), f"{a}-{b}", 5)
