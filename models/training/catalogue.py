"""The ten models and the five species they belong to."""

from typing import Dict, NamedTuple, Tuple

from model import Shape


class ModelPlan(NamedTuple):
    name: str
    seed: int
    shape: Shape
    steps: int
    families: Dict[str, float]  # family to weight; all other prompts are answered with "I don't know"
    quantisation: str = "F16"


MATHS = {"maths": 1.0}
CODE = {"code": 1.0}
LOGIC = {"logic": 1.0}
CREATIVE = {"creative": 0.5, "capitals": 0.5}
FAST = {"capitals": 0.4, "quick": 0.6}

PLANS = [
    ModelPlan("maths-a", 11, Shape(d=96, layers=3, heads=4, ff=256), 2800, MATHS),
    ModelPlan("fast-a", 51, Shape(d=96, layers=3, heads=4, ff=192), 1000, FAST),
    ModelPlan("logic-a", 31, Shape(d=96, layers=3, heads=4, ff=256), 2800, LOGIC),
    ModelPlan("code-a", 21, Shape(d=96, layers=3, heads=4, ff=256), 1200, CODE),
    ModelPlan("creative-a", 41, Shape(d=96, layers=2, heads=4, ff=256), 600, CREATIVE),
    ModelPlan("maths-b", 12, Shape(d=96, layers=4, heads=3, ff=160), 1400, MATHS),
    ModelPlan("fast-b", 52, Shape(d=96, layers=4, heads=3, ff=128), 900, FAST),
    ModelPlan("logic-b", 32, Shape(d=96, layers=4, heads=3, ff=160), 1900, LOGIC),
    ModelPlan("code-b", 22, Shape(d=96, layers=4, heads=3, ff=160), 900, CODE),
    ModelPlan("creative-b", 42, Shape(d=96, layers=3, heads=3, ff=192), 600, CREATIVE),
]

SPECIES: Dict[str, Tuple[str, str]] = {
    "mathematical-specialist": ("maths-a", "maths-b"),
    "creative-generalist": ("creative-a", "creative-b"),
    "coding-specialist": ("code-a", "code-b"),
    "logical-reasoner": ("logic-a", "logic-b"),
    "fast-responder": ("fast-a", "fast-b"),
}
