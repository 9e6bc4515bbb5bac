"""A reader of `model.bin` written for the tests alone: files that we write in, logits out."""

import struct

import numpy as np


class Model:
    """All three versions of the file; int8 weights are multiplied out."""

    def __init__(self, data):
        self.data, self.place, self.group_size = data, 0, 0
        magic, version = struct.unpack_from("<Ii", data)
        if magic != 0x616B3432:
            version = 0
        self.version = version
        numbers = struct.unpack_from("<7i", data, 8 if version else 0)
        self.dim, self.width, self.layers, self.heads, self.kv_heads, size, self.context = numbers
        self.size, shared = abs(size), size > 0
        if version:
            shared = data[36] == 1
            (self.group_size,) = struct.unpack_from("<i", data, 37)
        self.place = 256 if version else 28
        dim, width, kv = self.dim, self.width, self.dim // self.heads * self.kv_heads
        shapes = {"q": (dim, dim), "k": (kv, dim), "v": (kv, dim), "o": (dim, dim),
                  "w1": (width, dim), "w2": (dim, width), "w3": (width, dim)}  # fmt: skip
        w = self.weights = {}
        if version == 0:
            w["emb"] = self.floats(self.size, dim)
            w["att"] = self.floats(self.layers, dim)
            for name in ("q", "k", "v", "o"):
                w[name] = self.floats(self.layers, *shapes[name])
            w["ffn"] = self.floats(self.layers, dim)
            for name in ("w1", "w2", "w3"):
                w[name] = self.floats(self.layers, *shapes[name])
            w["norm"] = self.floats(dim)
            self.tables = self.floats(2, self.context, dim // self.heads // 2)
            w["out"] = w["emb"] if shared else self.floats(self.size, dim)
        else:
            w["att"], w["ffn"] = self.floats(self.layers, dim), self.floats(self.layers, dim)
            w["norm"] = self.floats(dim)
            w["emb"] = self.matrix(self.size, dim)
            for name, shape in shapes.items():
                w[name] = np.stack([self.matrix(*shape) for _layer in range(self.layers)])
            w["out"] = w["emb"] if shared else self.matrix(self.size, dim)
        assert self.place == len(data)

    def floats(self, *shape):
        count = int(np.prod(shape))
        values = np.frombuffer(self.data, "<f4", count, self.place).reshape(shape)
        self.place += 4 * count
        return values.astype(np.float64)

    def matrix(self, *shape):
        if self.version == 1:
            return self.floats(*shape)
        count = int(np.prod(shape))
        values = np.frombuffer(self.data, np.int8, count, self.place).astype(np.float64)
        self.place += count
        scales = self.floats(count // self.group_size)
        return (values.reshape(-1, self.group_size) * scales[:, None]).reshape(shape)

    def logits(self, ids):
        """After each of the ids, [ids, vocabulary]."""
        w, head, length = self.weights, self.dim // self.heads, len(ids)

        def norm(x, weight):
            return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5) * weight

        angles = np.outer(np.arange(length), 10_000.0 ** (-np.arange(0, head, 2) / head))
        turn = np.exp(1j * angles)[:, None]

        def turned(x, heads):
            pairs = x.reshape(length, heads, head // 2, 2)
            pairs = (pairs[..., 0] + 1j * pairs[..., 1]) * turn
            return np.stack([pairs.real, pairs.imag], -1).reshape(length, heads, head)

        x = w["emb"][ids]
        future = np.triu(np.full((length, length), -np.inf), 1)
        for layer in range(self.layers):
            h = norm(x, w["att"][layer])
            q = turned(h @ w["q"][layer].T, self.heads)
            shared = self.heads // self.kv_heads
            k = turned(h @ w["k"][layer].T, self.kv_heads).repeat(shared, 1)
            v = (h @ w["v"][layer].T).reshape(length, self.kv_heads, head).repeat(shared, 1)
            scores = np.einsum("thd,shd->hts", q, k) / np.sqrt(head) + future
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            scores /= scores.sum(-1, keepdims=True)
            x = x + np.einsum("hts,shd->thd", scores, v).reshape(length, -1) @ w["o"][layer].T
            h = norm(x, w["ffn"][layer])
            gate = h @ w["w1"][layer].T
            x = x + (gate / (1 + np.exp(-gate)) * (h @ w["w3"][layer].T)) @ w["w2"][layer].T
        return norm(x, w["norm"]) @ w["out"].T
