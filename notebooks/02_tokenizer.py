# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 國字與注音的斷詞器 · A tokenizer for 國字 and 注音
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/NingJing0718/hf_zh_dict/blob/main/notebooks/02_tokenizer.ipynb)
#
# 模型只認得數字。**斷詞器**（tokenizer）把文字切成小片（token），每一片有一個編號。這一本看它怎麼從位元組學起，切得好不好，最後怎麼排成訓練用的**區塊**。
#
# - 需要 · Needs：CPU 就好，不用網路；第 01 本的語料若已在 `runs/notebook` 就沿用
# - 時間 · Time：約一分鐘 · about a minute
#
# *How text becomes numbers: bytes, byte pair encoding, how well it cuts, and the blocks that training reads.*

# %% [markdown]
# ## 準備 · Set-up
# 已經裝好就什麼也不做；在 Colab、Kaggle 上會裝上本專案與中文字型（Kaggle 請先在右側打開 Internet）。
#
# *Installs the package where it is missing.*

# %%
import importlib.util
import os
import subprocess
import sys
import sysconfig
import warnings

from IPython import get_ipython

if importlib.util.find_spec("hf_zh_dict") is None:
    package = "git+https://github.com/NingJing0718/hf_zh_dict"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)
    subprocess.run("apt-get -qq install -y fonts-noto-cjk > /dev/null", shell=True)
os.environ.setdefault("HF_ZH_DICT_LANG", "zh_TW")
os.environ["PATH"] = sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]
warnings.filterwarnings("ignore", "IProgress not found")
get_ipython().system_raise_on_error = True  # 以 ! 開頭的指令失敗時就停下來

from hf_zh_dict.sharing.chinese_fonts import use_chinese_fonts

use_chinese_fonts()

# %% [markdown]
# ## 資料來源 · Where the text comes from
# `embedded` 是內建辭典；`hub` 是 Hub 上的四部辭典，一行一條；教育部的試算表就寫檔案的路徑（`hf-zh-dict download` 會下載）。
#
# *`embedded`, `hub`, or the path of one of the Ministry's files.*

# %%
SOURCE = "embedded"  # "hub"，或 "data/dict_mini.xlsx"

# %%
corpus_options = {
    "embedded": "--corpus.source embedded",
    "hub": "--corpus.source hub --corpus.data-files allData2025.txt",
}.get(SOURCE, f"--corpus.source spreadsheets --corpus.files {SOURCE}")
OPTIONS = f"--preset notebook {corpus_options}"
print(OPTIONS)

# %%
# !hf-zh-dict tokenizer {OPTIONS}

# %%
from hf_zh_dict.cli import parse_arguments
from hf_zh_dict.commands.options import resolve_config
from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.tokens.tokenizer import load_tokenizer

config, paths = resolve_config(parse_arguments(["tokenizer", *OPTIONS.split()]))
tokenizer = load_tokenizer(paths.tokenizer)
train = list(read_texts(paths.split("train")))
validation = list(read_texts(paths.split("validation")))
print(f"train {len(train):,} 份，validation {len(validation):,} 份，詞表 {len(tokenizer):,} 項")

# %% [markdown]
# ## 位元組 · Bytes
# 電腦用 UTF-8 存文字：英文字母一個位元組，聲調符號兩個，國字和注音各三個，罕用字四個。只用位元組當詞表，256 項就什麼都寫得出來，但是一個國字要三片，太長了。
#
# *With bytes alone, 256 entries write anything, but each character takes three.*

# %%
for character in "aˊㄗ字𠀀":
    print(character, character.encode().hex(" "))

# %% [markdown]
# ## BPE
# **位元組對編碼**（byte pair encoding）：數一數哪兩片最常相鄰，把它們併成新的一片，加進詞表；重複到詞表滿為止。第一步該併哪一對？拿訓練集數數看。
#
# *Count which two pieces stand side by side most often, join them, repeat.*

# %%
from collections import Counter
from itertools import pairwise

pairs = Counter()
for text in train:
    pairs.update(pairwise(text.encode()))
for (left, right), count in pairs.most_common(5):
    print(f"{left:02x} {right:02x}  {count:,} 次")

# %% [markdown]
# 注音符號都以 `e3 84` 開頭，「，」「：」以 `ef bc`、「。」與全形空格以 `e3 80` 開頭：最常見的一對是半個字。程式學到的前幾項也差不多（它另外規定標點與文字不可以併在一起，所以順序不全相同）；再往後，就成了整個字、整個詞。
#
# *The first merges are halves of characters, later ones are whole characters and words.*

# %%
import json

from hf_zh_dict.tokens.encoding import byte_alphabet

byte_of = byte_alphabet()  # 詞表裡，一個位元組寫成一個符號
description = json.loads((paths.tokenizer / "tokenizer.json").read_text(encoding="utf-8"))
merges = description["model"]["merges"]
learnt = [bytes(byte_of[letter] for letter in "".join(merge)) for merge in merges]
for place in (0, 1, 2, 3, 50, 100, 200, 400, len(learnt) - 1):
    piece = learnt[place]
    print(f"第 {place + 1:4} 項  {piece.hex(' '):30}{piece.decode(errors='replace')}")

# %% [markdown]
# 最長的幾項是辭典的口頭禪：

# %%
whole = {piece.decode(errors="ignore").strip() for piece in learnt}
print("、".join(sorted(whole, key=len)[-12:]))

# %% [markdown]
# ## 切給你看 · How it cuts
# 一份 validation 的文件，一片一種底色；`·` 是切到一半的字（幾片才合成一個字）。
#
# *Each token has a colour; a dot marks a piece of a character.*

