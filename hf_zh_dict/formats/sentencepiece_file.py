"""A `tokenizer.model` of SentencePiece in, its pieces and the settings that encoding heeds out.

The file is a Protocol Buffers message, `ModelProto` of sentencepiece_model.proto; the few fields
that matter here are read directly.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from hf_zh_dict.messages import InputError, _

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6  # SentencePiece.Type
BPE = 2  # TrainerSpec.ModelType

Fields = dict[int, list[bytes | int]]  # of a message, by number, each with all its values in order


@dataclass(frozen=True)
class Piece:
    """One entry of the vocabulary; its place in the list is its id."""

    text: str
    score: float
    kind: int


@dataclass(frozen=True)
class SentencePieceModel:
    """What decides how a text becomes ids."""

    pieces: tuple[Piece, ...]
    byte_fallback: bool
    add_dummy_prefix: bool
    remove_extra_whitespaces: bool


def read_sentencepiece(path: Path) -> SentencePieceModel:
    """Read a BPE model whose normalization rule is identity, as llama2.c trains them.

    Raises:
        InputError: the file cannot be read, or holds what this project does not encode exactly.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            _("{file}: {reason}.").format(file=path, reason=error.strerror or error)
        ) from error
    try:
        message = read_message(data)
        pieces = tuple(read_piece(piece) for piece in message.get(1, []))
        trainer, normalizer = (read_message(content(message, field)) for field in (2, 3))
        rule = content(normalizer, 1).decode()
    except (ValueError, IndexError, TypeError, struct.error) as error:
        raise InputError(
            _("{file}: is not a SentencePiece model (tokenizer.model).").format(file=path)
        ) from error
    for refused, reason in (
        (not pieces, _("it has no pieces")),
        (number(trainer, 3, default=1) != BPE, _("it is not a BPE model")),
        (content(normalizer, 2), _("its normalization rule {rule} is not identity")),
        (number(trainer, 24, default=0), _("it puts blanks behind words")),
        (not number(normalizer, 5, default=1), _("it leaves blanks as they are")),
    ):
        if refused:
            raise InputError(
                _("{file}: cannot be taken over: {reason}.").format(
                    file=path, reason=reason.format(rule=rule)
                )
            )
    return SentencePieceModel(
        pieces=pieces,
        byte_fallback=bool(number(trainer, 35, default=0)),
        add_dummy_prefix=bool(number(normalizer, 3, default=1)),
        remove_extra_whitespaces=bool(number(normalizer, 4, default=1)),
    )


def read_piece(data: bytes | int) -> Piece:
    """The message `SentencePiece`: text, score, kind."""
    fields = read_message(data)
    score: float = struct.unpack("<f", content(fields, 2) or bytes(4))[0]
    return Piece(content(fields, 1).decode(), score, number(fields, 3, default=NORMAL))


def content(fields: Fields, field: int) -> bytes:
    """The last value of a field of bytes, which counts; empty when it is not set."""
    value = fields.get(field, [b""])[-1]
    if isinstance(value, int):
        raise TypeError(f"field {field} is a number")
    return value


def number(fields: Fields, field: int, *, default: int) -> int:
    """The last value of a field of a number, which counts."""
    value = fields.get(field, [default])[-1]
    if isinstance(value, bytes):
        raise TypeError(f"field {field} is not a number")
    return value


def read_message(data: bytes | int) -> Fields:
    """A message's fields.

    https://protobuf.dev/programming-guides/encoding: varints are numbers, the rest stays bytes.
    """
    if isinstance(data, int):
        raise TypeError("a number in the place of a message")
    fields: Fields = {}
    position = 0
    while position < len(data):
        key, position = read_varint(data, position)
        value: bytes | int
        match key & 7:
            case 0:
                value, position = read_varint(data, position)
            case 1 | 5 as width:
                size = 8 if width == 1 else 4
                value, position = data[position : position + size], position + size
            case 2:
                size, position = read_varint(data, position)
                value, position = data[position : position + size], position + size
            case kind:
                raise ValueError(f"wire type {kind}")
        if position > len(data):
            raise ValueError("cut off")
        fields.setdefault(key >> 3, []).append(value)
    return fields


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and the position behind it."""
    number = shift = 0
    while True:
        byte = data[position]
        number |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return number, position
