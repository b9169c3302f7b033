"""Small functions to write, expressions to evaluate, and one-line functions to debug."""

from random import Random
from typing import Any, List, NamedTuple, Optional

from .example import Example
from .phrasing import vary

FAMILY = "code"


class Task(NamedTuple):
    returns: str  # completes "a function that returns ..."
    does: str  # completes "a function to ..."
    python: str
    javascript: Optional[str]
    inputs: List[Any]  # arguments in the held-out tests


NUMBERS = [0, 1, -3, 8, 15]
LISTS = [[3], [4, 1, 2], [5, 5, -2, 9]]
TEXTS = ["level", "Hello World", "abc"]

TASKS = [
    Task("the square of x", "square a number", "x * x", "x * x", NUMBERS),
    Task("the cube of x", "cube a number", "x ** 3", "x ** 3", NUMBERS),
    Task("the double of x", "double a number", "x * 2", "x * 2", NUMBERS),
    Task("half of x", "halve a number", "x / 2", "x / 2", NUMBERS),
    Task("x plus one", "increment a number", "x + 1", "x + 1", NUMBERS),
    Task("x minus one", "decrement a number", "x - 1", "x - 1", NUMBERS),
    Task("the absolute value of x", "find the absolute value of a number", "abs(x)", "Math.abs(x)", NUMBERS),
    Task("the negative of x", "negate a number", "-x", None, NUMBERS),
    Task("whether x is even", "check whether a number is even", "x % 2 == 0", "x % 2 === 0", NUMBERS),
    Task("whether x is odd", "check whether a number is odd", "x % 2 == 1", None, NUMBERS),
    Task("whether x is positive", "check whether a number is positive", "x > 0", "x > 0", NUMBERS),
    Task("whether x is negative", "check whether a number is negative", "x < 0", "x < 0", NUMBERS),
    Task("whether x is zero", "check whether a number is zero", "x == 0", "x === 0", NUMBERS),
    Task("the last digit of x", "find the last digit of a number", "abs(x) % 10", "Math.abs(x) % 10", NUMBERS),
    Task("the square root of x", "find the square root of a number", "x ** 0.5", "Math.sqrt(x)", [0, 1, 16]),
    Task("x rounded", "round a number", "round(x)", "Math.round(x)", [1.2, 2.7, 4]),
    Task("the length of x", "find the length of a list", "len(x)", "x.length", LISTS),
    Task("the sum of x", "sum a list", "sum(x)", "x.reduce((a, b) => a + b, 0)", LISTS),
    Task("the largest item of x", "find the largest item of a list", "max(x)", "Math.max(...x)", LISTS),
    Task("the smallest item of x", "find the smallest item of a list", "min(x)", "Math.min(...x)", LISTS),
    Task("the average of x", "find the average of a list", "sum(x) / len(x)", None, LISTS),
    Task("the first item of x", "get the first item of a list", "x[0]", "x[0]", LISTS),
    Task("the last item of x", "get the last item of a list", "x[-1]", "x[x.length - 1]", LISTS),
    Task("x sorted", "sort a list", "sorted(x)", None, LISTS),
    Task("x sorted in descending order", "sort a list in descending order", "sorted(x, reverse=True)", None, LISTS),
    Task("the unique items of x", "remove duplicates from a list", "sorted(set(x))", None, LISTS),
    Task("whether x is empty", "check whether a list is empty", "len(x) == 0", "x.length === 0", [[], [1]]),
    Task("the squares of the items of x", "square every item of a list", "[i * i for i in x]", "x.map((i) => i * i)", LISTS),
    Task("the even items of x", "keep the even items of a list", "[i for i in x if i % 2 == 0]", "x.filter((i) => i % 2 === 0)", LISTS),
    Task("x reversed", "reverse a string", "x[::-1]", "[...x].reverse().join('')", TEXTS),
    Task("x in upper case", "turn a string into upper case", "x.upper()", "x.toUpperCase()", TEXTS),
    Task("x in lower case", "turn a string into lower case", "x.lower()", "x.toLowerCase()", TEXTS),
    Task("x without spaces at the ends", "trim a string", "x.strip()", "x.trim()", [" a b ", "c"]),
    Task("the words of x", "split a string into words", "x.split()", "x.split(' ')", ["a b", "Hello World"]),
    Task("whether x is a palindrome", "check whether a string is a palindrome", "x == x[::-1]", None, TEXTS),
    Task("the number of vowels in x", "count the vowels of a string", "sum(c in 'aeiou' for c in x)", None, TEXTS),
    Task("the items of x joined by commas", "join a list of strings with commas", "','.join(x)", "x.join(',')", [["a", "b"], ["c"]]),
    Task("x as an integer", "turn a string into an integer", "int(x)", "parseInt(x)", ["7", "42"]),
    Task("x as a string", "turn a number into a string", "str(x)", "String(x)", [7, 42]),
    Task("the keys of x", "list the keys of a dictionary", "list(x.keys())", None, [{"a": 1}, {}]),
    Task("the values of x", "list the values of a dictionary", "list(x.values())", None, [{"a": 1}, {}]),
]
RETURN_WORDINGS = [
    "Write a {l} function that returns {r}.", "Write {l} code that returns {r}.", "{l} function returning {r}?",
    "Give me a {l} function for {r}.", "How do I return {r} in {l}?", "Implement a {l} function f(x) that returns {r}.",
    "Code a {l} function that returns {r}.", "I need a {l} function that returns {r}.",
]
DO_WORDINGS = [
    "Write a {l} function to {d}.", "{l} function to {d}", "How do I {d} in {l}?", "Give me {l} code to {d}.",
    "Show me how to {d} in {l}.", "Write a function to {d} in {l}.", "Implement a {l} function to {d}.",
    "Write {l} code to {d}.", "Write a {l} function that can {d}.",
]


