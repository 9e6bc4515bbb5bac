"""A SentencePiece model in, a tokenizer of the library `tokenizers` with the same ids out.

SentencePiece merges the neighbours whose joined text is the best-scored piece, the leftmost among
equals; `tokenizers` merges listed pairs, the first listed first. So every way to divide a piece
in two is listed, in the pieces' order. What SentencePiece does to blanks becomes a normalizer.
"""

from typing import TYPE_CHECKING

from hf_zh_dict.formats.sentencepiece_file import (
    BYTE,
    CONTROL,
    NORMAL,
    UNKNOWN,
    SentencePieceModel,
)
from hf_zh_dict.messages import InputError, _

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.normalizers import Normalizer

BLANK = "\u2581"  # what a blank is written as inside pieces


def make_tokenizer(model: SentencePieceModel) -> "Tokenizer":
    """A tokenizer that gives what `SentencePieceProcessor.encode` gives, without bos and eos.

    Raises:
        InputError: a piece cannot be expressed.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models

    check_pieces(model)
    vocabulary = {piece.text: number for number, piece in enumerate(model.pieces)}
    unknown = next((piece.text for piece in model.pieces if piece.kind == UNKNOWN), None)
    tokenizer = Tokenizer(
        models.BPE(
            vocabulary,
            list_merges(model),
            unk_token=unknown,
            fuse_unk=True,
            byte_fallback=model.byte_fallback,
        )
    )
    tokenizer.normalizer = make_normalizer(model)
    steps = [decoders.Replace(BLANK, " "), decoders.ByteFallback(), decoders.Fuse()]
    if model.add_dummy_prefix or model.remove_extra_whitespaces:
        steps.append(decoders.Strip(" ", 1, 0))
    tokenizer.decoder = decoders.Sequence(steps)
    tokenizer.add_special_tokens(
        [
            AddedToken(piece.text, normalized=False, special=True)
            for piece in model.pieces
            if piece.kind in (CONTROL, UNKNOWN)
        ]
    )
    tokenizer.encode_special_tokens = True
    return tokenizer


def check_pieces(model: SentencePieceModel) -> None:
    """Refuse pieces whose part in encoding cannot be expressed by merges.

    Raises:
        InputError: user-defined or unused pieces, two with one score, or one that holds a
            character which is no piece itself.
    """
    texts = {piece.text for piece in model.pieces if piece.kind == NORMAL}
    scores = set()
    for piece in model.pieces:
        joined = piece.kind == NORMAL and len(piece.text) > 1
        problem = ""
        if piece.kind not in (NORMAL, UNKNOWN, CONTROL, BYTE):
            problem = _("it is user-defined or unused")
        elif joined and piece.score in scores:
            problem = _("another piece has the same score")
        elif joined and not texts.issuperset(piece.text):
            problem = _("one of its characters is not a piece")
        if problem:
            raise InputError(
                _("tokenizer.model: the piece “{piece}” cannot be taken over: {problem}.").format(
                    piece=piece.text, problem=problem
                )
            )
        if joined:
            scores.add(piece.score)


def list_merges(model: SentencePieceModel) -> list[tuple[str, str]]:
    """Every way to join two pieces into a third, best pieces first.

    When two ways to make one piece overlap in a text (xy|x and x|yx in xyxyx), the left one of
    them must be taken; its right part is also how the piece begins.
    """
    normal = [piece for piece in model.pieces if piece.kind == NORMAL]
    texts = {piece.text for piece in normal}
    merges = []
    for piece in sorted(normal, key=lambda piece: -piece.score):
        text = piece.text
        ways = [(text[:cut], text[cut:]) for cut in range(1, len(text))]
        merges += sorted(
            ((left, right) for left, right in ways if left in texts and right in texts),
            key=lambda way: not text.startswith(way[1]),
        )
    return merges


def make_normalizer(model: SentencePieceModel) -> "Normalizer":
    """Blanks as SentencePiece's normalizer leaves them (normalizer.cc).

    Only U+0020 counts as a blank; but at the end of a text, which comes last, every U+2581 goes.
    """
    from tokenizers import Regex, normalizers

    steps: list[Normalizer] = []
    if model.remove_extra_whitespaces:
        steps += [
            normalizers.Replace(Regex(r"\A +"), ""),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    if model.add_dummy_prefix:
        steps.append(normalizers.Prepend(BLANK))
    steps.append(normalizers.Replace(" ", BLANK))
    if model.remove_extra_whitespaces:
        steps.append(normalizers.Replace(Regex(BLANK + r"+\z"), ""))
    return normalizers.Sequence(steps)
