"""Writes a model as GGUF version 3 with llama.cpp's names for the llama architecture.

llama.cpp refuses or aborts on most missing fields, but not on all: without `tokenizer.ggml.token_type`
the special tokens are read as text and every answer is silently wrong.
"""

import struct
from pathlib import Path
from typing import Any, Iterator, List, NamedTuple, Optional, Tuple

import numpy
from torch import Tensor

from model import CONTEXT_LENGTH, NORM_EPSILON, ROPE_BASE, LanguageModel
from tokenizer import END, PAD, SPECIAL, USER, Tokenizer

VERSION, ALIGNMENT = 3, 32
INT32, UINT32, FLOAT32, BOOL, STRING, ARRAY = 5, 4, 6, 7, 8, 9
F32, F16, Q8_0 = 0, 1, 8
FILE_TYPES = {"F16": 1, "Q8_0": 7}
NORMAL_TOKEN, CONTROL_TOKEN = 1, 3
Q8_BLOCK = 32

# Each question is answered on its own: the models were trained on single turns.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ '<|user|>' + message['content'] }}"
    "{% elif message['role'] == 'assistant' %}{{ '<|bot|>' + message['content'] + '<|end|>' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|bot|>' }}{% endif %}"
)


class StoredTensor(NamedTuple):
    name: str
    shape: Tuple[int, ...]
    type: int
    data: bytes


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(kind: int, value: Any) -> bytes:
    if kind == STRING:
        return _string(value)
    return struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?"}[kind], value)


def _field(key: str, kind: int, value: Any, item: Optional[int] = None) -> bytes:
    head = _string(key) + struct.pack("<I", kind)
    if kind != ARRAY:
        return head + _value(kind, value)
    return head + struct.pack("<IQ", item, len(value)) + b"".join(_value(item, one) for one in value)


def quantise_q8_0(weights: numpy.ndarray) -> bytes:
    """Blocks of 32 signed bytes, each block with a half-precision scale."""
    blocks = weights.astype(numpy.float32).reshape(-1, Q8_BLOCK)
    scale = numpy.abs(blocks).max(1) / 127
    inverse = numpy.divide(1, scale, out=numpy.zeros_like(scale), where=scale > 0)
    stored = numpy.empty(len(blocks), dtype=[("scale", "<f2"), ("weights", "i1", Q8_BLOCK)])
    stored["scale"] = scale
    stored["weights"] = numpy.round(blocks * inverse[:, None])
    return stored.tobytes()


def _store(name: str, tensor: Tensor, quantisation: str) -> StoredTensor:
    """Norms stay in full precision. GGUF lists the fastest-running dimension first."""
    weights = tensor.detach().numpy()
    shape = weights.shape[::-1]
    if weights.ndim == 1:
        return StoredTensor(name, shape, F32, weights.astype("<f4").tobytes())
    if quantisation == "Q8_0":
        return StoredTensor(name, shape, Q8_0, quantise_q8_0(weights))
    return StoredTensor(name, shape, F16, weights.astype("<f2").tobytes())


def _weights(model: LanguageModel) -> Iterator[Tuple[str, Tensor]]:
    """There is no `output.weight`: the output shares the embedding's weights."""
    yield "token_embd.weight", model.embedding.weight
    for i, block in enumerate(model.blocks):
        query, key, value = block.query_key_value.weight.chunk(3)
        gate, up = block.gate_up.weight.chunk(2)
        parts = {
            "attn_norm": block.attention_norm.weight, "attn_q": query, "attn_k": key, "attn_v": value,
            "attn_output": block.attention_output.weight, "ffn_norm": block.ff_norm.weight, "ffn_gate": gate, "ffn_up": up,
            "ffn_down": block.down.weight,
        }
        for name, tensor in parts.items():
            yield f"blk.{i}.{name}.weight", tensor
    yield "output_norm.weight", model.norm.weight


def _metadata(model: LanguageModel, tokenizer: Tokenizer, name: str, quantisation: str) -> List[bytes]:
    shape = model.shape
    token_types = [CONTROL_TOKEN] * len(SPECIAL) + [NORMAL_TOKEN] * (len(tokenizer.tokens) - len(SPECIAL))
    return [
        _field("general.architecture", STRING, "llama"),
        _field("general.type", STRING, "model"),
        _field("general.name", STRING, name),
        _field("general.file_type", UINT32, FILE_TYPES[quantisation]),
        _field("general.quantization_version", UINT32, 2),
        _field("general.alignment", UINT32, ALIGNMENT),
        _field("llama.vocab_size", UINT32, len(tokenizer.tokens)),
        _field("llama.context_length", UINT32, CONTEXT_LENGTH),
        _field("llama.embedding_length", UINT32, shape.d),
        _field("llama.block_count", UINT32, shape.layers),
        _field("llama.feed_forward_length", UINT32, shape.ff),
        _field("llama.attention.head_count", UINT32, shape.heads),
        _field("llama.attention.head_count_kv", UINT32, shape.heads),
        _field("llama.attention.layer_norm_rms_epsilon", FLOAT32, NORM_EPSILON),
        _field("llama.rope.dimension_count", UINT32, shape.d // shape.heads),
        _field("llama.rope.freq_base", FLOAT32, ROPE_BASE),
        _field("tokenizer.ggml.model", STRING, "gpt2"),
        _field("tokenizer.ggml.pre", STRING, "gpt-2"),
        _field("tokenizer.ggml.tokens", ARRAY, tokenizer.tokens, STRING),
        _field("tokenizer.ggml.token_type", ARRAY, token_types, INT32),
        _field("tokenizer.ggml.merges", ARRAY, [" ".join(pair) for pair in tokenizer.merges], STRING),
        _field("tokenizer.ggml.bos_token_id", UINT32, USER),
        _field("tokenizer.ggml.eos_token_id", UINT32, END),
        _field("tokenizer.ggml.padding_token_id", UINT32, PAD),
        _field("tokenizer.ggml.add_bos_token", BOOL, False),
        _field("tokenizer.ggml.add_eos_token", BOOL, False),
        _field("tokenizer.chat_template", STRING, CHAT_TEMPLATE),
    ]


def _padding(size: int) -> bytes:
    return b"\0" * (-size % ALIGNMENT)


def write_gguf(model: LanguageModel, tokenizer: Tokenizer, name: str, quantisation: str, path: Path) -> None:
    tensors = [_store(tensor_name, tensor, quantisation) for tensor_name, tensor in _weights(model)]
    fields = _metadata(model, tokenizer, name, quantisation)
    header = b"GGUF" + struct.pack("<IQQ", VERSION, len(tensors), len(fields)) + b"".join(fields)
    offset = 0
    for tensor in tensors:
        header += _string(tensor.name) + struct.pack("<I", len(tensor.shape))
        header += struct.pack(f"<{len(tensor.shape)}Q", *tensor.shape) + struct.pack("<IQ", tensor.type, offset)
        offset += len(tensor.data) + len(_padding(len(tensor.data)))
    with path.open("wb") as file:
        file.write(header + _padding(len(header)))
        for tensor in tensors:
            file.write(tensor.data + _padding(len(tensor.data)))