def write(rng: Random) -> Example:
    task = rng.choice(TASKS)
    javascript = task.javascript is not None and rng.random() < 0.3
    language = "JavaScript" if javascript else "Python"
    wording = rng.choice(RETURN_WORDINGS if rng.random() < 0.5 else DO_WORDINGS)
    prompt = wording.format(l=language, r=task.returns, d=task.does)
    if not javascript and rng.random() < 0.10:
        prompt = prompt.replace("a Python function", "a function")
    answer = f"const f = (x) => {task.javascript};" if javascript else f"def f(x): return {task.python}"
    function = eval(f"lambda x: {task.python}")  # the expressions above are ours
    tests = [[value, function(value)] for value in task.inputs]
    return Example(FAMILY, "write", vary(rng, prompt), answer, wording + language + task.returns, 15, None, tests)


WORDS = """cat dog sun moon tree code node vote fish star rain wind blue red king ring bird wolf ship lamp gold snow leaf
stone""".split()
EVALUATE_WORDINGS = [
    "What does {e} return?", "Python: {e}", "Evaluate {e}.", "What is the value of {e}?", "What does the expression {e} return?",
    "What is the output of print({e})?", "In Python, what is {e}?",
]


def _literal(items: List[int]) -> str:
    return "[" + ",".join(map(str, items)) + "]"