# %%
from html import escape

from IPython.display import HTML

text = validation[0]
encoded = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False)
html, end = "", 0
for place, (start, stop) in enumerate(encoded.offsets):
    shown = escape(text[max(start, end) : stop]) or "·"
    html += f'<span style="background:{("#1f5f8b55", "#d0803055")[place % 2]}">{shown}</span>'
    end = max(end, stop)
print(f"{len(text)} 個字元，{len(encoded.ids)} 個 token")
HTML(f'<p style="font-size:1.2em;line-height:2">{html}</p>')

# %% [markdown]
# 文件前面加 `<s>`（開始），後面加 `</s>`（結束）：模型要學會什麼時候停筆。解碼之後一字不差，沒看過的字也一樣，因為最小的一片是位元組。
#
# *Begin and end signs; decoding gives back every character, seen before or not.*

# %%
strange = "龘𪚥 ㄅㄚˇ㆐ <s> 🙂"
ids = tokenizer(strange)["input_ids"]
print(ids)
print(tokenizer.decode(ids[1:]), tokenizer.decode(ids[1:]) == strange)

# %% [markdown]
# ## 詞表多大 · How large a vocabulary
# 詞表越大，一片能裝越多字，序列越短；但每一項都要一個向量，而且少見的項目學不好。辭典小，詞表就小。
#
# *A larger vocabulary means shorter sequences, and more to learn.*

# %%
from hf_zh_dict.tokens.tokenizer import train_bpe

sizes = (300, 512, 1024, 2048, 4096)
characters_per_token = []
for size in sizes:
    trained = train_bpe(train, vocab_size=size)
    tokens = sum(len(item.ids) - 1 for item in trained.encode_batch(validation))
    share = sum(map(len, validation)) / tokens
    characters_per_token.append(share)
    parameters = size * config.model.hidden_size
    print(f"{size:6,} 項：每個 token {share:.2f} 字元，詞向量 {parameters:,} 個參數")

# %%
from matplotlib import pyplot

figure, axes = pyplot.subplots(figsize=(7, 3), layout="constrained")
axes.plot(sizes, characters_per_token, "o-")
axes.set_xscale("log", base=2)
axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
axes.set_xlabel("詞表大小 vocabulary")
axes.set_ylabel("每個 token 的字元數\ncharacters per token")
axes.grid(alpha=0.3)
pyplot.show()

# %% [markdown]
# ## 各欄切得如何 · Field by field
# `--report` 在保留的文字上量，並寫一頁介紹 `runs/notebook/tokenizer.html`（裝了 `sentencepiece` 還會與它並排）。
#
# *Measured on held-out text.*

# %%
# !hf-zh-dict tokenizer {OPTIONS} --report

# %%
from hf_zh_dict.sharing.measure_names import name_place

report = json.loads(paths.tokenizer_report.read_text(encoding="utf-8"))["tokenizer"]
fields = dict(sorted(report["fields"].items(), key=lambda item: item[1]))
figure, axes = pyplot.subplots(figsize=(7, 3), layout="constrained")
names = [f"{name_place(name)} {name}" for name in fields]
axes.bar_label(axes.barh(names, list(fields.values())), fmt="%.2f", padding=3)
axes.margins(x=0.1)
axes.set_xlabel("每個 token 的字元數 characters per token")
pyplot.show()
print(f"一個注音音節平均 {report['tokens_per_syllable']:.2f} 片")
print(f"{report['split_characters']:.1%} 的字元被切開")
print(f"{report['round_trip']:.0%} 的文件解碼後一字不差")

# %% [markdown]
# ## 區塊 · Blocks
# GPU 喜歡一樣長的東西，文件卻有長有短。所以把文件一份一份排進固定長度的**區塊**，找最合適的空位，能不切就不切；剩下的空位是填充（padding）。
#
# *Documents are laid whole into blocks of a fixed length; what stays empty is padding.*

# %%
# !hf-zh-dict blocks {OPTIONS}

# %%
import numpy

from hf_zh_dict.tokens.blocks import load_blocks

blocks = load_blocks(paths.blocks)
epoch = blocks.pack(seed=0, epoch=0)
inputs, labels, positions = blocks.read(epoch, numpy.arange(24))
pieces = (positions == 0).cumsum(axis=1) % 10  # 位置從 0 重新數起，就是下一份文件
picture = numpy.ma.masked_array(pieces, labels < 0)
figure, axes = pyplot.subplots(figsize=(9, 3), layout="constrained")
axes.imshow(picture, aspect="auto", cmap="tab10", interpolation="nearest", vmin=0, vmax=9)
axes.set_xlabel("token（同色是同一份文件，空白是填充）")
axes.set_ylabel("區塊 block")
pyplot.show()

# %% [markdown]
# 訓練的題目：看到前面的 token，猜下一個。所以**答案**（labels）就是**輸入**（inputs）往左移一格。
# `�` 是少見的字拆成的位元組：單獨一個，還不成字。
#
# *The task: from what came before, guess the next token. A `�` is a byte of a rare character: alone it is none yet.*

# %%
row = numpy.flatnonzero(inputs[:, 0] == tokenizer.bos_token_id)[0]
for given, wanted in zip(inputs[row, :10], labels[row, :10], strict=True):
    print(f"{tokenizer.decode([given])!r:12} → {tokenizer.decode([wanted])!r}")

# %% [markdown]
# ## 接下來 · Next
# 區塊備好，第 03 本開始訓練。
