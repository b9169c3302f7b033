"""Short deductions: kinds, orders, implications, boolean expressions, parity, comparison, sequences.

Where a step lies between question and answer it is written down: the order of three names, the boolean
expression with its innermost parts evaluated, the difference of a sequence.
"""

import re
from random import Random

from .example import Example
from .phrasing import article, vary
from .quick import compare

FAMILY = "logic"

NAMES = ["Tom", "Anna", "Ben", "Mia", "Leo", "Eva", "Max", "Zoe", "Ian", "Kim", "Sam", "Lia", "Ada", "Bob", "Eve", "Ron"]
ORDERS = [
    ("taller", "tallest", "shortest"), ("older", "oldest", "youngest"), ("faster", "fastest", "slowest"),
    ("richer", "richest", "poorest"), ("heavier", "heaviest", "lightest"),
]
KINDS = [
    ("cat", "animal"), ("dog", "animal"), ("rose", "plant"), ("oak", "plant"), ("car", "vehicle"), ("bus", "vehicle"),
    ("apple", "fruit"), ("pear", "fruit"), ("hammer", "tool"), ("saw", "tool"), ("robin", "bird"), ("trout", "fish"),
]
IRREGULAR_PLURALS = {"bus": "buses", "fish": "fish", "fruit": "fruits"}


def yes_no(value: bool) -> str:
    return "yes" if value else "no"


def plural(noun: str) -> str:
    return IRREGULAR_PLURALS.get(noun, noun + "s")


def parity(rng: Random) -> Example:
    number, word = rng.randint(0, 999), rng.choice(["even", "odd"])
    wording = rng.choice(["Is {n} {w}?", "Is {n} an {w} number?", "Is the number {n} {w}?"])
    prompt = wording.format(n=number, w=word)
    return Example(FAMILY, "parity", vary(rng, prompt), yes_no((number % 2 == 0) == (word == "even")), f"{number} {word}", 8)


def implication(rng: Random) -> Example:
    """Modus ponens and modus tollens, and the two fallacies, whose answer is 'unknown'."""
    first, second = rng.sample("ABCDEFGHPQRST", 2)
    first_negated, second_negated = rng.random() < 0.25, rng.random() < 0.25
    form = rng.choice(["ponens", "denied antecedent", "tollens", "affirmed consequent"])
    answer = "unknown"
    if form == "ponens":
        fact, negated, asked, answer = first, first_negated, second, yes_no(not second_negated)
    elif form == "denied antecedent":
        fact, negated, asked = first, not first_negated, second
    elif form == "tollens":
        fact, negated, asked, answer = second, not second_negated, first, yes_no(first_negated)
    else:
        fact, negated, asked = second, second_negated, first
    antecedent = f"not {first}" if first_negated else first
    consequent = f"not {second}" if second_negated else second
    statement = f"Not {fact}" if negated else fact
    rule = rng.choice(["If {a} then {b}.", "If {a} then {b}.", "{a} implies {b}."]).format(a=antecedent, b=consequent)
    prompt = f"{rule[0].upper()}{rule[1:]} {statement}. Is {asked} true?"
    return Example(FAMILY, "implication", vary(rng, prompt, keep_case=True), answer, prompt, 10)


def boolean_expression(rng: Random, depth: int) -> str:
    if depth == 0:
        return rng.choice(["true", "false"])
    if rng.random() < 0.25:
        inner = boolean_expression(rng, depth - 1)
        return f"not {inner}" if depth == 1 else f"not ({inner})"
    sides = boolean_expression(rng, rng.randint(0, depth - 1)), boolean_expression(rng, depth - 1)
    left, right = (f"({side})" if " " in side else side for side in sides)
    return f"{left} {rng.choice(['and', 'or'])} {right}"


INNERMOST = re.compile(r"\(([^()]+)\)")


def value_of(expression: str) -> str:
    """The value of a boolean expression without parentheses."""
    words = expression.split()
    if words[0] == "not":
        return "false" if words[1] == "true" else "true"
    if len(words) == 1:
        return words[0]
    return "true" if {"and": all, "or": any}[words[1]](word == "true" for word in words[::2]) else "false"


def reduce_boolean(expression: str) -> str:
    """'(true and false) or (not true)' becomes 'false or false=false'."""
    steps = []
    while "(" in expression:
        expression = INNERMOST.sub(lambda match: value_of(match.group(1)), expression)
        steps.append(expression)
    return "=".join([*steps, value_of(expression)])


def boolean(rng: Random) -> Example:
    text = boolean_expression(rng, rng.choice([1, 2, 2, 3]))
    wording = rng.choice(["What is {e}?", "What is {e}?", "Evaluate {e}.", "{e}"]).format(e=text)
    return Example(FAMILY, "boolean", vary(rng, wording, keep_case=True), reduce_boolean(text), text, 15 if "(" in text else 0)


def order(rng: Random) -> Example:
    first, middle, last = rng.sample(NAMES, 3)
    comparative, top, bottom = rng.choice(ORDERS)
    premises = [f"{first} is {comparative} than {middle}.", f"{middle} is {comparative} than {last}."]
    rng.shuffle(premises)
    asks_top = rng.random() < 0.5
    prompt = f"{' '.join(premises)} Who is {'the ' if rng.random() < 0.4 else ''}{top if asks_top else bottom}?"
    answer = f"{first}>{middle}>{last}:{first if asks_top else last}"
    return Example(FAMILY, "order", vary(rng, prompt, keep_case=True), answer, f"{first} {middle} {last} {comparative}", 10)


def syllogism(rng: Random) -> Example:
    member, group = rng.choice(KINDS)
    name = rng.choice(NAMES)
    form = rng.choices(["all", "none", "contrapositive"], [4, 3, 3])[0]
    if form == "all":
        prompt = f"All {plural(member)} are {plural(group)}. {name} is {article(member)}. Is {name} {article(group)}?"
    elif form == "none":
        prompt = f"No {plural(member)} are {plural(group)}. {name} is {article(member)}. Is {name} {article(group)}?"
    else:
        prompt = f"All {plural(member)} are {plural(group)}. {name} is not {article(group)}. Is {name} {article(member)}?"
    return Example(FAMILY, "kind", vary(rng, prompt, keep_case=True), yes_no(form == "all"), prompt, 15)


def sequence(rng: Random) -> Example:
    if rng.random() < 0.2:
        start, ratio = rng.randint(1, 12), rng.choice([2, 3])
        terms, rule = [start * ratio**i for i in range(5)], f"*{ratio}"
    else:
        start, step = rng.randint(0, 60), rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, -1, -2, -3, -4, -5])
        terms, rule = [start + step * i + (40 if step < 0 else 0) for i in range(5)], f"{step:+d}"
    shown = ", ".join(map(str, terms[:4]))
    wording = rng.choice(["What comes next: {s}?", "What comes next: {s}?", "What is the next number: {s}?", "Continue: {s}"])
    return Example(FAMILY, "sequence", vary(rng, wording.format(s=shown)), f"{rule} {terms[3]}{rule}:{terms[4]}", shown, 10)


def comparison(rng: Random) -> Example:
    return compare(rng, FAMILY, rng.choice([9, 20, 99, 999]))


def example(rng: Random) -> Example:
    kind = rng.choices([comparison, parity, implication, boolean, order, syllogism, sequence], [3, 1, 4, 4, 3, 2, 4])[0]
    return kind(rng)