def evaluate(rng: Random) -> Example:
    wording = rng.choice(EVALUATE_WORDINGS)
    if rng.random() < 0.25:
        word = rng.choice(WORDS)
        expression, value = rng.choice([
            (f"'{word}'.upper()", f"'{word.upper()}'"), (f"'{word}'[::-1]", f"'{word[::-1]}'"), (f"len('{word}')", str(len(word))),
            (f"'{word}'[0]", f"'{word[0]}'"), (f"'{word}'[-1]", f"'{word[-1]}'"),
        ])
        key, held = wording + expression, 15  # spelling cannot be deduced: hold out the wording, not the word
    elif rng.random() < 0.25:
        a, b = rng.randint(0, 30), rng.randint(2, 9)
        expression, value = rng.choice([(f"{a} % {b}", str(a % b)), (f"{a} // {b}", str(a // b))])
        key, held = expression, 10
    else:
        items = [rng.randint(0, 9) for _ in range(rng.randint(1, 5))]
        text, index = _literal(items), rng.randrange(len(items))
        expression, value = rng.choice([
            (f"len({text})", str(len(items))), (f"max({text})", str(max(items))), (f"min({text})", str(min(items))),
            (f"sum({text})", str(sum(items))), (f"sorted({text})", _literal(sorted(items))),
            (f"{text}[::-1]", _literal(items[::-1])), (f"{text}[{index}]", str(items[index])),
        ])
        key, held = expression, 10
    return Example(FAMILY, "evaluate", vary(rng, wording.format(e=expression), keep_case=True), value, key, held)


class Bug(NamedTuple):
    signature: str
    right: str
    wrong: List[str]


BUGS = [
    Bug("add(a, b)", "a + b", ["a - b", "a * b", "b - a", "a + a", "a"]),
    Bug("subtract(a, b)", "a - b", ["a + b", "b - a", "a / b", "a * b", "a"]),
    Bug("multiply(a, b)", "a * b", ["a + b", "a ** b", "a / b", "a * a", "b"]),
    Bug("divide(a, b)", "a / b", ["a * b", "b / a", "a // b", "a % b", "a - b"]),
    Bug("square(x)", "x * x", ["x * 2", "x + x", "x ** 3", "x", "2 ** x"]),
    Bug("cube(x)", "x ** 3", ["x * 3", "x ** 2", "3 ** x", "x * x", "x + 3"]),
    Bug("double(x)", "x * 2", ["x + 2", "x * x", "x / 2", "x ** 2", "x"]),
    Bug("half(x)", "x / 2", ["x * 2", "x - 2", "2 / x", "x % 2", "x / 3"]),
    Bug("is_even(x)", "x % 2 == 0", ["x % 2 == 1", "x / 2 == 0", "x % 2 != 0", "x == 2", "x % 2 = 0"]),
    Bug("is_odd(x)", "x % 2 == 1", ["x % 2 == 0", "x / 2 == 1", "x == 1", "x % 1 == 2", "x % 2 = 1"]),
    Bug("is_positive(x)", "x > 0", ["x < 0", "x >= 0", "x > 1", "x == 0", "x => 0"]),
    Bug("is_negative(x)", "x < 0", ["x > 0", "x <= 0", "x < 1", "x == 0", "x =< 0"]),
    Bug("is_zero(x)", "x == 0", ["x = 0", "x == 1", "x != 0", "x > 0", "x"]),
    Bug("first(items)", "items[0]", ["items[1]", "items[-1]", "items(0)", "items", "items[:0]"]),
    Bug("last(items)", "items[-1]", ["items[0]", "items[1]", "items[len(items)]", "items(-1)", "items[:-1]"]),
    Bug("length(items)", "len(items)", ["items.len()", "items.length", "len(items) - 1", "len(items) + 1", "sum(items)"]),
    Bug("total(items)", "sum(items)", ["len(items)", "max(items)", "sum(items) - 1", "items.sum()", "sum(items[1:])"]),
    Bug(
        "average(items)", "sum(items) / len(items)",
        ["sum(items)", "len(items) / sum(items)", "sum(items) / 2", "sum(items) * len(items)", "max(items) / len(items)"],
    ),
    Bug("largest(items)", "max(items)", ["min(items)", "items[0]", "max(items) + 1", "items.max()", "sum(items)"]),
    Bug("smallest(items)", "min(items)", ["max(items)", "items[-1]", "min(items) - 1", "items.min()", "sum(items)"]),
    Bug("reverse(text)", "text[::-1]", ["text[::1]", "text[:-1]", "text[-1]", "text.reverse()", "text[::-2]"]),
    Bug("upper(text)", "text.upper()", ["text.lower()", "text.upper", "upper(text)", "text.up()", "text"]),
    Bug("lower(text)", "text.lower()", ["text.upper()", "text.lower", "lower(text)", "text.low()", "text"]),
    Bug("is_empty(items)", "len(items) == 0", ["len(items) == 1", "len(items) > 0", "len(items) = 0", "items == 0", "len(items)"]),
    Bug(
        "is_palindrome(text)", "text == text[::-1]",
        ["text == text[::1]", "text != text[::-1]", "text == text", "text = text[::-1]", "text[::-1]"],
    ),
    Bug("last_digit(x)", "x % 10", ["x / 10", "x // 10", "x % 2", "x * 10", "x % 100"]),
]
DEBUG_WORDINGS = [
    "Debug this Python function: {c}", "Fix this Python function: {c}", "Find the bug: {c}", "What is wrong with this function? {c}",
    "Fix the bug in this code: {c}", "Debug this code: {c}", "Correct this function: {c}", "Debug: {c}",
]


def debug(rng: Random) -> Example:
    bug = rng.choice(BUGS)
    wording, wrong = rng.choice(DEBUG_WORDINGS), rng.choice(bug.wrong)
    gap = rng.choice([" ", " ", "\n    "])
    prompt = wording.format(c=f"def {bug.signature}:{gap}return {wrong}")
    if "\n" in gap:
        prompt = prompt.replace(" def ", "\ndef ", 1)
    answer = f"def {bug.signature}: return {bug.right}"
    return Example(FAMILY, "debug", vary(rng, prompt, keep_case=True), answer, wording + bug.signature + wrong, 15)


def example(rng: Random) -> Example:
    return rng.choices([write, evaluate, debug], [3, 5, 2])[0](rng)
